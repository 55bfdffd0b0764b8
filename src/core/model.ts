/** The values that cross the border between core/ and io/: evidence in, analysis out. */
import { SERVER_KINDS } from './analysis/subsystems.js';
import type { OnCpu } from './dump/on-cpu.js';
import type { Stall } from './dump/stall.js';
import type { CpuSample } from './qmp/registers.js';
import type { SshWay } from './ssh/config.js';

export type { OnCpu };

/** Letters and digits of Alt+SysRq that wedgewatch can express. The destructive ones are not in the type. */
export type SysrqKey = 'h' | DumpSysrqKey | LoglevelKey;
/** Those that are answered by a dump. */
export type DumpSysrqKey = 'w' | 't' | 'l' | 'm' | 'p' | 'd' | 'q';
export type LoglevelKey = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';

/** What one SSH probe found. `host-fault` says nothing about the guest: no ssh, no such host, no permission. */
export interface SshProbe {
  kind: 'ok' | 'refused' | 'timed-out' | 'host-fault';
  /** Where it ended; absent for an `ok`, and where that is not known. */
  step?: 'connect' | 'banner';
  detail: string;
  tookMs: number;
  /** Only QEMU's arguments told how to reach it: ssh does not know the guest, and nobody can log in. */
  way?: SshWay;
}

/** Why QMP could not be used, each with its own meaning for the verdict. */
export type QmpFault =
  | 'missing' // no socket, or nobody listens
  | 'busy' // another client holds it
  | 'no-greeting' // accepted, but QEMU never greets
  | 'main-loop-stuck' // greeted, then answers nothing
  | 'closed' // went away in the middle
  | 'timeout' // one command was not answered
  | 'protocol' // garbage, or too much of it
  | 'refused' // QEMU answered with an error
  | 'no-permission';

/** Why a key could not be pressed. */
export type PressFault = QmpFault | 'ssh-failed' | 'no-keyboard';

/** What QMP said of the machine. */
export interface QmpView {
  /** As `query-status` names it: running, paused, io-error, guest-panicked … */
  runState: string;
  vcpus: Vcpu[];
  /** Sums over all block devices; null where there is none. */
  block: { reads: number; writes: number } | null;
}

export interface Vcpu {
  index: number;
  threadId: number;
  /** user + system time of the thread */
  cpuMs: number | null;
  /** How long the thread waited for a CPU of the host; absent where its kernel does not count it. */
  waitedMs?: number;
  /** Samples of its registers, milliseconds apart; absent where none were asked for or QEMU gave none. */
  samples?: CpuSample[];
}

/** One look from outside: harmless, takes milliseconds, presses nothing. */
export interface Look {
  qmp: ({ ok: true } & QmpView) | { ok: false; fault: QmpFault; detail: string };
  /** The QEMU process; state is the letter of /proc/PID/stat. */
  qemu: { pid: number; state: string } | null;
  /** From QEMU's -append, for a kernel that was booted directly. */
  kernelCommandLine: string | null;
  /** Why the samples have no symbols although a System.map is configured. */
  noSymbols?: string;
  /** The file that QEMU writes the first serial console to, perhaps beside its standard output. */
  consoleFile?: string;
  /** The vhost-user devices of QEMU's command line with the server behind each. */
  shares: Share[];
}

/** A vhost-user device: what a process of the host, not QEMU, gives the guest. */
export interface Share {
  /** For people: the tag of a virtiofs, else the id of the device or of its character device. */
  tag: string;
  /** fs, blk, scsi, net …; absent in older recordings, which knew fs alone. */
  kind?: string;
  socket: string;
  server: { pid: number; comm: string; state: string; cpuMs?: number; waitedMs?: number } | null;
  /** Absent in older recordings: ask `serverIs` of host/servers.ts. */
  serverIs?: ServerIs;
  /** Why it is unknown, as a clause. */
  because?: string;
}

/** `running`: found, its state tells the rest; `gone`: proved; `unknown` speaks for nobody and against nobody. */
export type ServerIs = 'running' | 'gone' | 'unknown';

/** Read over SSH from a healthy guest, once a boot. Null: could not be read. */
export interface GuestFacts {
  /** kernel.sysrq */
  sysrqMask: number | null;
  /** console_loglevel, the first number of kernel.printk */
  loglevel: number | null;
  /** sysrq_always_enabled is on the kernel's command line: the mask does not count. */
  alwaysEnabled: boolean;
  /** kernel.hung_task_timeout_secs; 0 is off. */
  hungTaskSeconds: number | null;
  /** ID of /etc/os-release. */
  os: string | null;
  /** Where the kernel's text begins, hexadecimal; null where its user may not see that. */
  textAddress: string | null;
  /** Of the kernel's configuration those that are y or m among the ones asked for, without CONFIG_. */
  symbols: string[] | null;
}

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
  ...SERVER_KINDS,
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
