/** A snapshot of a guest's memory as a dump, in the form in which all dumps are judged and kept. */
import type { Dump, Frame, RamWay, Task } from '../model.js';
import { printable } from '../printable.js';
import { commOf } from './comm.js';
import type { MemoryCpu, MemoryFrame, MemoryTask, Snapshot, StackEnd } from './model.js';
import { arrivedAgo, schedulerOf } from './objects/scheduler.js';
import { Waits } from './objects/waits.js';

const REASONS_MAX = 20;
const REASON_MAX = 200;
const RELEASE_MAX = 64;
const FRAMES_MAX = 512;
const ARGUMENTS = 6;
const SYMBOL = /^[A-Za-z_.$][\w.$]{0,199}$/;
const MODULE = /^[\w-]{1,64}$/;
/** SYS_futex of each architecture. */
const FUTEX = { 'x86-64': 202, arm64: 98 };
const U32 = 0xffffffffn;

/** Key `memory`. Nothing is thrown: what cannot be read is left out. `way`: how its RAM was read. */
export function memoryDump(snapshot: Snapshot, way?: RamWay): Dump {
  const { kernel, cpus, tasks } = snapshot;
  const waits = new Waits(snapshot);
  const running = new Map(cpus.flatMap((cpu) => (cpu.task ? [[cpu.task.address, cpu] as const] : [])));
  const onCpu = schedulerOf(snapshot, waits.pointers);
  const release = printable(kernel.release, RELEASE_MAX);
  const clock = rounded(snapshot.clock);
  const shownTasks = tasks.map((task) => ({
    ...shown(task, running.get(task.address)),
    workqueue: waits.workOf(task),
    ...timesOf(task, snapshot, waits),
    ...asked(task, snapshot),
    ...waits.of(task),
    ...doubtOf(task),
    ...readOf(task, running.get(task.address)),
  }));
  return {
    key: 'memory',
    ...completeness(snapshot, waits.doubt),
    tasks: shownTasks,
    cpus: cpus.map(cpuOf),
    locks: [],
    workqueues: [],
    headline: `Tasks from memory: Linux ${release}`,
    bootSeconds: clock,
    boot: 0,
    ...(onCpu.length === 0 ? {} : { onCpu }),
    memory: {
      release,
      buildId: kernel.buildId,
      clock,
      how: kernel.how,
      ...(way === undefined ? {} : { way }),
    },
  };
}

function completeness(
  { complete, incompleteBecause }: Snapshot,
  doubt: string | null,
): Pick<Dump, 'complete' | 'incompleteBecause'> {
  const because = incompleteBecause.slice(0, REASONS_MAX).map((why) => printable(why, REASON_MAX));
  if (doubt !== null) because.push(doubt);
  if (!complete && because.length === 0) because.push('the snapshot is not whole');
  return { complete: because.length === 0, incompleteBecause: because };
}

/** As SysRq-t shows it; the stack of one on a CPU is by the registers of that. */
function shown(task: MemoryTask, on: MemoryCpu | undefined): Omit<Task, 'workqueue'> {
  const { frames } = stackOf(task, on);
  const { pid, ppid, tgid, state, switches } = task;
  return {
    comm: commOf(task),
    pid,
    ppid,
    tgid,
    state,
    switches,
    frames: framesOf(frames),
    blockedForSeconds: null,
  };
}

const stackOf = (task: MemoryTask, on: MemoryCpu | undefined): Pick<MemoryTask, 'frames' | 'end'> =>
  task.onCpu && task.frames.length === 0 && on ? on : task;

function timesOf(
  task: MemoryTask,
  snapshot: Snapshot,
  waits: Waits,
): Pick<Task, 'cpu' | 'onCpu' | 'queued' | 'onCpuSeconds' | 'offCpuSeconds'> {
  const { onCpu, queued, cpu, offCpuSeconds } = task;
  const on = cpu !== null && (onCpu || queued) ? { cpu } : {};
  if (onCpu) {
    const seconds = arrivedAgo(task, snapshot, waits.pointers);
    return { ...on, onCpu, ...(seconds === null ? {} : { onCpuSeconds: rounded(seconds) }) };
  }
  return {
    ...on,
    ...(queued ? { queued } : {}),
    ...(offCpuSeconds === null ? {} : { offCpuSeconds: rounded(offCpuSeconds) }),
  };
}

/** What it asked of the kernel. */
function asked({ syscall }: MemoryTask, { kernel }: Snapshot): Pick<Task, 'syscall' | 'futex'> {
  if (!syscall) return {};
  const { number, args } = syscall;
  const [address, operation, value] = args;
  const told = { syscall: { number, args: args.slice(0, ARGUMENTS).map(hex) } };
  if (
    number !== FUTEX[kernel.arch] ||
    address === undefined ||
    operation === undefined ||
    value === undefined
  )
    return told;
  return {
    ...told,
    futex: { address: hex(address), operation: Number(operation & U32), value: Number(value & U32) },
  };
}

function doubtOf({ torn, end, frames, onCpu }: MemoryTask): Pick<Task, 'doubt'> {
  const stray = frames.findIndex(({ called }) => called === false);
  if (torn) return { doubt: 'it ran while it was read' };
  if (stray >= 0) return { doubt: `no call leads to its frame ${stray}` };
  return end.proper || onCpu || frames.length === 0
    ? {}
    : { doubt: `its stack ends early: ${printable(end.why, REASON_MAX)}` };
}

function readOf(task: MemoryTask, on: MemoryCpu | undefined): Pick<Task, 'stackRead'> {
  const { frames, end } = stackOf(task, on);
  return stackRead(frames, end, task);
}

/** Nothing where nothing is to be said against it. */
function stackRead(
  frames: readonly MemoryFrame[],
  { proper, why }: StackEnd,
  { tries, torn }: Pick<MemoryTask, 'tries' | 'torn'>,
): Pick<Task, 'stackRead'> {
  const shownFrames = frames.slice(0, FRAMES_MAX);
  const uncalled = shownFrames.flatMap(({ called }, index) => (called === false ? [index] : []));
  const endsEarly = proper ? null : printable(why, REASON_MAX);
  const isSure = tries === 1 && uncalled.length === 0 && endsEarly === null;
  return isSure || (frames.length === 0 && !torn) ? {} : { stackRead: { tries, torn, uncalled, endsEarly } };
}

const ONCE = { tries: 1, torn: false };

function cpuOf({ cpu, task, idle, user, interruptsOff, frames, end }: MemoryCpu): Dump['cpus'][number] {
  const on = idle
    ? { comm: `swapper/${cpu}`, pid: 0 }
    : { comm: task && commOf(task), pid: task?.pid ?? null };
  return {
    cpu,
    ...on,
    idle,
    frames: framesOf(frames),
    ...(user === null ? {} : { user }),
    ...(interruptsOff === null ? {} : { interruptsOff }),
    ...stackRead(frames, end, ONCE),
  };
}

/** Names come from the guest: what no symbol can be is none. */
const framesOf = (frames: readonly MemoryFrame[]): Frame[] =>
  frames.slice(0, FRAMES_MAX).map(({ symbol, offset, size, module, reliable }) => {
    const known = SYMBOL.test(symbol) && offset !== null && size !== null;
    return {
      symbol: known ? symbol : UNKNOWN,
      offset: known ? offset : null,
      size: known ? size : null,
      module: module !== null && MODULE.test(module) ? module : null,
      reliable: reliable && known,
    };
  });

/** An address that no symbol holds. */
const UNKNOWN = '0x0';

const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;

/** To the millisecond, as memory.txt shows it. */
const rounded = (seconds: number): number => Math.max(0, Math.round(seconds * 1000) / 1000);
