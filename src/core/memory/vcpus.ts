/** Which of the kernel's CPUs a vCPU is. */
import type { Kernel, VcpuRegisters } from './model.js';
import { readWords } from './reading.js';

/** GDT_ENTRY_CPUNODE: its limit holds the CPU in the low 12 bits. */
const CPU_NODE_AT = 15n * 8n;
const CPU_BITS = 0xfffn;

/** A vCPU that cannot be told is left out. */
export function cpusOfVcpus(kernel: Kernel, registers: readonly VcpuRegisters[]): Map<number, VcpuRegisters> {
  const byCpu = new Map<number, VcpuRegisters>();
  const rest: VcpuRegisters[] = [];
  for (const one of registers) {
    const cpu = byTable(kernel, one);
    if (cpu === null || byCpu.has(cpu)) rest.push(one);
    else byCpu.set(cpu, one);
  }
  // arm64 has no such table. QEMU and kernel count alike there, unless CPUs were plugged in.
  for (const one of rest) if (kernel.arch === 'arm64' && !byCpu.has(one.vcpu)) byCpu.set(one.vcpu, one);
  return byCpu;
}

function byTable({ arch, space }: Kernel, { gdt }: VcpuRegisters): number | null {
  if (arch !== 'x86-64' || gdt === null) return null;
  const entry = readWords(space, gdt + CPU_NODE_AT, 8);
  return entry === null ? null : Number(entry.u64(0) & CPU_BITS);
}
