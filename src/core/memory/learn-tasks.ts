/** Offsets in task_struct, learned from what is true of all tasks of any kernel. */
import { type Sample, type TaskSample, type TaskSamples } from './learn-sample.js';
import { listSize, type LearnedLayouts } from './learned-layouts.js';
import type { AddressSpace, Kernel } from './model.js';
import { isKernelAddress, counterAt, u64 } from './reading.js';

const stackSize = 0x4000n;
/** PF_KTHREAD, SIGCHLD */
const kernelThreadFlag = 0x20_0000;
const childSignal = 17;
/** Nanoseconds between a task's birth by the clock and its place in the list. */
const forkTakes = 1e9;
/** Threads of the kernel that belong to one CPU carry its number. */
const perCpuThread = /^(?:migration|cpuhp|ksoftirqd)\/(\d{1,4})$/;
const kernelWorkers = /^(?:kworker|ksoftirqd|migration|cpuhp|rcu)/;

export const word = (sample: Sample, offset: number): bigint => sample.view.getBigUint64(offset, true);
export const half = (sample: Sample, offset: number): number => sample.view.getUint32(offset, true);
export const count = (sample: Sample, offset: number): number => counterAt(sample.view, offset);

/** The first offset of a range that `fits`, in steps of its size. */
export function firstOffset(
  from: number,
  to: number,
  step: number,
  fits: (offset: number) => boolean,
): number | null {
  for (let offset = from; offset + 8 <= to; offset += step) if (fits(offset)) return offset;
  return null;
}

class TaskLearner {
  readonly length: number;
  private readonly all: readonly TaskSample[];

  constructor(
    private readonly space: AddressSpace,
    private readonly samples: TaskSamples,
    private readonly arch: Kernel['arch'],
  ) {
    this.all = samples.tasks;
    this.length = Math.min(samples.idle.length, ...samples.tasks.map((task) => task.length));
  }

  /** Process and thread group number: 0, 1 and 2 are known; both are the same for all that the list names. */
  pid(): number | null {
    const { idle, init, kthreadd } = this.samples;
    const known: [Sample, number][] = [
      [idle, 0],
      [init, 1],
      [kthreadd, 2],
    ];
    return firstOffset(0, this.length, 4, (offset) => {
      if (!known.every(([task, pid]) => half(task, offset) === pid && half(task, offset + 4) === pid))
        return false;
      const pids = new Set(this.all.map((task) => half(task, offset)));
      return (
        pids.size === this.all.length &&
        this.all.every((task) => half(task, offset) === half(task, offset + 4))
      );
    });
  }

  /** Aligned to its size, and each task's own; zombies have none. */
  stack(): number | null {
    return firstOffset(0, 512, 8, (offset) => {
      const stacks = this.all.map((task) => word(task, offset)).filter((stack) => stack !== 0n);
      const isAligned = stacks.every((stack) => isKernelAddress(stack) && stack % stackSize === 0n);
      return isAligned && stacks.length * 2 > this.all.length && new Set(stacks).size === stacks.length;
    });
  }

  /** Where tasks that are off the CPU keep their stack pointer: x86 thread.sp, arm64 thread.cpu_context.sp. */
  stackPointer(stack: number): number | null {
    const inStack = (task: TaskSample, offset: number): boolean => {
      const from = word(task, stack);
      const value = word(task, offset);
      return from !== 0n && value >= from && value < from + stackSize;
    };
    let best = { offset: null as number | null, hits: Math.floor(this.all.length / 2) };
    for (let offset = stack + 8; offset + 16 <= this.length; offset += 8) {
      const hits = this.all.filter(
        (task) => inStack(task, offset) && (this.arch === 'x86-64' || inStack(task, offset - 8)),
      ).length;
      if (hits > best.hits) best = { offset, hits };
    }
    return best.offset;
  }

  /** All threads of the kernel have the flag, and init has not. */
  flags(stack: number): number | null {
    const { idle, init, kthreadd } = this.samples;
    const has = (task: Sample, offset: number): boolean => (half(task, offset) & kernelThreadFlag) !== 0;
    const workers = this.all.filter(({ comm }) => kernelWorkers.test(comm));
    return firstOffset(stack + 8, stack + 72, 4, (offset) => {
      return !has(init, offset) && [idle, kthreadd, ...workers].every((task) => has(task, offset));
    });
  }

  /** The lowest place that carries the number of the CPU that per-CPU threads have in their names. */
  cpu(): number | null {
    const named = this.all.flatMap((task) => {
      const [, cpu] = perCpuThread.exec(task.comm) ?? [];
      return cpu === undefined ? [] : [{ task, cpu: Number(cpu) }];
    });
    const cpus = new Set(named.map(({ cpu }) => cpu)).size;
    // With one CPU it is 0, as most of a task is.
    if (cpus < 2) return null;
    return firstOffset(0, this.length, 4, (offset) => {
      if (!named.every(({ task, cpu }) => half(task, offset) === cpu)) return false;
      return half(this.samples.idle, offset) === 0 && this.all.every((task) => half(task, offset) < 8192);
    });
  }

  /** signal_struct begins with three counts, and its list of threads leads back to the only one. */
  signal(): { signal: number; threadNode: number } | null {
    const votes = new Map<string, { signal: number; threadNode: number; votes: number }>();
    for (const task of this.all.slice(0, 60)) {
      for (let signal = 0; signal + 8 <= this.length; signal += 8) {
        const at = word(task, signal);
        if (!isKernelAddress(at) || at % 8n !== 0n || this.isWithin(task, at)) continue;
        const node = u64(this.space, at + 16n);
        if (node === null || !this.isWithin(task, node)) continue;
        const threadNode = Number(node - task.at);
        if (threadNode % 8 !== 0 || word(task, threadNode) !== at + 16n) continue;
        const key = `${signal} ${threadNode}`;
        const vote = votes.get(key) ?? { signal, threadNode, votes: 0 };
        vote.votes += 1;
        votes.set(key, vote);
      }
    }
    const [best, second] = [...votes.values()].sort((a, b) => b.votes - a.votes);
    return best === undefined || best.votes < 5 || best.votes === second?.votes ? null : best;
  }

  /** Of the kernel's workers it is kthreadd; of kthreadd and init it is the idle task. */
  realParent(): number | null {
    const { idle, init, kthreadd } = this.samples;
    const workers = this.all.filter((task) => task !== kthreadd && kernelWorkers.test(task.comm));
    return firstOffset(0, this.length, 8, (offset) => {
      if (word(init, offset) !== idle.at || word(kthreadd, offset) !== idle.at) return false;
      return workers.every((task) => word(task, offset) === kthreadd.at);
    });
  }

  /** Kernel threads have none; of others it is twice there, as what they run on. */
  memory(flags: number): number | null {
    const isThread = (task: Sample): boolean => (half(task, flags) & kernelThreadFlag) !== 0;
    return firstOffset(0, this.length - 8, 8, (offset) => {
      const own = word(this.samples.init, offset);
      if (!isKernelAddress(own)) return false;
      return this.all.every((task) => {
        const memory = word(task, offset);
        if (isThread(task) || memory === 0n) return memory === 0n;
        return memory === word(task, offset + 8);
      });
    });
  }

  /** Two words before the signal that a parent gets: SIGCHLD for all that were forked, but for the first ones. */
  exitState(): number | null {
    const { idle, kthreadd } = this.samples;
    const isExit = (state: number): boolean => state === 0 || state === 16 || state === 32 || state === 48;
    const signal = firstOffset(8, this.length, 4, (offset) => {
      if (half(idle, offset) !== 0 || half(kthreadd, offset) !== 0) return false;
      const children = this.all.filter((task) => half(task, offset) === childSignal);
      if (children.length * 10 < (this.all.length - 2) * 9) return false;
      return this.all.every((task) => isExit(half(task, offset - 8)));
    });
    return signal === null ? null : signal - 8;
  }

  /** When it began, twice: by the monotonic clock, and with the time of sleep. The list is in that order. */
  startTime(): number | null {
    return firstOffset(16, this.length - 8, 8, (offset) => {
      let last = 0;
      for (const task of this.all) {
        const start = count(task, offset);
        const later = count(task, offset + 8) - start;
        if (start < last - forkTakes || later < 0 || later > 1e7 || start > 2 ** 53) return false;
        last = Math.max(last, start);
      }
      const switches = this.all.every(
        (task) => count(task, offset - 16) < 2 ** 40 && count(task, offset - 8) < 2 ** 40,
      );
      return last > 1e8 && switches && this.all.some((task) => count(task, offset - 16) > 0);
    });
  }

  private isWithin(task: Sample, at: bigint): boolean {
    return at >= task.at && at < task.at + BigInt(this.length);
  }
}

export interface TaskFields {
  cpu: number | null;
  flags: number | null;
  startTime: number | null;
}

function addStack(
  learner: TaskLearner,
  arch: Kernel['arch'],
  layouts: LearnedLayouts,
  isNew: boolean,
): number | null {
  const stack = learner.stack();
  if (stack === null) return null;
  layouts.add('task_struct', 'stack', stack, 8);
  layouts.add('task_struct', isNew ? '__state' : 'state', stack - 8, isNew ? 4 : 8);
  const pointer = learner.stackPointer(stack);
  if (arch === 'x86-64') layouts.add('task_struct', 'thread.sp', pointer, 8);
  else if (pointer !== null) {
    layouts.add('task_struct', 'thread.cpu_context.fp', pointer - 8, 8);
    layouts.add('task_struct', 'thread.cpu_context.sp', pointer, 8);
    layouts.add('task_struct', 'thread.cpu_context.pc', pointer + 8, 8);
  }
  return learner.flags(stack);
}

/** `isNew`: since 5.14 the state has four bytes and another name. Null where not even the list of tasks fits together. */
export function learnTasks(
  space: AddressSpace,
  samples: TaskSamples,
  arch: Kernel['arch'],
  isNew: boolean,
  layouts: LearnedLayouts,
): TaskFields | null {
  const learner = new TaskLearner(space, samples, arch);
  const add = (path: string, offset: number | null, size: number): void =>
    layouts.add('task_struct', path, offset, size);
  const pid = learner.pid();
  if (pid === null) return null;
  add('comm', samples.comm, 16);
  add('tasks', samples.list, listSize);
  add('thread_info.flags', 0, 8);
  add('pid', pid, 4);
  add('tgid', pid + 4, 4);
  const flags = addStack(learner, arch, layouts, isNew);
  add('flags', flags, 4);
  const cpu = learner.cpu();
  add('thread_info.cpu', cpu, 4);
  const signal = learner.signal();
  add('signal', signal?.signal ?? null, 8);
  add('thread_node', signal?.threadNode ?? null, listSize);
  layouts.add('signal_struct', 'thread_head', signal === null ? null : 16, listSize);
  add('real_parent', learner.realParent(), 8);
  add('mm', flags === null ? null : learner.memory(flags), 8);
  add('exit_state', learner.exitState(), 4);
  const startTime = learner.startTime();
  add('start_time', startTime, 8);
  add('nvcsw', startTime === null ? null : startTime - 16, 8);
  add('nivcsw', startTime === null ? null : startTime - 8, 8);
  return { cpu, flags, startTime };
}
