/**
 * What the decision takes of a snapshot of a guest's memory: bounded, since timelines keep it. The whole of it is on disk,
 * as memory.txt and dmesg.txt.
 */
import { annotate } from '../analysis/annotate.js';
import { backendOf, waitsForFileLock } from '../analysis/backends.js';
import { isBenign } from '../analysis/benign.js';
import { servesInterrupt } from '../analysis/interrupts.js';
import { standstillKey } from '../analysis/unchanged.js';
import type { Closed, SampleTaken, SnapshotTaken } from '../memory/answers.js';
import type { Dump, Task, WaitKind } from '../model.js';

/** A task that waits for what a healthy one does not wait for long: in D, or in S inside a request to a server. */
export interface Standing {
  comm: string;
  pid: number;
  state: string;
  /** Since it was last on a CPU, by the scheduler's clock. */
  seconds: number;
  /** Context switches in its life; null where that is not known. */
  switches: number | null;
  /** Equal for as long as it stands at the same place. */
  key: string;
  wait: WaitKind | null;
  /** It waits for a server outside the guest's kernel. */
  onServer: boolean;
  /** What its filesystem was mounted from; null where that was not read. */
  source: string | null;
  /** Pid of who holds the lock that it waits for; null where there is none, or nobody is known. */
  owner: number | null;
}

/** A CPU that somebody holds. */
export interface HeldCpu {
  cpu: number;
  comm: string;
  pid: number;
  switches: number | null;
  interruptsOff: boolean;
}

/** What a snapshot shows at a glance. */
export interface Glance {
  /** The scheduler's clock, seconds since the boot; null where the dump does not tell. */
  clock: number | null;
  tasks: number;
  complete: boolean;
  /** The longest first. */
  standing: Standing[];
  held: HeldCpu[];
  /** How many CPUs idle. */
  idle: number;
  /** The longest that a task has waited for a CPU, in seconds. */
  queuedSeconds: number;
}

export interface SnapshotSeen extends Glance {
  ok: true;
  /** For the verdict of a case; null where none is open. */
  dump: Dump | null;
  /** Of memory.txt. */
  lines: number;
}

export interface Sampled {
  ok: true;
  clock: number;
  tasks: number;
  standing: Standing[];
}

const MAX_STANDING = 64;
const MAX_HELD = 64;
/** A dump of more tasks is thinned: those who rest go first. */
const MAX_TASKS = 2_000;
const MAX_FRAMES = 60_000;

/** Waits that may last, or that nobody suffers from. */
const HARMLESS_WAITS: ReadonlySet<WaitKind> = new Set<WaitKind>([
  ...(['child', 'coredump', 'never-run', 'frozen', 'idle'] as const),
  ...(['futex', 'pipe', 'socket', 'events'] as const),
]);
/** Waits that end once data has come or gone. */
const DATA_WAITS: ReadonlySet<WaitKind> = new Set<WaitKind>([
  ...(['page', 'buffer', 'writeback', 'dirty-throttle', 'reclaim', 'io'] as const),
  ...(['block-tag', 'block-io', 'journal-commit', 'transaction'] as const),
]);
/** Threads that wait in D, killably, for as long as their source has nothing: entropy of the host. */
const HARMLESS_THREADS: ReadonlySet<string> = new Set(['hwrng']);

/** What `task` stands for; null where it rests, runs, or waits as healthy ones do. */
export function standingOf(task: Task): Standing | null {
  const { comm, pid, state, offCpuSeconds } = task;
  if (pid === null || offCpuSeconds === undefined || isHarmless(task)) return null;
  const key = standstillKey(task);
  if (key === null || waitsForFileLock(task.frames)) return null;
  const server = backendOf(task.frames);
  if (state !== 'D' && (state !== 'S' || server === null)) return null;
  const { wait } = annotate(task);
  if (wait !== null && HARMLESS_WAITS.has(wait)) return null;
  return {
    ...{ comm, pid, state, key, wait },
    seconds: offCpuSeconds,
    switches: task.switches ?? null,
    onServer: server !== null || task.request !== undefined,
    source: sourceOf(task),
    owner: task.wantsLock?.owner?.pid ?? null,
  };
}

/** It waits for data of a disk, or of whatever the filesystem was mounted from, and for no single request to a server. */
export const waitsForData = ({ wait, onServer }: Standing): boolean =>
  !onServer && wait !== null && DATA_WAITS.has(wait);

const KTHREADD = 2;

function isHarmless(task: Task): boolean {
  if (task.onCpu === true || task.queued === true || isBenign(task)) return true;
  return task.ppid === KTHREADD && HARMLESS_THREADS.has(task.comm);
}

function sourceOf({ request, objects = [] }: Task): string | null {
  const mounted = objects.find(({ filesystem }) => filesystem !== undefined && filesystem.source !== null);
  return request?.source ?? mounted?.filesystem?.source ?? null;
}

/** Those of `tasks` that have stood for so many seconds, the longest first. */
export function standingIn(tasks: readonly Task[], seconds = 0): Standing[] {
  return tasks
    .flatMap((task) => standingOf(task) ?? [])
    .filter((one) => one.seconds >= seconds)
    .sort((a, b) => b.seconds - a.seconds || a.pid - b.pid);
}

function glanceAt(dump: Dump): Glance {
  const bySwitches = new Map(dump.tasks.map(({ pid, switches }) => [pid, switches ?? null]));
  const held = dump.cpus.flatMap(({ cpu, comm, pid, idle, interruptsOff, frames }) => {
    if (idle || comm === null || pid === null) return [];
    const off = interruptsOff === true && !servesInterrupt(frames);
    return [{ cpu, comm, pid, switches: bySwitches.get(pid) ?? null, interruptsOff: off }];
  });
  const waited = dump.tasks.map(({ queued, offCpuSeconds = 0 }) => (queued === true ? offCpuSeconds : 0));
  return {
    clock: dump.memory?.clock ?? null,
    tasks: dump.tasks.length,
    complete: dump.complete,
    standing: standingIn(dump.tasks).slice(0, MAX_STANDING),
    held: held.slice(0, MAX_HELD),
    idle: dump.cpus.filter(({ idle }) => idle).length,
    queuedSeconds: waited.reduce((most, one) => Math.max(most, one), 0),
  };
}

/** `whole`: with the dump, for a verdict. */
export function snapshotSeen(
  answer: Pick<SnapshotTaken, 'dump' | 'text'>,
  { whole }: { whole: boolean },
): SnapshotSeen {
  return {
    ok: true,
    ...glanceAt(answer.dump),
    dump: whole ? thinned(answer.dump) : null,
    lines: countLines(answer.text),
  };
}

export const sampledOf = (answer: SampleTaken): Sampled => ({
  ok: true,
  clock: answer.clock,
  tasks: answer.tasks,
  standing: standingIn(answer.standing).slice(0, MAX_STANDING),
});

function countLines(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}

/** Whoever waits, holds or runs stays; of those who rest as many as there is room for. */
function thinned(dump: Dump): Dump {
  const frames = dump.tasks.reduce((sum, task) => sum + task.frames.length, 0);
  if (dump.tasks.length <= MAX_TASKS && frames <= MAX_FRAMES) return dump;
  const owners = new Set(dump.tasks.flatMap(({ wantsLock }) => wantsLock?.owner?.pid ?? []));
  const matters = (task: Task) => task.state !== 'S' || owners.has(task.pid ?? -1) || backendOf(task.frames);
  const order = [...dump.tasks.filter(matters), ...dump.tasks.filter((task) => !matters(task))];
  let room = MAX_FRAMES;
  const kept = new Set(
    order.slice(0, MAX_TASKS).filter((task) => {
      room -= task.frames.length;
      return room >= 0;
    }),
  );
  return { ...dump, tasks: dump.tasks.filter((task) => kept.has(task)) };
}

export type SnapshotEvent = SnapshotSeen | Closed;
export type SampledEvent = Sampled | Closed;

/** Bytes that a timeline takes for one, about. */
export function sizeOf(seen: SnapshotEvent | SampledEvent): number {
  if (!seen.ok) return seen.why.length;
  const standing = seen.standing.reduce((sum, { key }) => sum + 200 + key.length, 0);
  if (!('dump' in seen) || seen.dump === null) return standing;
  return standing + seen.dump.tasks.reduce((sum, { frames }) => sum + 200 + 90 * frames.length, 0);
}
