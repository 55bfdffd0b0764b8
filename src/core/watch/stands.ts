/**
 * Accusations that rest on the guest's memory: a task that stands still while SSH is late, so that no window has to pass;
 * and one that stands for a minute though SSH answers, which the kernel's hung_task may never see. What merely waits for
 * a slow disk accuses nobody: its device moves.
 */
import type { GuestSettings } from '../config/schema.js';
import type { WaitKind } from '../model.js';
import type { Mono } from '../time.js';
import { seconds } from '../words.js';
import type { Reason } from './accuse.js';
import { allRan, keptWaiting, movedSince, type TimedLook } from './looks.js';
import { APART_MS } from './memory-tick.js';
import { type HeldCpu, type Standing, waitsForData } from './memory-view.js';
import { hostStarves } from './slices/host.js';
import { isStill, type MemoryState, stillStands, type TimedGlance } from './slices/memory.js';
import { flappingSince, owesBanner, sshCanBeJudged } from './slices/ssh.js';
import type { GuestState } from './state.js';
import { sshUnknown } from './suspicion.js';

const LATE_MS = 1_400;
/** An older snapshot says nothing of now. */
const FRESH_MS = 2_500;
/** A clock that lags, and the time that a probe takes to come to the guest. */
const SLACK_MS = 1_000;
/** A scheduler with somebody in its queue switches within some milliseconds of a CPU's own time. */
const HELD_RAN_MS = 500;
const STALLED_SECONDS = 60;
/** Where the host cannot count what a device does, and one wait may be for all that was written. */
const UNCOUNTED_SECONDS = 180;
/** NFS, Ceph, SMB, and disks over the network. */
const OVER_NETWORK = /^(?:[^/]*:|\/\/|\/dev\/(?:nbd|rbd)\d)/;
const STALLED_SAMPLES = 2;
const FRESH_SAMPLE_MS = 20_000;
const SHOWN = 3;

/** SSH has been late for a moment, and memory shows by its own clock who has stood still all the while. */
export function standsStill(state: GuestState, settings: GuestSettings, at: Mono): Reason | null {
  const { ssh, console, looks, host } = state;
  const since = owesBanner(ssh);
  if (since === null || at - since < LATE_MS || !sshCanBeJudged(ssh, settings)) return null;
  if (flappingSince(ssh) !== null || hostStarves(host, at) !== null) return null;
  const pair = pairSince(state.memory, since, at);
  if (pair === null || console.quietSince > pair[0].at) return null;
  const seen = looksSince(looks, pair[0].at);
  if (seen.length < 2 || movedSince(seen) !== null) return null;
  const wasRun = keptWaiting(seen) === null;
  const stood = wasRun ? stoodBetween(...pair) : [];
  const still = stood.filter((task) => task.seconds * 1000 >= pair[1].at - since - SLACK_MS);
  const holds = wasRun || allRan(seen, HELD_RAN_MS);
  const held = holds ? [...deafBetween(...pair), ...starvedBetween(...pair)] : [];
  if (still.length === 0 && held.length === 0) return null;
  const late = `SSH has owed its banner for ${seconds(at - since)}`;
  return { by: 'stands', why: [late, `memory shows that ${[...held, ...inWords(still)].join('; ')}`] };
}

/** The first snapshot since then, and the newest, if that is fresh and they are far enough apart. */
function pairSince({ glances }: MemoryState, since: Mono, at: Mono): [TimedGlance, TimedGlance] | null {
  const first = glances.find((glance) => glance.at >= since);
  const last = glances.at(-1);
  if (first === undefined || last === undefined) return null;
  const apart = last.at - first.at;
  return apart >= APART_MS - SLACK_MS / 4 && at - last.at <= FRESH_MS ? [first, last] : null;
}

/** Those that QEMU answered. */
const looksSince = (looks: GuestState['looks'], since: Mono): TimedLook[] =>
  looks.filter((look) => look.at >= since - SLACK_MS && look.qmp.ok);

/** Those of the later one that stood at the same place in the earlier one, and have not run in between. */
export function stoodBetween(
  first: Pick<TimedGlance, 'at' | 'standing'>,
  last: Pick<TimedGlance, 'at' | 'standing'>,
): Standing[] {
  return last.standing.filter((task) =>
    first.standing.some((before) => stillStands(before, task, last.at - first.at)),
  );
}

/**
 * Of those who hold a CPU in the later one, who held it in the earlier one too, and was switched in between so many times
 * at most.
 */
const stillHeld = (
  first: Pick<TimedGlance, 'held'>,
  last: Pick<TimedGlance, 'held'>,
  atMost = 0,
): HeldCpu[] =>
  last.held.filter(({ cpu, pid, switches }) =>
    first.held.some((before) => {
      const same = before.cpu === cpu && before.pid === pid;
      return same && (before.switches === switches || switchedFor(before, switches) <= atMost);
    }),
  );

const switchedFor = ({ switches: before }: HeldCpu, now: number | null): number =>
  before === null || now === null ? Infinity : now - before;

/** CPUs that the same task held both times, without interrupts. */
export function deafBetween(first: Pick<TimedGlance, 'held'>, last: Pick<TimedGlance, 'held'>): string[] {
  const deaf = (cpu: number) => first.held.some((before) => before.cpu === cpu && before.interruptsOff);
  return stillHeld(first, last)
    .filter(({ cpu, interruptsOff }) => interruptsOff && deaf(cpu))
    .map(({ cpu, comm, pid }) => `${comm}:${pid} holds CPU ${cpu} with interrupts off`);
}

/** The kernel's own stopper interrupts even them, now and then, for a moment. */
const STOPS_A_SECOND = 1;

/** Every CPU was held by one task and no other, while somebody waited for one: only real-time tasks can do that. */
export function starvedBetween(first: TimedGlance, last: TimedGlance): string[] {
  const waited = last.queuedSeconds;
  const stops = Math.ceil(((last.at - first.at) / 1000) * STOPS_A_SECOND);
  const held = stillHeld(first, last, stops).filter(({ switches }) => switches !== null);
  const [holder] = held;
  if (holder === undefined || last.idle > 0 || held.length < last.held.length) return [];
  if (waited * 1000 < last.at - first.at) return [];
  const others = held.length === 1 ? '' : ` (+${held.length - 1} others)`;
  const keeps = `${holder.comm}:${holder.pid}${others} keeps every CPU from tasks`;
  return [`${keeps} that have waited for ${waited.toFixed(1)} s`];
}

const inWords = (tasks: readonly Standing[]): string[] => [
  ...tasks
    .slice(0, SHOWN)
    .map(
      ({ comm, pid, state, seconds: s }) =>
        `${comm}:${pid} in ${state} has stood still for ${s.toFixed(1)} s`,
    ),
  ...(tasks.length > SHOWN ? [`${tasks.length - SHOWN} more do`] : []),
];

/** A task has stood for a minute beside a guest that answers. */
export function stalls(state: GuestState, settings: GuestSettings, at: Mono): Reason | null {
  const { memory, ssh, host } = state;
  const answers = ssh.failures === 0 && (ssh.lastOkAt !== null || !sshCanBeJudged(ssh, settings));
  if (!answers || memory.told.length > 0 || at < memory.stalledNotBefore) return null;
  if (hostStarves(host, at) !== null) return null;
  const all = memory.watched.filter((one) => at - one.at <= FRESH_SAMPLE_MS);
  const tasks = all.map(({ task }) => task);
  const accused = all
    .filter(({ seen }) => seen >= STALLED_SAMPLES)
    .map(({ task }) => task)
    .filter((task) => {
      const root = rootOf(task, tasks);
      return task.seconds >= stalledAfter(root) && cannotEnd(root, memory, at);
    });
  const [first] = accused;
  if (first === undefined) return null;
  return {
    by: 'stalled',
    why: [
      `memory shows that ${inWords(accused).join('; ')}`,
      sshCanBeJudged(ssh, settings) ? 'SSH answers all the while' : sshUnknown(state, settings),
    ],
    since: at - first.seconds * 1000,
  };
}

/** Who the task waits for in the end, as far as owners of locks are known; null for a circle. */
function rootOf(task: Standing, all: readonly Standing[]): Standing | null {
  const seen = new Set<Standing>();
  for (let one: Standing = task; ;) {
    if (seen.has(one)) return null;
    seen.add(one);
    const owner = all.find(({ pid }) => pid === one.owner);
    if (owner === undefined) return one;
    one = owner;
  }
}

const stalledAfter = (root: Standing | null): number =>
  root !== null && waitsForData(root) && OVER_NETWORK.test(root.source ?? '')
    ? UNCOUNTED_SECONDS
    : STALLED_SECONDS;

/** Waits that no device ends. */
const NO_DEVICE: ReadonlySet<WaitKind> = new Set<WaitKind>(['fs-freeze']);

/** Nothing was done meanwhile that could end this wait. */
function cannotEnd(root: Standing | null, memory: MemoryState, at: Mono): boolean {
  if (root === null || (root.wait !== null && NO_DEVICE.has(root.wait))) return true;
  // What it was mounted from: a device, or the name of a share.
  const onDisk = root.onServer ? false : (root.source?.startsWith('/') ?? null);
  const disks = onDisk === false || isStill(memory, 'disks', at);
  return disks && (onDisk === true || isStill(memory, 'servers', at, root.source));
}
