/** A guest's kernel, from raw RAM: its page tables, symbols and types, and how they were found. */
import { createBuilds } from './builds.js';
import { runningKernel } from './by-registers.js';
import { mappedByNote, type Mapped } from './by-note.js';
import { readImage, x86ImageArea, type Image } from './image.js';
import { assemble } from './assemble.js';
import { findKallsyms } from './kallsyms-search.js';
import { readKallsyms, type GuestSymbols, type KallsymsPlaces } from './kallsyms.js';
import type { AddressSpace, Builds, HowFound, Kernel, Ram, VcpuRegisters } from './model.js';
import { KernelNotFound } from './not-found.js';
import { spacesOf } from './paging.js';
import { bytesOf, u64 } from './reading.js';
import { noteAtAddress, placesOf, scanForNote, type Note, type Stretch } from './vmcoreinfo.js';

export interface OpenOptions {
  /** Of all vCPUs, read a moment ago. They tell a living kernel from the remains of the one before. */
  registers?: readonly VcpuRegisters[];
  /** `noteAt` of the kernel that was found there before. */
  noteAt?: number | null;
  /** Shared by all guests of a process. */
  builds?: Builds;
}

/** Symbols below the text an image begins with: `_stext` is not `_text` everywhere. Place-relative offsets count from here. */
const headOfImage = 0x20_0000n;
/** The whole of RAM is searched for a note up to this size: some ten seconds. */
const scannedAtMost = 64 * 2 ** 30;

class Opening {
  readonly tried: string[] = [];
  private readonly builds: Builds;
  private readonly registers: readonly VcpuRegisters[];
  /** No vCPU has a kernel mapped: then no note is believed, and gigabytes are not read for one. */
  private noneRuns = false;

  constructor(
    private readonly ram: Ram,
    private readonly options: OpenOptions,
  ) {
    this.builds = options.builds ?? createBuilds();
    this.registers = options.registers ?? [];
  }

  open(): Kernel {
    const { likely, rest } = placesOf(this.ram);
    const kernel =
      this.atKeptNote() ??
      this.scan(likely, 'where notes mostly lie') ??
      this.byRegisters() ??
      (this.noneRuns ? null : this.scan(rest, 'elsewhere'));
    if (kernel === null) throw new KernelNotFound(this.tried);
    return kernel;
  }

  private atKeptNote(): Kernel | null {
    const at = this.options.noteAt ?? null;
    if (at === null) return null;
    const kernel = noteAtAddress(this.ram, at, (note) => this.byNote(note, 'kept note'));
    if (kernel === null) this.say(`the note kept at 0x${at.toString(16)} is there no more`);
    return kernel;
  }

  private scan(stretches: readonly Stretch[], where: string): Kernel | null {
    let left = scannedAtMost;
    for (const { first, end } of stretches) {
      const stretch = { first, end: Math.min(end, first + left) };
      const kernel = scanForNote(this.ram, stretch, (note) => this.byNote(note, 'note'));
      if (kernel !== null) return kernel;
      left -= Math.max(0, stretch.end - stretch.first);
    }
    if (stretches.length > 0) this.say(`no VMCOREINFO note that its page tables bear out ${where}`);
    return null;
  }

  private byNote(note: Note, found: HowFound['kernel']): Kernel | null {
    const name = `the note of ${note.release} at 0x${note.at.toString(16)}`;
    const mapped = mappedByNote(this.ram, note, this.registers);
    if (mapped === null) {
      this.say(`${name} is not of a running kernel`);
      return null;
    }
    const stext = note.values.get('SYMBOL(_stext)') ?? 0n;
    const image = lazily(() => {
      const area =
        mapped.arch === 'x86-64' ? x86ImageArea : { first: stext & ~(headOfImage - 1n), size: 1n << 28n };
      return readImage(this.ram, mapped.space, area.first, area.size);
    });
    const symbols = this.symbolsByNote(note, mapped, stext) ?? this.symbolsInImage(image());
    if (symbols === null) {
      this.say(`${name} leads to no symbol table`);
      return null;
    }
    const { arch, space, pageOffset, vmemmap } = mapped;
    return this.assembled({
      ...{ ram: this.ram, builds: this.builds, found, arch, space, symbols, image, pageOffset, vmemmap },
      imageAt: mapped.imageAt,
      ...{ release: note.release, buildId: note.buildId, note: note.values, noteAt: note.at, stext },
    });
  }

  private byRegisters(): Kernel | null {
    if (this.registers.length === 0) {
      this.say('no registers of its vCPUs to look by');
      return null;
    }
    const running = runningKernel(this.ram, this.registers);
    if (running === null) {
      this.noneRuns = this.registers.some((vcpu) => spacesOf(this.ram, vcpu).length > 0);
      this.say('no vCPU runs on page tables with a kernel of x86-64');
      return null;
    }
    const { space, image, release } = running;
    const symbols = this.symbolsInImage(image);
    if (symbols === null) {
      this.say(`the image of ${release} has no symbol table`);
      return null;
    }
    const at = space.translate(image.first) ?? 0;
    const note = this.noteBySymbol(symbols, space);
    return this.assembled({
      ...{
        ram: this.ram,
        builds: this.builds,
        found: 'page tables of a vCPU',
        arch: 'x86-64',
        space,
        symbols,
      },
      ...{
        release,
        buildId: note?.buildId ?? null,
        note: note?.values ?? new Map(),
        noteAt: note?.at ?? null,
      },
      ...{ stext: symbols.address('_stext') ?? image.first, pageOffset: null, vmemmap: null },
      imageAt: (va) => at + Number(va - image.first),
      image: () => image,
    });
  }

  /** The note lies anywhere, but a symbol table that names data tells where. */
  private noteBySymbol(symbols: GuestSymbols, space: AddressSpace): Note | null {
    const pointer = symbols.address('vmcoreinfo_note');
    const va = pointer === null ? null : u64(space, pointer);
    const at = va === null ? null : space.translate(va);
    if (at === null) return null;
    return noteAtAddress(this.ram, at, (note) =>
      mappedByNote(this.ram, note, this.registers) === null ? null : note,
    );
  }

  private assembled(parts: Parameters<typeof assemble>[0]): Kernel | null {
    const kernel = assemble(parts);
    if (typeof kernel !== 'string') return kernel;
    this.say(kernel);
    return null;
  }

  /** Forged notes may be many. */
  private say(what: string): void {
    if (this.tried.length < 16 && !this.tried.includes(what)) this.tried.push(what);
  }

  private symbolsByNote({ values }: Note, { space }: Mapped, stext: bigint): GuestSymbols | null {
    const place = (name: string): bigint | null => values.get(`SYMBOL(kallsyms_${name})`) ?? null;
    const [count, names, tokens, offsets] = [
      place('num_syms'),
      place('names'),
      place('token_table'),
      place('offsets'),
    ];
    if (count === null || names === null || tokens === null || offsets === null) return null;
    const places: KallsymsPlaces = { count, names, tokens, offsets, relativeBase: place('relative_base') };
    const read = (va: bigint, length: number): Uint8Array | null => bytesOf(space, va, length, largestTable);
    return readKallsyms(read, places, stext - headOfImage, this.builds);
  }

  private symbolsInImage(image: Image | null): GuestSymbols | null {
    const places = image === null ? null : findKallsyms(image);
    if (image === null || places === null) return null;
    const read = (va: bigint, length: number): Uint8Array | null => {
      const at = Number(va - image.first);
      return at >= 0 && at + length <= image.bytes.length ? image.bytes.slice(at, at + length) : null;
    };
    return readKallsyms(read, places, image.first - headOfImage, this.builds);
  }
}

/** Names of two million symbols. */
const largestTable = 96 << 20;

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

/**
 * The kernel that runs in a guest's memory. Throws nothing but KernelNotFound, whatever the memory holds. Reads 30 MB by
 * a note and as much as the image by a vCPU's page tables.
 */
export const openKernel = (ram: Ram, options: OpenOptions = {}): Kernel => new Opening(ram, options).open();
