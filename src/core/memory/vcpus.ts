/** Which of the kernel's CPUs a vCPU is. */
import type { Kernel, VcpuRegisters } from './model.js';
import type { Reader } from './reader.js';
import { readWords, u64 } from './reading.js';
import type { RunQueue } from './run-queues.js';

/** GDT_ENTRY_CPUNODE: its limit holds the CPU in the low 12 bits. */
const CPU_NODE_AT = 15n * 8n;
const CPU_BITS = 0xfffn;

/** A vCPU that cannot be told is left out. */
export function cpusOfVcpus(
  reader: Reader,
  registers: readonly VcpuRegisters[],
  queues: readonly RunQueue[],
): Map<number, VcpuRegisters> {
  const byCpu = new Map<number, VcpuRegisters>();
  const rest: VcpuRegisters[] = [];
  for (const one of registers) {
    const cpu = byTable(reader.kernel, one) ?? byStack(reader, one, queues);
    if (cpu === null || byCpu.has(cpu)) rest.push(one);
    else byCpu.set(cpu, one);
  }
  for (const one of rest) {
    const cpu = byOrder(reader.kernel, one, registers, queues);
    if (cpu !== null && !byCpu.has(cpu)) byCpu.set(cpu, one);
  }
  return byCpu;
}

function byTable({ arch, space }: Kernel, { gdt }: VcpuRegisters): number | null {
  if (arch !== 'x86-64' || gdt === null) return null;
  const entry = readWords(space, gdt + CPU_NODE_AT, 8);
  return entry === null ? null : Number(entry.u64(0) & CPU_BITS);
}

/** The CPU on whose current task's stack it is: arm64 has no such table, and kdump does not note where it lies. */
function byStack(
  { kernel, layout, stackSize }: Reader,
  { gdt, general }: VcpuRegisters,
  queues: readonly RunQueue[],
): number | null {
  const sp = general['sp'];
  if (gdt !== null || sp === undefined) return null;
  const queue = queues.find(({ current }) => {
    const base = u64(kernel.space, current + BigInt(layout.stack));
    return base !== null && sp >= base && sp < base + BigInt(stackSize);
  });
  return queue?.cpu ?? null;
}

/**
 * QEMU and kernel count alike on arm64, unless CPUs were plugged in. kdump's notes are in the order of the CPUs that are
 * online, but one that did not answer has none.
 */
function byOrder(
  { arch }: Kernel,
  one: VcpuRegisters,
  registers: readonly VcpuRegisters[],
  queues: readonly RunQueue[],
): number | null {
  if (arch === 'arm64') return one.vcpu;
  if (one.gdt !== null || registers.length !== queues.length) return null;
  return queues[registers.indexOf(one)]?.cpu ?? null;
}
