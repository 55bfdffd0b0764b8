/** Offsets of the scheduler's clocks, in tasks and run queues, learned from how they are ordered in time. */
import { count, firstOffset, half, type TaskFields } from './learn-tasks.js';
import { sampleAt, type Sample, type TaskSample, type TaskSamples } from './learn-sample.js';
import type { LearnedLayouts } from './learned-layouts.js';
import type { AddressSpace, Symbols } from './model.js';
import { bytesOf, textOf, u32, viewOf } from './reading.js';

/** Nanoseconds: the clock of tasks' births and that of the scheduler differ by the boot's first moments. */
const clocksDiffer = 3e8;
/** So long a CPU with tasks may not have looked at its clock. */
const clockLags = 1e10;
const exactly = 2 ** 53;
const mostCpus = 512;
const smallestRunQueue = 2048;
const runQueueLimit = 6144;
/** How far behind the pointer to the CPU's stopper the clocks of a run queue lie. */
const clocksWithin = 256;

interface RunClock {
  execStart: number;
  sum: number;
}

/** What must be true of a task's times; a coarse clock and a task that is switched just now may tell otherwise. */
const nearlyAll = (tasks: readonly TaskSample[], isTrue: (task: TaskSample) => boolean): boolean => {
  let wrong = 0;
  const allowed = tasks.length / 16;
  return tasks.every((task) => isTrue(task) || (wrong += 1) <= allowed);
};

/** When a task was last on a CPU, then how long it ran in all, and how long when it was last put on one. */
function runClock({ tasks }: TaskSamples, startTime: number, length: number): RunClock | null {
  const fits = (offset: number, before: number): boolean => {
    const different = new Set(tasks.map((task) => count(task, offset)));
    if (different.size * 2 < tasks.length) return false;
    return nearlyAll(tasks, (task) => {
      const last = count(task, offset);
      const sum = count(task, offset + 8);
      if (last > exactly || sum > exactly || count(task, offset + before) > sum) return false;
      if (last === 0) return sum === 0;
      const age = last - count(task, startTime);
      return age >= -clocksDiffer && sum <= age + 2 * clocksDiffer;
    });
  };
  const offset = firstOffset(64, length - 32, 8, (at) => fits(at, 16) || fits(at, 24));
  return offset === null ? null : { execStart: offset, sum: offset + 8 };
}

/** When a task came to a CPU the last time: before it left, by no more than it ran; and since when it waits for one. */
function lastArrival({ tasks }: TaskSamples, { execStart, sum }: RunClock, length: number): number | null {
  const ran = tasks.filter((task) => count(task, execStart) > 0);
  return firstOffset(sum + 24, length - 16, 8, (offset) => {
    if (ran.filter((task) => count(task, offset + 8) !== 0).length * 4 > ran.length) return false;
    return nearlyAll(ran, (task) => {
      const arrival = count(task, offset);
      const since = count(task, execStart) - arrival;
      const queued = count(task, offset + 8);
      if (arrival === 0 || (queued !== 0 && queued < arrival)) return false;
      return since >= -1e6 && since <= count(task, sum) + 1e6;
    });
  });
}

interface RunQueue extends Sample {
  cpu: number;
}

function runQueues(space: AddressSpace, symbols: Symbols): RunQueue[] {
  const offsets = symbols.address('__per_cpu_offset');
  const queues = symbols.address('runqueues');
  const ids = symbols.address('nr_cpu_ids');
  const online = symbols.address('__cpu_online_mask');
  if (offsets === null || queues === null || ids === null || online === null) return [];
  const cpus = Math.min(u32(space, ids) ?? 0, mostCpus);
  const table = bytesOf(space, offsets, cpus * 8, mostCpus * 8);
  const mask = bytesOf(space, online, Math.ceil(cpus / 8), mostCpus);
  if (table === null || mask === null) return [];
  const found: RunQueue[] = [];
  for (let cpu = 0; cpu < cpus; cpu += 1) {
    if (((mask[cpu >> 3] ?? 0) & (1 << (cpu & 7))) === 0) continue;
    const at = BigInt.asUintN(64, viewOf(table).getBigUint64(cpu * 8, true) + queues);
    const sample = sampleAt(space, at, smallestRunQueue, runQueueLimit);
    if (sample !== null) found.push({ ...sample, cpu });
  }
  return found;
}

interface CpuTasks {
  /** Offsets in a run queue. */
  curr: number;
  idle: number;
  stop: number;
}

/** The task of each CPU, behind it its idle task, behind that the thread that stops it. */
function cpuTasks(
  space: AddressSpace,
  { tasks, comm }: TaskSamples,
  queues: readonly RunQueue[],
): CpuTasks | null {
  const known = new Map(tasks.map((task) => [task.at, task.comm]));
  const taskAt = ({ view }: RunQueue, offset: number): string | null => {
    const at = view.getBigUint64(offset, true);
    if (at === 0n || at % 8n !== 0n) return null;
    return known.get(at) ?? textOf(space, at + BigInt(comm), 16);
  };
  const end = Math.min(...queues.map(({ length }) => length));
  const isNamed = (offset: number, name: string): boolean =>
    queues.every((queue) => taskAt(queue, offset) === `${name}/${queue.cpu}`);
  const isTask = (queue: RunQueue, offset: number): boolean =>
    known.has(queue.view.getBigUint64(offset, true)) || taskAt(queue, offset) === `swapper/${queue.cpu}`;
  const curr = firstOffset(0, end, 8, (offset) => queues.every((queue) => isTask(queue, offset)));
  const idle = curr === null ? null : firstOffset(curr + 8, end, 8, (offset) => isNamed(offset, 'swapper'));
  const stop = idle === null ? null : firstOffset(idle + 8, end, 8, (offset) => isNamed(offset, 'migration'));
  return curr === null || idle === null || stop === null ? null : { curr, idle, stop };
}

interface OnCpu {
  offset: number;
  size: 1 | 4;
}

/** Two words behind the flags: four bytes up to 6.12, one in 7.x with on_rq beside it. Those on a CPU prove it. */
function onCpu(
  space: AddressSpace,
  { tasks }: TaskSamples,
  flags: number,
  queues: readonly RunQueue[],
  { curr }: CpuTasks,
): OnCpu | null {
  const offset = flags + 8;
  const running = new Set(queues.map(({ view }) => view.getBigUint64(curr, true)));
  const theirs = [...running].map((at) => u32(space, at + BigInt(offset)) ?? 0);
  const others = tasks.filter(({ at }) => !running.has(at)).map((task) => half(task, offset));
  if (others.some((value) => (value & 0xff) !== 0) || theirs.some((value) => (value & 0xff) !== 1))
    return null;
  if (theirs.every((value) => value === 1)) return { offset, size: 4 };
  return theirs.every((value) => value >> 8 === 1) ? { offset, size: 1 } : null;
}

interface QueueClocks {
  clock: number;
  clockTask: number;
}

/** Clocks are at or behind the last run of every task of the CPU; that of tasks is followed by a scaled copy of it. */
function queueClocks(
  { tasks }: TaskSamples,
  { execStart }: RunClock,
  cpuOf: number,
  queues: readonly RunQueue[],
  { stop }: CpuTasks,
): QueueClocks | null {
  const lastRun = new Map<number, number>();
  for (const task of tasks) {
    const cpu = half(task, cpuOf);
    lastRun.set(cpu, Math.max(lastRun.get(cpu) ?? 0, count(task, execStart)));
  }
  const isClock = (offset: number): boolean =>
    queues.every((queue) => {
      const since = count(queue, offset) - (lastRun.get(queue.cpu) ?? 0);
      return since >= 0 && since < clockLags;
    });
  const end = Math.min(stop + clocksWithin, ...queues.map(({ length }) => length));
  const clockTask = firstOffset(stop, end - 8, 8, (offset) => {
    if (!isClock(offset)) return false;
    return queues.every((queue) => {
      const [own, scaled] = [count(queue, offset), count(queue, offset + 8)];
      return scaled <= own && scaled > own / 2;
    });
  });
  if (clockTask === null) return null;
  let clock = clockTask;
  const sumOf = (offset: number): number => queues.reduce((sum, queue) => sum + count(queue, offset), 0);
  for (let offset = stop; offset + 8 <= end; offset += 8) {
    if (!isClock(offset)) continue;
    if (queues.some((queue) => count(queue, offset) < count(queue, clockTask))) continue;
    if (sumOf(offset) > sumOf(clock)) clock = offset;
  }
  return { clock, clockTask };
}

function learnRunClock(
  samples: TaskSamples,
  startTime: number | null,
  layouts: LearnedLayouts,
): RunClock | null {
  const length = Math.min(samples.idle.length, ...samples.tasks.map((task) => task.length));
  const run = startTime === null ? null : runClock(samples, startTime, length);
  if (run === null) return null;
  const arrival = lastArrival(samples, run, length);
  layouts.add('task_struct', 'se.exec_start', run.execStart, 8);
  layouts.add('task_struct', 'se.sum_exec_runtime', run.sum, 8);
  layouts.add('task_struct', 'sched_info.last_arrival', arrival, 8);
  layouts.add('task_struct', 'sched_info.last_queued', arrival === null ? null : arrival + 8, 8);
  return run;
}

/** Needs what learnTasks learned, and per-CPU data by its symbols. */
export function learnClocks(
  space: AddressSpace,
  symbols: Symbols,
  samples: TaskSamples,
  { cpu, flags, startTime }: TaskFields,
  layouts: LearnedLayouts,
): void {
  const run = learnRunClock(samples, startTime, layouts);
  const queues = runQueues(space, symbols);
  const tasks = queues.length === 0 ? null : cpuTasks(space, samples, queues);
  if (tasks === null) return;
  layouts.add('rq', 'curr', tasks.curr, 8);
  layouts.add('rq', 'idle', tasks.idle, 8);
  const on = flags === null ? null : onCpu(space, samples, flags, queues, tasks);
  if (on !== null) layouts.add('task_struct', 'on_cpu', on.offset, on.size);
  const clocks = run === null || cpu === null ? null : queueClocks(samples, run, cpu, queues, tasks);
  if (clocks === null) return;
  layouts.add('rq', 'clock', clocks.clock, 8);
  layouts.add('rq', 'clock_task', clocks.clockTask, 8);
}
