/** What the reader's process knows of guests; see memory-reader.ts. */
import { isDeepStrictEqual } from 'node:util';
import type { Closed, SampleAnswer, SnapshotAnswer, SnapshotTaken } from '../core/memory/answers.js';
import { createBuilds } from '../core/memory/builds.js';
import { KnownGuest } from '../core/memory/known-guest.js';
import { parseRegisters } from '../core/memory/registers.js';
import { memoryText } from '../core/memory/text.js';
import { monotonicMs } from '../io/clock.js';
import { OtherMemory } from '../io/memory/file-ram.js';
import { type OpenedRam, openRam } from '../io/memory/open-ram.js';
import type { MemorySource } from '../io/memory/source.js';

export type MemoryQuestion =
  | { type: 'snapshot'; vm: string; source: MemorySource; registers: string | null }
  /** `source` null: as it was told before, and nobody asked for registers. */
  | {
      type: 'sample';
      vm: string;
      source: MemorySource | null;
      registers: string | null;
      standingForSeconds: number;
    }
  | { type: 'forget'; vm: string };

interface Known {
  pid: number;
  /** By QEMU's own word where its memory lies; null: by guess. */
  regions: MemorySource['regions'];
  opened: OpenedRam;
  guest: KnownGuest;
}

const MOST_GUESTS = 4_096;
const FORGOTTEN: Closed = { ok: false, why: 'its QEMU is not known any more', fix: null };
const COPIES: OpenedRam['way'] = 'copies that QEMU makes';
const SAMPLED_NOT = 'only QEMU itself can read it, which is not asked all the time';

const COPIED = 'QEMU copied the memory piece by piece while the guest ran';

/** Whether a task ran meanwhile cannot be told from copies; what is left out explains what is missing. */
function doubted(taken: SnapshotTaken, { way, instead, partly }: OpenedRam): SnapshotTaken {
  const why = way === COPIES ? COPIED : taken.dump.complete ? undefined : partly;
  if (why === undefined) return taken;
  const incompleteBecause = [...taken.dump.incompleteBecause, why];
  const dump = { ...taken.dump, complete: false, incompleteBecause };
  return { ...taken, dump, text: memoryText(dump), ...(instead !== undefined && { instead }) };
}

/** That no kernel was found may be for what could not be read, or was looked for in the wrong place. */
function explained(closed: Closed, { ram, instead }: OpenedRam, { regions }: MemorySource): Closed {
  const failure = ram.failure ?? null;
  if (failure !== null && instead !== undefined)
    return { ok: false, why: `${instead.why}; QEMU makes no copy: ${failure}`, fix: instead.fix };
  if (regions !== null) return closed;
  return { ...closed, why: `QEMU does not answer, and where its memory lies is a guess: ${closed.why}` };
}

export class MemoryGuests {
  private readonly builds = createBuilds();
  private readonly known = new Map<string, Known>();

  answer(question: MemoryQuestion): SnapshotAnswer | SampleAnswer | null {
    if (question.type === 'forget') {
      this.drop(question.vm);
      return null;
    }
    const { vm, source } = question;
    const registers = question.registers === null ? [] : parseRegisters(question.registers);
    const asked = source === null ? null : registers;
    return this.withRam(vm, source, (guest, opened) => {
      const { way } = opened;
      const now = monotonicMs() / 1000;
      if (question.type === 'snapshot') {
        const taken = guest.snapshot(registers, now, way);
        if (!taken.ok) return explained(taken, opened, question.source);
        return doubted(taken, opened);
      }
      // A look is worth that QEMU stands still for moments; to sample all the time is not.
      if (way === COPIES) return { ok: false, why: SAMPLED_NOT, fix: null };
      return guest.sample(asked, now, question.standingForSeconds);
    });
  }

  private withRam<T>(
    vm: string,
    source: MemorySource | null,
    read: (guest: KnownGuest, opened: OpenedRam) => T,
  ): T | Closed {
    for (const last of [false, true]) {
      const known = this.find(vm, source);
      if ('ok' in known) return known;
      const { ram } = known.opened;
      try {
        ram.open();
        return read(known.guest, known.opened);
      } catch (error) {
        // Its QEMU was started anew, or the number is another file's now.
        this.drop(vm);
        const moved = error instanceof OtherMemory || (error as NodeJS.ErrnoException).code !== undefined;
        if (last || !moved) throw error;
      } finally {
        known.guest.rest();
        ram.close();
      }
    }
    return { ok: false, why: 'its memory is another one each time', fix: null };
  }

  private drop(vm: string): void {
    this.known.get(vm)?.opened.ram.end();
    this.known.delete(vm);
  }

  private find(vm: string, source: MemorySource | null): Known | Closed {
    const known = this.known.get(vm);
    if (source === null) return known ?? FORGOTTEN;
    const { regions } = source;
    // Memory that was plugged in makes it another one.
    const same = regions === null || isDeepStrictEqual(regions, known?.regions);
    if (known !== undefined && known.pid === source.pid && same) return known;
    const opened = openRam(source);
    if (!opened.ok) return opened;
    const made = { pid: source.pid, regions, opened, guest: new KnownGuest(opened.ram, this.builds) };
    this.drop(vm);
    if (this.known.size >= MOST_GUESTS) for (const one of [...this.known.keys()]) this.drop(one);
    this.known.set(vm, made);
    return made;
  }
}
