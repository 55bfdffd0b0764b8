/** The lists of processes and their threads, in the order of SysRq. */
import { objectAt } from './known.js';
import type { Kernel } from './model.js';
import { COMM_MAX, type TaskLayout } from './task-layout.js';
import { isKernelAddress, readWords, Words } from './reading.js';

/** What one read of a task says. */
export interface RawTask {
  address: bigint;
  comm: string;
  pid: number;
  tgid: number;
  /** As SysRq prints it. */
  state: string;
  stack: bigint;
  sp: bigint;
  fp: bigint;
  pc: bigint;
  parent: bigint;
  /** EXIT_DEAD: it has no parent any more. */
  dead: boolean;
  flags: number;
  cpu: number | null;
  onCpu: boolean;
  onRq: boolean;
  /** Nanoseconds of its run queue's clock_task; 0 for one that never ran. */
  execStart: number | null;
  lastQueued: number | null;
  switches: number;
  blocker: bigint | null;
  blockedOn: bigint | null;
}

const TASKS_MAX = 50_000;
/** PID_MAX_LIMIT of 64-bit kernels. */
const PID_MAX = 4 * 1024 * 1024;

/** Why a list did not close, or null. `each` is called with the task's words, which the next one overwrites. */
export function walkTasks(
  { kernel, layout, span }: { kernel: Kernel; layout: TaskLayout; span: number },
  each: (address: bigint, words: Words) => void,
): string | null {
  const init = objectAt(kernel, 'init_task');
  if (init === null) return 'the first task was not found';
  const words = new Words(span);
  const seen = new Set<bigint>([init]);
  const visit = (address: bigint): string | null => {
    if (!isKernelAddress(address)) return 'leads nowhere';
    if (seen.has(address)) return 'leads in a circle';
    if (seen.size > TASKS_MAX) return `is longer than ${TASKS_MAX}`;
    seen.add(address);
    if (!kernel.space.read(address, words.bytes)) return 'leads nowhere';
    const pid = words.u32(layout.pid);
    if (pid === 0 || pid > PID_MAX) return 'leads to what is no task';
    each(address, words);
    return null;
  };
  const first = readWords(kernel.space, init + BigInt(layout.tasks), 8);
  if (first === null) return 'the first task cannot be read';
  let broken: string | null = null;
  let next = first.u64(0) - BigInt(layout.tasks);
  while (next !== init) {
    const why = visit(next);
    if (why !== null) return `the list of processes ${why}`;
    const after = words.u64(layout.tasks) - BigInt(layout.tasks);
    const threads = walkThreads(layout, words, visit);
    // One process's threads may be torn, and the list of processes whole.
    if (threads !== null) broken ??= `the list of threads of PID ${threads}`;
    next = after;
  }
  return broken;
}

function walkThreads(
  { threads, pid }: TaskLayout,
  words: Words,
  visit: (address: bigint) => string | null,
): string | null {
  if (threads === null) return null;
  const leaderPid = words.u32(pid);
  const node = BigInt(threads.node);
  const head = words.u64(threads.signal) + BigInt(threads.head);
  let next = words.u64(threads.node);
  while (next !== head) {
    const why = visit(next - node);
    if (why !== null) return `${leaderPid} ${why}`;
    next = words.u64(threads.node);
  }
  return null;
}

/** The words must hold `layout.span` bytes. */
export function decodeTask(layout: TaskLayout, words: Words, address: bigint): RawTask {
  const pointer = (at: number | null) => (at === null ? 0n : words.u64(at));
  const number = (at: number | null) => (at === null ? null : words.counter(at));
  const member = (one: TaskLayout['onCpu']) => one !== null && words.integer(one.at, one.size) !== 0;
  const cpu = layout.cpu === null ? null : words.u32(layout.cpu);
  const exit = layout.exitState === null ? 0 : words.u32(layout.exitState);
  const pid = words.u32(layout.pid);
  return {
    address,
    pid,
    cpu,
    comm: words.string(layout.comm, COMM_MAX),
    tgid: layout.tgid === null ? pid : words.u32(layout.tgid),
    state: stateLetter(words.u32(layout.state), layout.exitState === null ? null : exit),
    stack: pointer(layout.stack),
    sp: pointer(layout.sp),
    fp: pointer(layout.fp),
    pc: pointer(layout.pc),
    parent: pointer(layout.parent),
    dead: (exit & EXIT_DEAD) !== 0,
    flags: layout.flags === null ? 0 : words.u32(layout.flags),
    onCpu: member(layout.onCpu),
    // 2: it is being moved to another CPU.
    onRq: member(layout.onRq),
    execStart: number(layout.execStart),
    lastQueued: number(layout.lastQueued),
    switches: switchesOf(layout, words),
    blocker: layout.blocker === null ? null : words.u64(layout.blocker),
    blockedOn: layout.blockedOn === null ? null : words.u64(layout.blockedOn),
  };
}

export function switchesOf({ switches }: TaskLayout, words: Words): number {
  return switches === null ? 0 : words.counter(switches.voluntary) + words.counter(switches.forced);
}

const EXIT_DEAD = 0x10;
const TASK_DEAD = 0x80;
const TASK_REPORT = 0x7f;
/** TASK_UNINTERRUPTIBLE with TASK_NOLOAD. */
const TASK_IDLE = 0x402;
/** TASK_RTLOCK_WAIT and TASK_FROZEN are shown as D. */
const SHOWN_AS_D = 0x1000 | 0x8000;
const LETTERS = 'RSDTtXZPI';

/** include/linux/sched.h, task_state_index. `exit`: exit_state, null where it is not known. */
export function stateLetter(state: number, exit: number | null): string {
  if ((state & SHOWN_AS_D) !== 0) return 'D';
  if ((state & TASK_IDLE) === TASK_IDLE) return 'I';
  if (exit === null && (state & TASK_DEAD) !== 0) return 'Z';
  const shown = (state | (exit ?? 0)) & TASK_REPORT;
  return LETTERS.charAt(32 - Math.clz32(shown));
}
