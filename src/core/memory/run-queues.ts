/** The scheduler's per-CPU state: who runs where, and its clocks. */
import { allKnown, objectAt } from './known.js';
import type { Kernel } from './model.js';
import { isKernelAddress, readWords, Words } from './reading.js';

export interface RunQueue {
  cpu: number;
  /** struct task_struct */
  current: bigint;
  idle: bigint;
  /** Nanoseconds; clock_task lacks what interrupts took, where the kernel counts that. Null where types do not tell. */
  clock: number | null;
  clockTask: number | null;
}

const CPUS_MAX = 8192;
const SPAN_MAX = 64 * 1024;

/** Of each CPU that is online; empty where the run queues cannot be found, or their types are not known. */
export function readRunQueues(kernel: Kernel): RunQueue[] {
  const found = allKnown({
    offsets: objectAt(kernel, '__per_cpu_offset'),
    queues: objectAt(kernel, 'runqueues'),
  });
  const layout = queueLayout(kernel);
  if (found === null || layout === null) return [];
  const { offsets, queues } = found;
  const count = cpuCount(kernel);
  const table = readWords(kernel.space, offsets, count * 8);
  if (table === null) return [];
  const mask = objectAt(kernel, '__cpu_online_mask');
  const online = new Uint8Array(Math.ceil(count / 64) * 8);
  const known = mask !== null && kernel.space.read(mask, online);
  const words = new Words(layout.span);
  const all: RunQueue[] = [];
  for (let cpu = 0; cpu < count; cpu++) {
    if (known && ((online[cpu >> 3] ?? 0) & (1 << (cpu & 7))) === 0) continue;
    const address = BigInt.asUintN(64, table.u64(cpu * 8) + queues);
    if (!isKernelAddress(address) || !kernel.space.read(address, words.bytes)) continue;
    all.push({
      cpu,
      current: words.u64(layout.current),
      idle: words.u64(layout.idle),
      clock: layout.clock === null ? null : words.counter(layout.clock),
      clockTask: layout.clockTask === null ? null : words.counter(layout.clockTask),
    });
  }
  return all;
}

function cpuCount(kernel: Kernel): number {
  const at = objectAt(kernel, 'nr_cpu_ids');
  const count = at === null ? 0 : (readWords(kernel.space, at, 4)?.u32(0) ?? 0);
  return Math.min(Math.max(count, 1), CPUS_MAX);
}

function queueLayout({ layouts }: Kernel) {
  const tasks = allKnown({ current: layouts.offset('rq', 'curr'), idle: layouts.offset('rq', 'idle') });
  if (tasks === null) return null;
  const clocks = { clock: layouts.offset('rq', 'clock'), clockTask: layouts.offset('rq', 'clock_task') };
  const span = Math.max(tasks.current, tasks.idle, clocks.clock ?? 0, clocks.clockTask ?? 0) + 8;
  return span > SPAN_MAX ? null : { ...tasks, ...clocks, span };
}
