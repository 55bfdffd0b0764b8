/** A kernel's page tables by its VMCOREINFO note, and whether to believe it. */
import { inRam, type PagedSpace } from './address-space.js';
import { arm64Space } from './arm64-paging.js';
import type { Kernel, Ram, VcpuRegisters } from './model.js';
import { spacesOf, x86Space } from './paging.js';
import type { Note } from './vmcoreinfo.js';

/** x86-64: __START_KERNEL_map. */
const x86Image = 0xffff_ffff_8000_0000n;

export interface Mapped {
  arch: Kernel['arch'];
  space: PagedSpace;
  /** Guest-physical, of an address in the kernel's image. */
  imageAt: (va: bigint) => number;
  /** Where the direct map begins, if the note tells. */
  pageOffset: bigint | null;
  vmemmap: bigint | null;
}

function mappedX86(ram: Ram, note: Note, root: bigint): Mapped | null {
  const physBase = note.values.get('NUMBER(phys_base)');
  if (physBase === undefined) return null;
  const imageAt = (va: bigint): number => Number(BigInt.asIntN(64, va - x86Image + physBase));
  if (!isTable(ram, imageAt(root))) return null;
  const levels = note.values.get('NUMBER(pgtable_l5_enabled)') === 1n ? 5 : 4;
  const space = x86Space(ram, imageAt(root), levels);
  return { arch: 'x86-64', space, imageAt, pageOffset: null, vmemmap: null };
}

const isTable = (ram: Ram, gpa: number): boolean => Number.isSafeInteger(gpa) && inRam(ram, gpa);

const bitsOf = (value: bigint | undefined): number => (value === undefined ? Number.NaN : Number(value));

function mappedArm64(ram: Ram, note: Note, root: bigint): Mapped | null {
  const offset = note.values.get('NUMBER(kimage_voffset)');
  const compiled = bitsOf(note.values.get('NUMBER(VA_BITS)'));
  const size = note.values.get('NUMBER(TCR_EL1_T1SZ)');
  const bits = size === undefined ? compiled : 64 - Number(size);
  const pageBits = Math.log2(Number(note.values.get('PAGESIZE') ?? 4096n));
  if (offset === undefined || ![12, 14, 16].includes(pageBits)) return null;
  if (!(bits >= 36 && bits <= 52 && compiled >= 36 && compiled <= 52)) return null;
  const imageAt = (va: bigint): number => Number(BigInt.asUintN(64, va - offset));
  const table = imageAt(root);
  if (!isTable(ram, table)) return null;
  const vmemmap = note.values.get('NUMBER(VMEMMAP_START)');
  return {
    arch: 'arm64',
    space: arm64Space(ram, { root: table, bits, pageBits }),
    imageAt,
    pageOffset: (1n << 64n) - (1n << BigInt(compiled)),
    vmemmap: vmemmap === undefined ? null : BigInt.asUintN(64, vmemmap),
  };
}

/** Whether a vCPU runs on page tables that map the kernel's text to the same place; null where no registers tell. */
export function isRunning(
  ram: Ram,
  stext: bigint,
  gpa: number,
  registers: readonly VcpuRegisters[],
): boolean | null {
  const roots = registers.flatMap((vcpu) => spacesOf(ram, vcpu));
  return roots.length === 0 ? null : roots.some(({ space }) => space.translate(stext) === gpa);
}

/**
 * Believed is a note whose page tables map the kernel's text where the note says it lies. RAM outlives a reboot, and the
 * note and the tables of the kernel before may be whole: so where there are registers, a vCPU must run on this one.
 */
export function mappedByNote(ram: Ram, note: Note, registers: readonly VcpuRegisters[]): Mapped | null {
  const root = note.values.get('SYMBOL(swapper_pg_dir)');
  const stext = note.values.get('SYMBOL(_stext)');
  if (root === undefined || stext === undefined) return null;
  const isArm64 = note.values.has('NUMBER(kimage_voffset)');
  const mapped = isArm64 ? mappedArm64(ram, note, root) : mappedX86(ram, note, root);
  const gpa = mapped?.space.translate(stext) ?? null;
  if (mapped === null || gpa === null || gpa !== mapped.imageAt(stext)) return null;
  if (!isArm64 && isRunning(ram, stext, gpa, registers) === false) return null;
  return mapped;
}
