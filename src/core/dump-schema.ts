/** One dump as incident.json and `analyze --json` hold it. The types of a dump are inferred from this. */
import { z } from 'zod';

/** The ways to a guest's RAM, the best first. */
const RAM_WAYS = ['shared memory', 'QEMU’s own memory', 'copies that QEMU makes'] as const;

/** Which part of a log a dump came from. */
export const dumpKey = z.enum([
  ...(['w', 't', 'l', 'm', 'p', 'd', 'q'] as const),
  ...(['hung_task', 'rcu_stall', 'lockup', 'oops', 'panic', 'none'] as const),
  // A warning of lockdep and its like, in a log that somebody pasted: nothing hangs by it.
  'splat',
  // Not printed by the guest, but read from its memory.
  'memory',
]);

const frame = z.object({
  /** Without offset; compiler suffixes (.isra.0 …) kept. */
  symbol: z.string(),
  offset: z.number().nullable(),
  size: z.number().nullable(),
  module: z.string().nullable(),
  /** False for frames the unwinder printed with `?`. */
  reliable: z.boolean(),
  /** File and line, and those it was inlined into, where a vmlinux told. */
  source: z.string().exactOptional(),
});

/** A thing of the kernel that a live frame of the stack points at, or that a task waits for. */
const seenObject = z.object({
  kind: z.enum(['file', 'folio', 'inode', 'dentry', 'superblock', 'fuse-request', 'lock', 'device']),
  /** For people, such as `/big index 225`; printable. */
  text: z.string(),
  /** Of a filesystem: its type, what was mounted (a virtiofs tag, a device) and where. */
  filesystem: z
    .object({ type: z.string(), source: z.string().nullable(), on: z.string().nullable() })
    .exactOptional(),
  /** A page that is locked, or under writeback. */
  state: z.enum(['locked', 'writeback']).exactOptional(),
});

/** A lock that a task waits for, with its owner where the lock names one. */
const wantedLock = z.object({
  kind: z.enum(['mutex', 'rwsem', 'semaphore']),
  /** Hexadecimal. */
  address: z.string(),
  /** The symbol it lies in, where it is a static one. */
  name: z.string().exactOptional(),
  owner: z.object({ comm: z.string(), pid: z.number() }).nullable(),
  /** How an rwsem is held: its owner field still names its last reader when all have gone. */
  held: z.enum(['writer', 'readers']).exactOptional(),
});

/** How a stack was read from memory, where not at once, to its proper end, with a call before each return address. */
const stackRead = z.object({
  /** How often, until its task had not run meanwhile. */
  tries: z.number(),
  /** It ran each time, and no frame is told. */
  torn: z.boolean(),
  /** The numbers of the frames that no call leads to. */
  uncalled: z.array(z.number()),
  /** Why its frames end where no stack does; null where they end properly. */
  endsEarly: z.string().nullable(),
});

const task = z.object({
  comm: z.string(),
  /** Null where a torn or missing header lost it. */
  pid: z.number().nullable(),
  ppid: z.number().nullable(),
  /** Letter as printed: R S D T t X Z P I; `?` where lost. */
  state: z.string(),
  frames: z.array(frame),
  /** `Workqueue: NAME FUNC (about)` below the header; `about` names the device of a flusher. */
  workqueue: z.object({ name: z.string(), func: z.string(), about: z.string().exactOptional() }).nullable(),
  /** Seconds that hung_task said, where it did. */
  blockedForSeconds: z.number().nullable(),
  /** Context switches in its life, where the scheduler's table of the same dump tells. */
  switches: z.number().exactOptional(),
  /** The CPU that a report says it is on. */
  cpu: z.number().exactOptional(),
  /** What it asked of futex(), by its registers: `address` in hexadecimal, `operation` and `value` as passed. */
  futex: z.object({ address: z.string(), operation: z.number(), value: z.number() }).exactOptional(),
  // What only memory tells.
  tgid: z.number().exactOptional(),
  /** Since it was last on a CPU. */
  offCpuSeconds: z.number().exactOptional(),
  /** It could run, and waits for a CPU. */
  queued: z.literal(true).exactOptional(),
  onCpu: z.literal(true).exactOptional(),
  /** How long it has been on its CPU without a switch. */
  onCpuSeconds: z.number().exactOptional(),
  syscall: z.object({ number: z.number(), args: z.array(z.string()) }).exactOptional(),
  wantsLock: wantedLock.exactOptional(),
  /** The request that it waits for, of a FUSE filesystem. */
  request: z
    .object({ operation: z.string(), unique: z.string(), source: z.string().nullable() })
    .exactOptional(),
  objects: z.array(seenObject).exactOptional(),
  /** Why its stack may be wrong: it ran meanwhile, or the frames end before they should. */
  doubt: z.string().exactOptional(),
  stackRead: stackRead.exactOptional(),
});

const cpu = z.object({
  cpu: z.number(),
  comm: z.string().nullable(),
  pid: z.number().nullable(),
  idle: z.boolean(),
  frames: z.array(frame),
  /** What its worker works at. */
  workqueue: z
    .object({ name: z.string(), func: z.string(), about: z.string().exactOptional() })
    .exactOptional(),
  // What only registers tell.
  user: z.boolean().exactOptional(),
  interruptsOff: z.boolean().exactOptional(),
  stackRead: stackRead.exactOptional(),
});

const listedLock = z.object({
  pid: z.number(),
  comm: z.string(),
  /** As printed, perhaps hashed; empty before 4.15. */
  address: z.string(),
  name: z.string(),
  /** The function that took it, or waits for it. */
  at: z.string().exactOptional(),
  /** True: the task's stack waits for this lock. False: it holds it. Absent: the dump does not tell. */
  wanted: z.boolean().exactOptional(),
});

/** One work item of `Showing busy workqueues`. */
const workItem = z.object({
  state: z.enum(['in-flight', 'pending', 'inactive']),
  func: z.string(),
  /** The worker that runs it; null for one that waits for a worker. */
  pid: z.number().nullable(),
  /** The number of the worker pool; null where the line that names it is lost. */
  pool: z.number().nullable(),
  /** Tasks that wait for its end in flush_work. */
  flushers: z.array(z.number()),
  /** How long it has run, where the kernel tells. */
  seconds: z.number().nullable(),
});

const workqueue = z.object({
  name: z.string(),
  lines: z.array(z.string()),
  items: z.array(workItem).exactOptional(),
  /** Of a pool. */
  hungSeconds: z.number().exactOptional(),
});

const party = z.object({ comm: z.string(), pid: z.number() });

/** `INFO: task X:P is blocked on a mutex likely owned by task Y:Q.` */
const blocker = z.object({
  waiter: party,
  owner: party,
  /** mutex, semaphore, rw-semaphore */
  lock: z.string(),
});

/** What an RCU stall, a soft, hard or workqueue lockup says is stuck. */
const stall = z.object({
  cpus: z.array(z.number()),
  /** Tasks that block a grace period, or the one that was on the CPU. */
  pids: z.array(z.number()),
  /** Null where the kernel counts in jiffies; those of an RCU grace period, and its number, follow. */
  seconds: z.number().nullable(),
  jiffies: z.number().exactOptional(),
  gracePeriod: z.number().exactOptional(),
  /** CPUs among them that took no timer tick since it began. */
  tickless: z.array(z.number()).exactOptional(),
  /** The thread that ends grace periods could not run, and where it should have. */
  starved: z
    .object({
      comm: z.string(),
      cpu: z.number().nullable(),
      jiffies: z.number(),
      /** It wants to run, or it sleeps and its timer has not woken it; absent where the kernel does not say. */
      runnable: z.boolean().exactOptional(),
    })
    .exactOptional(),
  /** The CPU that noticed, where it is not one of those that stall. */
  detectedBy: z.number().exactOptional(),
  /**
   * Nobody hinders the grace period any more: only its thread, `comm`, has to run, and has not for `jiffies`. `pause`
   * jiffies are between two of its looks.
   */
  allSeen: z.object({ comm: z.string(), jiffies: z.number(), pause: z.number() }).exactOptional(),
});

/** A task by the scheduler's table. A priority below 99 is real-time. */
const scheduledTask = z.object({
  comm: z.string(),
  pid: z.number(),
  priority: z.number(),
  switches: z.number(),
  ranMs: z.number(),
});

/** One CPU of the scheduler's table, and how many others could run there. */
const onCpu = z.object({
  cpu: z.number(),
  running: scheduledTask.nullable(),
  /** The real-time task that has run most of those that wait there, as for an ordinary task's share of the CPU. */
  preempted: scheduledTask.exactOptional(),
  waiting: z.number(),
});

/** A lock's class, and the function that takes it. */
const takenLock = z.object({ name: z.string(), at: z.string().nullable() });

/** What the kernel warns of before anything hangs. None of its tasks is blocked. */
const splat = z.object({
  kind: z.enum(['circular', 'recursive', 'irq', 'wait-context', 'sleep', 'rcu', 'unlock', 'left']),
  comm: z.string(),
  pid: z.number().nullable(),
  wants: takenLock.nullable(),
  holds: takenLock.nullable(),
  /** The cycle of locks, as printed: each with the stack that took it before, the held one first. */
  chain: z.array(z.object({ name: z.string(), frames: z.array(frame) })),
  /** The stack that took the lock in another context. */
  before: z.array(frame),
  frames: z.array(frame),
  /** `file:line`, where the warning names one. */
  source: z.string().nullable(),
});

/** Why a dump is not the whole truth. Without a header or a fence, the stacks that it does show are still whole. */
const incompleteCode = z.enum([
  ...(['no-header', 'no-fence', 'cut-short'] as const),
  ...(['lines-lost', 'stacks-cut', 'headers-torn', 'tasks-missing'] as const),
  ...(['bodies-hidden', 'nothing-in-it', 'stackless'] as const),
]);

export const dumpSchema = z.object({
  key: dumpKey,
  /** Both the header and the fence were seen, and nothing in between is known to be lost. */
  complete: z.boolean(),
  incompleteBecause: z.array(z.string()),
  /** What each of these sentences says, for programs; missing in a complete dump, and in incidents of older versions. */
  incompleteCodes: z.array(incompleteCode).exactOptional(),
  /** Lines fell out of its middle, which a second dump may have. */
  lossy: z.literal(true).exactOptional(),
  /** Task headers that another writer's text had torn, and that were put together again. */
  mended: z.number().exactOptional(),
  tasks: z.array(task),
  /** Backtraces of CPUs (key l, stalls, lockups). */
  cpus: z.array(cpu),
  /** Lockdep's table, each task's locks in the order in which it took them. */
  locks: z.array(listedLock),
  /** Busy workqueues, and worker pools under the name `pool N`. */
  workqueues: z.array(workqueue),
  /** The kernel's line that opened it, without its prefix. */
  headline: z.string().exactOptional(),
  /** Printk time of that line, where the log has one. */
  bootSeconds: z.number().exactOptional(),
  /** How many kernel starts the log shows before it. */
  boot: z.number().exactOptional(),
  /** hung_task's own words on who holds what (6.15+). */
  blockers: z.array(blocker).exactOptional(),
  /** Whom a stall or lockup report accuses. */
  stall: stall.exactOptional(),
  splat: splat.exactOptional(),
  onCpu: z.array(onCpu).exactOptional(),
  /** Of a dump from memory: the kernel, its clock in seconds since the boot, how it was found, and from where it was read. */
  memory: z
    .object({
      release: z.string(),
      buildId: z.string().nullable(),
      clock: z.number(),
      how: z.object({
        kernel: z.enum(['kept note', 'note', 'page tables of a vCPU']),
        types: z.enum(['btf', 'learned']),
        stacks: z.enum(['orc', 'frame records']),
      }),
      way: z.enum(RAM_WAYS).exactOptional(),
    })
    .exactOptional(),
  /** Lines inside the dump that are neither part of it nor known to come from others; `examples` are the first few. */
  unplaced: z.object({ lines: z.number(), examples: z.array(z.string()) }).exactOptional(),
});

export type RamWay = (typeof RAM_WAYS)[number];
export type DumpKey = z.output<typeof dumpKey>;
export type IncompleteCode = z.output<typeof incompleteCode>;
export type Dump = z.output<typeof dumpSchema>;
export type Task = z.output<typeof task>;
export type Frame = z.output<typeof frame>;
export type ListedLock = z.output<typeof listedLock>;
export type WorkItem = z.output<typeof workItem>;
export type Blocker = z.output<typeof blocker>;
export type Stall = z.output<typeof stall>;
export type TakenLock = z.output<typeof takenLock>;
export type Splat = z.output<typeof splat>;
export type OnCpu = z.output<typeof onCpu>;
