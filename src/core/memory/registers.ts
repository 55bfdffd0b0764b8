/** Reads the monitor's `info registers -a` (QEMU target/i386/cpu-dump.c, target/arm/cpu.c). */
import type { VcpuRegisters } from './model.js';

const VCPUS_MAX = 8192;
/** IF of the flags register. */
const INTERRUPTS = 0x200n;
/** I of PSTATE's DAIF. */
const ARM_MASKED = 0x80n;

/** One a vCPU, in the order printed; what cannot be read, and other architectures, are left out. */
export function parseRegisters(text: string): VcpuRegisters[] {
  const all: VcpuRegisters[] = [];
  for (const part of text.split(/^CPU#/m).slice(1, VCPUS_MAX + 1)) {
    const index = /^\d{1,5}/.exec(part)?.[0];
    const registers = index === undefined ? null : (x86(Number(index), part) ?? arm64(Number(index), part));
    if (registers !== null) all.push(registers);
  }
  return all;
}

const hex = (digits: string | undefined): bigint | null =>
  digits === undefined ? null : BigInt(`0x${digits}`);

function x86(vcpu: number, text: string): VcpuRegisters | null {
  const general: Record<string, bigint> = {};
  // The spacing depends on the width of the name: `R8 =`, `RAX=`, `RIP=`.
  for (const [, name = '', value = ''] of text.matchAll(/\bR([A-Z]{2}|[89]|1[0-5]) *=([0-9a-f]{16})\b/g))
    general[/^\d/.test(name) ? `r${name}` : name.toLowerCase()] = BigInt(`0x${value}`);
  if (general['ip'] === undefined || general['sp'] === undefined || general['bp'] === undefined) return null;
  return {
    vcpu,
    general,
    ...x86Flags(text),
    cr3: hex(/\bCR3=([0-9a-f]{8,16})\b/.exec(text)?.[1]),
    cr4: hex(/\bCR4=([0-9a-f]{8,16})\b/.exec(text)?.[1]),
    gdt: hex(/^GDT= *([0-9a-f]{16})\b/m.exec(text)?.[1]),
    gs: hex(/^GS *=[0-9a-f]{4} ([0-9a-f]{16})\b/m.exec(text)?.[1]),
  };
}

function x86Flags(text: string): Pick<VcpuRegisters, 'user' | 'halted' | 'interruptsOff'> {
  const flags = hex(/\bRFL=([0-9a-f]{8,16})\b/.exec(text)?.[1]);
  const halted = /\bHLT=(\d)/.exec(text)?.[1];
  return {
    user: /\bCPL=(\d)/.exec(text)?.[1] === '3',
    halted: halted === undefined ? null : halted === '1',
    interruptsOff: flags === null ? null : (flags & INTERRUPTS) === 0n,
  };
}

function arm64(vcpu: number, text: string): VcpuRegisters | null {
  const general: Record<string, bigint> = {};
  for (const [, name = '', value = ''] of text.matchAll(/\bX(\d\d) *=([0-9a-f]{16})\b/g))
    general[`x${Number(name)}`] = BigInt(`0x${value}`);
  const pc = hex(/^ *PC=([0-9a-f]{16})\b/m.exec(text)?.[1]);
  const sp = hex(/\bSP=([0-9a-f]{16})\b/.exec(text)?.[1]);
  if (pc === null || sp === null) return null;
  const [, state, level] = /\bPSTATE=([0-9a-f]{8,16}) .{0,20}\bEL(\d)/.exec(text) ?? [];
  const pstate = hex(state);
  return {
    vcpu,
    general: { ...general, pc, sp },
    cr3: null,
    cr4: null,
    gdt: null,
    gs: null,
    user: level === '0',
    halted: null,
    interruptsOff: pstate === null ? null : (pstate & ARM_MASKED) !== 0n,
  };
}
