/** The values that the parts of core/, and io/, hand to each other: evidence in, analysis out. */
export type * from './outside.js';

export interface Frame {
  /** Without offset; compiler suffixes (.isra.0 …) kept. */
  symbol: string;
  offset: number | null;
  size: number | null;
  module: string | null;
  /** False for frames the unwinder printed with `?`. */
  reliable: boolean;
  /** File and line, and those it was inlined into, where a vmlinux told. */
  source?: string;
}

export interface Task {
  comm: string;
  /** Null where a torn or missing header lost it. */
  pid: number | null;
  ppid: number | null;
  /** Letter as printed: R S D T t X Z P I; `?` where lost. */
  state: string;
  frames: Frame[];
  /** `Workqueue: NAME FUNC (about)` below the header; `about` names the device of a flusher. */
  workqueue: { name: string; func: string; about?: string } | null;
  /** Seconds that hung_task said, where it did. */
  blockedForSeconds: number | null;
  /** Context switches in its life, where the scheduler's table of the same dump tells. */
  switches?: number;
}

/** Which part of a log a dump came from. */
export type DumpKey =
  'w' | 't' | 'l' | 'm' | 'p' | 'd' | 'q' | 'hung_task' | 'rcu_stall' | 'lockup' | 'oops' | 'panic' | 'none';

export interface Dump {
  key: DumpKey;
  /** Both the header and the fence were seen, and nothing in between is known to be lost. */
  complete: boolean;
  incompleteBecause: string[];
  /** Lines fell out of its middle, which a second dump may have. */
  lossy?: true;
  /** Task headers that another writer's text had torn, and that were put together again. */
  mended?: number;
  tasks: Task[];
  /** Backtraces of CPUs (key l, stalls, lockups). */
  cpus: { cpu: number; comm: string | null; pid: number | null; idle: boolean; frames: Frame[] }[];
  /** Lockdep's table, each task's locks in the order in which it took them. */
  locks: ListedLock[];
  /** Busy workqueues, and worker pools under the name `pool N`. */
  workqueues: { name: string; lines: string[]; items?: WorkItem[]; /** of a pool */ hungSeconds?: number }[];
  /** The kernel's line that opened it, without its prefix. */
  headline?: string;
  /** Printk time of that line, where the log has one. */
  bootSeconds?: number;
  /** How many kernel starts the log shows before it. */
  boot?: number;
  /** hung_task's own words on who holds what (6.15+). */
  blockers?: Blocker[];
  /** Whom a stall or lockup report accuses. */
  stall?: Stall;
  onCpu?: OnCpu[];
  /** Lines inside the dump that are neither part of it nor known to come from others. */
  unplaced?: { lines: number; /** the first few */ examples: string[] };
}

/** What an RCU stall, a soft, hard or workqueue lockup says is stuck. */
export interface Stall {
  cpus: number[];
  /** Tasks that block a grace period, or the one that was on the CPU. */
  pids: number[];
  /** Null where the kernel counts in jiffies; those of an RCU grace period, and its number, follow. */
  seconds: number | null;
  jiffies?: number;
  gracePeriod?: number;
  /** CPUs among them that took no timer tick since it began. */
  tickless?: number[];
  /** The thread that ends grace periods could not run, and where it should have. */
  starved?: { comm: string; cpu: number | null; jiffies: number };
}

/** A task by the scheduler's table. A priority below 99 is real-time. */
interface ScheduledTask {
  comm: string;
  pid: number;
  priority: number;
  switches: number;
  ranMs: number;
}

/** One CPU of the scheduler's table, and how many others could run there. */
export interface OnCpu {
  cpu: number;
  running: ScheduledTask | null;
  /** The real-time task that has run most of those that wait there, as for an ordinary task's share of the CPU. */
  preempted?: ScheduledTask;
  waiting: number;
}

export interface ListedLock {
  pid: number;
  comm: string;
  /** As printed, perhaps hashed; empty before 4.15. */
  address: string;
  name: string;
  /** The function that took it, or waits for it. */
  at?: string;
  /** True: the task's stack waits for this lock. False: it holds it. Absent: the dump does not tell. */
  wanted?: boolean;
}

/** One work item of `Showing busy workqueues`. */
export interface WorkItem {
  state: 'in-flight' | 'pending' | 'inactive';
  func: string;
  /** The worker that runs it; null for one that waits for a worker. */
  pid: number | null;
  /** The number of the worker pool; null where the line that names it is lost. */
  pool: number | null;
  /** Tasks that wait for its end in flush_work. */
  flushers: number[];
  /** How long it has run, where the kernel tells. */
  seconds: number | null;
}

/** `INFO: task X:P is blocked on a mutex likely owned by task Y:Q.` */
export interface Blocker {
  waiter: { comm: string; pid: number };
  owner: { comm: string; pid: number };
  /** mutex, semaphore, rw-semaphore */
  lock: string;
}

export interface StackGroup {
  count: number;
  state: string;
  /** Function names with `[module]`, innermost first. */
  frames: string[];
  pids: number[];
  comms: string[];
  idle: boolean;
  /** Missing in incidents of older versions. */
  annotation?: Annotation;
  /** Of each frame, where a vmlinux told of any. */
  sources?: (string | null)[];
}

/** What one stack is, in the words of the kernel's sources. */
export interface Annotation {
  /** What it sleeps for; null where it is not known to sleep for anything. */
  wait: WaitKind | null;
  /** The function that names the place. */
  operation: string | null;
  /** The part of the kernel it belongs to: a filesystem, a layer, a module. */
  subject: string | null;
  /** How the kernel was entered: a syscall, `page fault`, `work FUNC`, `kthread FUNC`. */
  entry: string | null;
}

export const WAIT_KINDS = [
  ...(['mutex', 'rwsem', 'semaphore', 'spinlock'] as const),
  ...(['page', 'buffer', 'writeback', 'dirty-throttle', 'reclaim', 'io'] as const),
  ...(['block-tag', 'queue-freeze', 'block-io', 'fs-freeze', 'journal-commit', 'transaction'] as const),
  ...(['rcu', 'work', 'kthread', 'completion', 'firmware', 'poll-loop'] as const),
  ...(['fuse', '9p', 'nfs', 'smb', 'ceph'] as const),
  ...(['futex', 'pipe', 'socket', 'events', 'child', 'coredump'] as const),
  // Harmless: created and never woken, frozen, or asleep until there is work.
  ...(['never-run', 'frozen', 'idle'] as const),
] as const;
export type WaitKind = (typeof WAIT_KINDS)[number];

/** One edge of the wait-for graph; waiter and owner as `comm:pid`. */
export interface Wait {
  waiter: string;
  owner: string;
  /** The lock, or the work that is awaited. */
  through: string;
  confidence: Confidence;
  /** What says so, as a clause; missing in incidents of older versions. */
  reason?: string;
}

export type Confidence = 'high' | 'medium' | 'low';

export type VerdictClass =
  | 'blocked'
  | 'lock-chain'
  | 'deadlock'
  | 'waiting'
  | 'spinning'
  | 'starved'
  | 'userspace'
  | 'panicked'
  | 'paused'
  | 'qemu-stuck'
  | 'network-only'
  | 'none'
  | 'unknown';

export interface Verdict {
  /** One line, ready for a terminal: no control characters. */
  title: string;
  class: VerdictClass;
  /** The function that names the place; null where no stack does. */
  frame: string | null;
  confidence: Confidence;
  culprit: { comm: string; pid: number | null; state: string; frame: string } | null;
  reasons: string[];
  /** What the guest cannot know and was taken from outside. */
  inferred: string[];
}

export interface Analysis {
  schemaVersion: 1;
  verdict: Verdict;
  dumps: Dump[];
  groups: StackGroup[];
  waits: Wait[];
  fingerprint: string;
  fingerprintVersion: number;
}
