/**
 * Memory images in the form of ELF64 core files: QEMU's dump-guest-memory, `virsh dump --memory-only`, an uncompressed
 * vmcore of kdump (elf(5); QEMU dump/dump.c, target/i386/arch_dump.c).
 */
import type { VcpuRegisters } from './model.js';

interface ImageSegment {
  first: number;
  end: number;
  /** Where its bytes begin in the file. */
  at: number;
}

interface ElfHeader {
  arch: 'x86-64' | 'arm64';
  /** Of the program headers, from the beginning of the file. */
  programs: { at: number; count: number };
}

const HEADER_BYTES = 64;
const PROGRAM_BYTES = 56;
/** A program header a stretch of RAM; more than 0xfffe of them are counted elsewhere. */
const PROGRAMS_MAX = 0xfffe;
const [CORE, LOAD, NOTE] = [4, 1, 4];
const MACHINES: Readonly<Record<number, ElfHeader['arch']>> = { 62: 'x86-64', 183: 'arm64' };
export const ELF_HEADER_BYTES = HEADER_BYTES;

/** Whether a file that begins so is an ELF file at all. */
export const isElf = (head: Uint8Array): boolean =>
  head[0] === 0x7f && head[1] === 0x45 && head[2] === 0x4c && head[3] === 0x46;

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/** A size or an offset; NaN where no file can be so large. */
function u64(view: DataView, at: number): number {
  const value = view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
  return Number.isSafeInteger(value) ? value : NaN;
}

/** Of the first 64 bytes of a file; a string says why it is no such image. */
export function parseElfHeader(head: Uint8Array): ElfHeader | string {
  if (head.length < HEADER_BYTES || !isElf(head)) return 'it is no ELF file';
  if (head[4] !== 2 || head[5] !== 1) return 'only 64-bit little-endian images are read';
  const view = viewOf(head);
  if (view.getUint16(16, true) !== CORE) return 'it is an ELF file, but no core image';
  const machine = view.getUint16(18, true);
  const arch = MACHINES[machine];
  if (arch === undefined) return `images of ELF machine ${machine} are not read, only of x86-64 and arm64`;
  const at = u64(view, 32);
  const count = view.getUint16(56, true);
  const sound = view.getUint16(54, true) === PROGRAM_BYTES && count > 0 && count <= PROGRAMS_MAX;
  if (!sound || Number.isNaN(at)) return 'its program headers are damaged';
  return { arch, programs: { at, count } };
}

interface ElfPrograms {
  /** Ascending by address, without overlap. */
  segments: ImageSegment[];
  notes: { at: number; size: number }[];
  /** Bytes of RAM that the headers promise, and of those such that a file which was cut lacks. */
  ram: { promised: number; missing: number };
}

/** Of all together: those of eight thousand CPUs fit. */
const NOTES_MAX = 16 * 2 ** 20;
/** Of dump-guest-memory without paging the physical address is right, and the virtual one 0. */
export function parseElfPrograms(bytes: Uint8Array, fileSize: number): ElfPrograms {
  const view = viewOf(bytes);
  const found: ElfPrograms = { segments: [], notes: [], ram: { promised: 0, missing: 0 } };
  let left = NOTES_MAX;
  for (let from = 0; from + PROGRAM_BYTES <= bytes.length; from += PROGRAM_BYTES) {
    const type = view.getUint32(from, true);
    const [at, first, size] = [u64(view, from + 8), u64(view, from + 24), u64(view, from + 32)];
    // A file that was cut short still holds what it holds.
    const there = Math.max(0, Math.min(size, fileSize - at));
    if (type === LOAD && Number.isSafeInteger(first + size)) {
      found.ram.promised += size;
      found.ram.missing += size - there;
      if (there > 0) found.segments.push({ first, end: first + there, at });
    } else if (type === NOTE && there > 0 && left > 0) {
      found.notes.push({ at, size: Math.min(there, left) });
      left -= there;
    }
  }
  found.segments = withoutOverlap(found.segments);
  return found;
}

/** A vmcore has the kernel's text twice: on its own, and in the RAM that it lies in. */
function withoutOverlap(segments: readonly ImageSegment[]): ImageSegment[] {
  let end = 0;
  return segments
    .toSorted((a, b) => a.first - b.first)
    .flatMap((one): ImageSegment[] => {
      const covered = Math.max(0, end - one.first);
      if (one.end <= end) return [];
      end = one.end;
      return [{ first: one.first + covered, end: one.end, at: one.at + covered }];
    });
}

const NT_PRSTATUS = 1;
const QEMU_STATE = 0;
const NOTE_LIMIT = 100_000;
const VCPUS_MAX = 8_192;
/** Of a vmcore the crashed kernel itself wrote these, and a CPU that is missing left a hole. */
const PRSTATUS: Record<ElfHeader['arch'], { registers: number; size: number }> = {
  'x86-64': { registers: 112, size: 336 },
  arm64: { registers: 112, size: 392 },
};
/** The order of struct user_regs_struct. */
const X86_ORDER = [
  ...(['r15', 'r14', 'r13', 'r12', 'bp', 'bx', 'r11', 'r10', 'r9', 'r8'] as const),
  ...(['ax', 'cx', 'dx', 'si', 'di', null, 'ip', 'cs', 'flags', 'sp'] as const),
];
const INTERRUPTS = 0x200n;

/** Of each vCPU, from the notes of QEMU or of kdump; empty where there are none. */
export function parseElfNotes(bytes: Uint8Array, arch: ElfHeader['arch']): VcpuRegisters[] {
  const view = viewOf(bytes);
  const status: VcpuRegisters[] = [];
  const states: QemuState[] = [];
  let from = 0;
  for (let count = 0; count < NOTE_LIMIT && from + 12 <= bytes.length; count += 1) {
    const [nameSize, size, type] = [0, 4, 8].map((at) => view.getUint32(from + at, true)) as [
      number,
      number,
      number,
    ];
    const data = from + 12 + Math.ceil(nameSize / 4) * 4;
    if (data + size > bytes.length) break;
    const name = String.fromCharCode(...bytes.subarray(from + 12, from + 12 + Math.min(nameSize, 8)));
    const desc = new DataView(bytes.buffer, bytes.byteOffset + data, size);
    if (name.startsWith('CORE') && type === NT_PRSTATUS && status.length < VCPUS_MAX) {
      const registers = statusOf(desc, arch, status.length);
      if (registers !== null) status.push(registers);
    } else if (name.startsWith('QEMU') && type === QEMU_STATE && states.length < VCPUS_MAX) {
      const state = arch === 'x86-64' ? qemuState(desc) : null;
      if (state !== null) states.push(state);
    }
    from = data + Math.ceil(size / 4) * 4;
  }
  if (states.length !== status.length) return status;
  return status.map((one, index) => ({ ...one, ...states[index] }));
}

function statusOf(desc: DataView, arch: ElfHeader['arch'], vcpu: number): VcpuRegisters | null {
  const { registers, size } = PRSTATUS[arch];
  if (desc.byteLength < size) return null;
  const word = (index: number): bigint => desc.getBigUint64(registers + index * 8, true);
  const none = { vcpu, cr3: null, cr4: null, gdt: null, gs: null, halted: null };
  if (arch === 'arm64') {
    const general = Object.fromEntries(Array.from({ length: 31 }, (_, index) => [`x${index}`, word(index)]));
    const [sp, pc, pstate] = [word(31), word(32), word(33)];
    const user = (pstate & 0xfn) === 0n;
    return { ...none, general: { ...general, sp, pc }, user, interruptsOff: (pstate & 0x80n) !== 0n };
  }
  const named = X86_ORDER.flatMap((name, index) => (name === null ? [] : [[name, word(index)] as const]));
  const { cs = 0n, flags = 0n, ...general } = Object.fromEntries(named);
  return { ...none, general, user: (cs & 3n) === 3n, interruptsOff: (flags & INTERRUPTS) === 0n };
}

type QemuState = Pick<VcpuRegisters, 'cr3' | 'cr4' | 'gdt' | 'gs'>;

/** struct QEMUCPUState: version, size, 18 registers, ten segments of 24 bytes, cr0 to cr4. */
const SEGMENTS_AT = 8 + 18 * 8;
const [GS, GDT, SEGMENTS] = [4, 8, 10];
const CONTROL_AT = SEGMENTS_AT + SEGMENTS * 24;

function qemuState(desc: DataView): QemuState | null {
  if (desc.byteLength < CONTROL_AT + 5 * 8 || desc.getUint32(0, true) !== 1) return null;
  const base = (segment: number): bigint => desc.getBigUint64(SEGMENTS_AT + segment * 24 + 16, true);
  const control = (index: number): bigint => desc.getBigUint64(CONTROL_AT + index * 8, true);
  return { cr3: control(3), cr4: control(4), gdt: base(GDT), gs: base(GS) };
}
