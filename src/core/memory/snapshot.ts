/** All tasks of a guest with their stacks, and its CPUs, from its memory. */
import { Capturer, type Captured } from './capture.js';
import { guestTime } from './clock.js';
import { readCpus } from './cpus.js';
import { objectAt } from './known.js';
import type { Kernel, MemoryTask, Snapshot, VcpuRegisters } from './model.js';
import { readerOf, refresh, type Reader } from './reader.js';
import { readRunQueues, type RunQueue } from './run-queues.js';
import { memoryTask } from './task-stack.js';
import { walkTasks } from './tasks.js';
import { Words } from './reading.js';

/** Copies of stacks and frames of all tasks together: those of ten thousand real ones fit. */
const STACKS_MAX = 128 * 1024 * 1024;
const FRAMES_MAX = 400_000;
/** Over lists that do not close, of so many tasks at most. */
const WALKS = 3;
const WALKED_AGAIN_MAX = 10_000;

interface SnapshotOptions {
  /** Taken just before: without them nothing is known of what runs but its name. */
  registers: readonly VcpuRegisters[];
}

export function takeSnapshot(kernel: Kernel, options: SnapshotOptions): Snapshot {
  const reader = readerOf(kernel);
  if (reader === null) return emptySnapshot(kernel, 'the types of its tasks are not known');
  const doubts: (string | null)[] = [refresh(reader)];
  const { queues, captured, broken } = captureAll(reader);
  doubts.push(broken);
  const time = guestTime(
    queues,
    captured.map(({ raw }) => raw.execStart),
  );
  const tasks = unwindAll(reader, captured, time, doubts);
  const cpus = readCpus(reader, { queues, registers: options.registers, tasks, time });
  doubts.push(...tornDoubts(tasks));
  const incompleteBecause = doubts.filter((doubt) => doubt !== null);
  return {
    kernel,
    complete: incompleteBecause.length === 0,
    incompleteBecause,
    clock: time.now,
    tasks,
    cpus,
  };
}

interface Walked {
  queues: RunQueue[];
  captured: Captured[];
  broken: string | null;
}

/** A task that ends while a busy host lets this process wait may take the way to the others with it: then once more. */
function captureAll(reader: Reader): Walked {
  let longest: Walked | null = null;
  for (let walks = 1; ; walks++) {
    const walked = captureOnce(reader);
    if (longest === null || walked.broken === null || walked.captured.length > longest.captured.length)
      longest = walked;
    if (walked.broken === null || walks === WALKS || walked.captured.length > WALKED_AGAIN_MAX)
      return longest;
    reader.kernel.space.forget();
  }
}

function captureOnce(reader: Reader): Walked {
  const { kernel, layout } = reader;
  const queues = readRunQueues(kernel);
  const captured: Captured[] = [];
  const capturer = new Capturer(reader, STACKS_MAX);
  const broken = walkTasks({ kernel, layout, span: layout.span }, (address, words) => {
    captured.push(capturer.capture(address, words));
  });
  return { queues, captured, broken };
}

function emptySnapshot(kernel: Kernel, why: string): Snapshot {
  return { kernel, complete: false, incompleteBecause: [why], clock: 0, tasks: [], cpus: [] };
}

function unwindAll(
  reader: Reader,
  captured: readonly Captured[],
  time: ReturnType<typeof guestTime>,
  doubts: (string | null)[],
): MemoryTask[] {
  const pids = new Map(captured.map(({ raw }) => [raw.address, raw.pid]));
  const init = objectAt(reader.kernel, 'init_task');
  if (init !== null) pids.set(init, 0);
  const tasks: MemoryTask[] = [];
  let frames = 0;
  for (const one of captured) {
    const { raw } = one;
    const room = frames < FRAMES_MAX;
    const ppid = raw.dead ? 0 : (pids.get(raw.parent) ?? null);
    const task = memoryTask(reader, room ? one : { ...one, stack: null }, time, ppid);
    frames += task.frames.length;
    tasks.push(task);
  }
  if (frames >= FRAMES_MAX) doubts.push(`only the first ${FRAMES_MAX} frames were read`);
  return tasks;
}

function tornDoubts(tasks: readonly MemoryTask[]): string[] {
  const torn = tasks.filter((task) => task.torn).length;
  const broken = tasks.filter(({ end, torn: ran, onCpu }) => !end.proper && !ran && !onCpu).length;
  const moved = tasks.filter(({ end, onCpu }) => !end.proper && onCpu).length;
  const count = (n: number, one: string, many: string) =>
    n === 0 ? [] : [n === 1 ? `1 ${one}` : `${n} ${many}`];
  return [
    ...count(torn, 'task ran while it was read', 'tasks ran while they were read'),
    ...count(broken, 'stack has no proper end', 'stacks have no proper end'),
    ...count(moved, 'task runs, and its stack is not sure', 'tasks run, and their stacks are not sure'),
  ];
}

/** Tasks by the addresses of their struct task_struct; one that cannot be read is left out. `clock`: what time it is at least. */
export function stacksOf(kernel: Kernel, addresses: readonly bigint[], clock = 0): MemoryTask[] {
  const reader = readerOf(kernel);
  if (reader === null) return [];
  refresh(reader);
  const queues = readRunQueues(kernel);
  return addresses.flatMap((address) => {
    const words = new Words(reader.layout.span);
    if (!kernel.space.read(address, words.bytes)) return [];
    const captured = new Capturer(reader, reader.stackSize * 3).capture(address, words);
    const time = guestTime(queues, [captured.raw.execStart, clock * 1e9]);
    return [memoryTask(reader, captured, time, parentPid(reader, captured))];
  });
}

function parentPid({ kernel, layout }: Reader, { raw }: Captured): number | null {
  if (raw.dead) return 0;
  const pid = new Words(4);
  return raw.parent !== 0n && kernel.space.read(raw.parent + BigInt(layout.pid), pid.bytes)
    ? pid.u32(0)
    : null;
}
