/** Reads the monitor's `info registers -a` (QEMU target/i386/cpu-dump.c, target/arm/cpu.c). */
import type { CpuSample } from '../model.js';

/** Each vCPU's sample by its index; other architectures, and what cannot be read, are left out. */
export function registersOf(answer: unknown): Map<number, CpuSample> {
  const samples = new Map<number, CpuSample>();
  if (typeof answer !== 'string') return samples;
  for (const part of answer.split(/^CPU#/m).slice(1)) {
    const index = /^\d{1,5}/.exec(part)?.[0];
    const sample = x86(part) ?? arm64(part);
    if (index !== undefined && sample !== null) samples.set(Number(index), sample);
  }
  return samples;
}

/** IF of the flags register. */
const INTERRUPTS = 1 << 9;

function x86(text: string): CpuSample | null {
  const pc = /\b[RE]IP=([0-9a-f]{8,16})\b/.exec(text)?.[1];
  if (pc === undefined) return null;
  const level = /\bCPL=(\d)/.exec(text)?.[1];
  const flags = /\b[RE]FL=([0-9a-f]{8})\b/.exec(text)?.[1];
  const halt = /\bHLT=(\d)/.exec(text)?.[1];
  return {
    pc,
    halted: halt === undefined ? null : halt === '1',
    user: level === undefined ? null : level === '3',
    masked: flags === undefined ? null : (parseInt(flags, 16) & INTERRUPTS) === 0,
  };
}

function arm64(text: string): CpuSample | null {
  const pc = /^\s*PC=([0-9a-f]{16})\b/m.exec(text)?.[1];
  if (pc === undefined) return null;
  const level = /\bPSTATE=[0-9a-f]+ .{0,20}\bEL(\d)/.exec(text)?.[1];
  return { pc, halted: null, user: level === undefined ? null : level === '0', masked: null };
}
