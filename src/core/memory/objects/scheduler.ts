/** Who runs on each CPU, and who waits there: what SysRq-t prints as the scheduler's table. */
import type { Dump } from '../../model.js';
import { commOf } from '../comm.js';
import type { MemoryTask, Snapshot } from '../model.js';
import { objectLayout } from './layout.js';
import type { Pointers } from './pointers.js';

type OnCpu = NonNullable<Dump['onCpu']>[number];
type Scheduled = NonNullable<OnCpu['running']>;

/** Priorities below are real-time ones, and deadlines below 0. */
const REAL_TIME = 99;
const MS = 1e6;

/** Empty where the structures are not known. */
export function schedulerOf({ kernel, cpus, tasks }: Snapshot, pointers: Pointers): OnCpu[] {
  const at = objectLayout(kernel).scheduled;
  if (!at) return [];
  const scheduled = (task: MemoryTask): Scheduled | null => {
    const priority = pointers.u32(task.address + at.priority);
    const ran = pointers.counter(task.address + at.ran);
    if (priority === null || ran === null) return null;
    return {
      comm: commOf(task),
      pid: task.pid,
      priority: priority | 0,
      switches: task.switches,
      ranMs: Math.round(ran / MS),
    };
  };
  const queued = tasks.filter((task) => task.queued && !task.onCpu);
  return cpus.map(({ cpu, task, idle }): OnCpu => {
    const here = queued.filter((other) => other.cpu === cpu);
    const preempted = here
      .flatMap((other) => scheduled(other) ?? [])
      .filter(({ priority }) => priority < REAL_TIME)
      .sort((a, b) => b.ranMs - a.ranMs)[0];
    return {
      cpu,
      running: task && !idle ? scheduled(task) : null,
      ...(preempted ? { preempted } : {}),
      waiting: here.length,
    };
  });
}

/** For how long a task has been on its CPU, by when it came there; null where that is not known. */
export function arrivedAgo(task: MemoryTask, { kernel, clock }: Snapshot, pointers: Pointers): number | null {
  const at = objectLayout(kernel).arrival;
  const since = at === null ? null : pointers.counter(task.address + at);
  return since === null || since === 0 || since / 1e9 > clock ? null : clock - since / 1e9;
}
