/** Reads the monitor's `info registers -a` (QEMU target/i386/cpu-dump.c, target/arm/cpu.c). */
import type { VcpuRegisters } from './model.js';
import type { CpuSample } from '../model.js';

const VCPUS_MAX = 8192;
/** IF of the flags register. */
const INTERRUPTS = 0x200n;
/** I of PSTATE's DAIF. Clear, it says nothing: a kernel with pseudo-NMIs masks interrupts elsewhere. */
const ARM_MASKED = 0x80n;

/** Each vCPU's sample by its index; other architectures, and what cannot be read, are left out. */
export function registersOf(answer: unknown): Map<number, CpuSample> {
  if (typeof answer !== 'string') return new Map();
  return new Map(
    vcpusIn(answer).flatMap(([index, text]) => {
      const sample = sampleOf(text);
      return sample === null ? [] : [[index, sample] as const];
    }),
  );
}

/** One a vCPU, in the order printed; what cannot be read, other architectures and 32-bit modes are left out. */
export function parseRegisters(text: string): VcpuRegisters[] {
  return vcpusIn(text).flatMap(([vcpu, part]) => {
    const sample = sampleOf(part);
    const general = generalOf(part);
    if (sample === null || general === null) return [];
    const { halted, masked } = sample;
    return [{ vcpu, general, ...controlOf(part), user: sample.user === true, halted, interruptsOff: masked }];
  });
}

function vcpusIn(text: string): [index: number, text: string][] {
  const parts = text.split(/^CPU#/m).slice(1, VCPUS_MAX + 1);
  return parts.flatMap((part) => {
    const index = /^\d{1,5}/.exec(part)?.[0];
    return index === undefined ? [] : [[Number(index), part]];
  });
}

const sampleOf = (text: string): CpuSample | null => x86(text) ?? arm64(text);

const hex = (digits: string | undefined): bigint | null =>
  digits === undefined ? null : BigInt(`0x${digits}`);

function x86(text: string): CpuSample | null {
  const pc = /\b[RE]IP=([0-9a-f]{8,16})\b/.exec(text)?.[1];
  if (pc === undefined) return null;
  const level = /\bCPL=(\d)/.exec(text)?.[1];
  const flags = hex(/\b[RE]FL=([0-9a-f]{8,16})\b/.exec(text)?.[1]);
  const halt = /\bHLT=(\d)/.exec(text)?.[1];
  return {
    pc,
    halted: halt === undefined ? null : halt === '1',
    user: level === undefined ? null : level === '3',
    masked: flags === null ? null : (flags & INTERRUPTS) === 0n,
  };
}

function arm64(text: string): CpuSample | null {
  const pc = /^\s*PC=([0-9a-f]{16})\b/m.exec(text)?.[1];
  if (pc === undefined) return null;
  const [, state, level] = /\bPSTATE=([0-9a-f]{8,16}) .{0,20}\bEL(\d)/.exec(text) ?? [];
  const masked = ((hex(state) ?? 0n) & ARM_MASKED) !== 0n ? true : null;
  return { pc, halted: null, user: level === undefined ? null : level === '0', masked };
}

/** By the short names of the architecture, as `ax`, `r8` and `ip`, or `x0`, `sp` and `pc`; null in a 32-bit mode. */
function generalOf(text: string): Record<string, bigint> | null {
  const general: Record<string, bigint> = {};
  // The spacing depends on the width of the name: `R8 =`, `RAX=`, `RIP=`.
  for (const [, name = '', value = ''] of text.matchAll(/\bR([A-Z]{2}|[89]|1[0-5]) *=([0-9a-f]{16})\b/g))
    general[/^\d/.test(name) ? `r${name}` : name.toLowerCase()] = BigInt(`0x${value}`);
  if ('ip' in general && 'sp' in general && 'bp' in general) return general;
  const pc = hex(/^ *PC=([0-9a-f]{16})\b/m.exec(text)?.[1]);
  const sp = hex(/\bSP=([0-9a-f]{16})\b/.exec(text)?.[1]);
  if (pc === null || sp === null) return null;
  const numbered = [...text.matchAll(/\bX(\d\d) *=([0-9a-f]{16})\b/g)];
  return {
    ...Object.fromEntries(numbered.map(([, name, value]) => [`x${Number(name)}`, BigInt(`0x${value}`)])),
    pc,
    sp,
  };
}

/** Null on other architectures than x86. */
const controlOf = (text: string): Pick<VcpuRegisters, 'cr3' | 'cr4' | 'gdt' | 'gs'> => ({
  cr3: hex(/\bCR3=([0-9a-f]{8,16})\b/.exec(text)?.[1]),
  cr4: hex(/\bCR4=([0-9a-f]{8,16})\b/.exec(text)?.[1]),
  gdt: hex(/^GDT= *([0-9a-f]{16})\b/m.exec(text)?.[1]),
  gs: hex(/^GS *=[0-9a-f]{4} ([0-9a-f]{16})\b/m.exec(text)?.[1]),
});
