/**
 * What the guest's own memory shows: snapshots at the first signs, samples while it is healthy. Only these functions write
 * to it.
 */
import type { Closed } from '../../memory/answers.js';
import type { Mono } from '../../time.js';
import type { Work } from '../looks.js';
import type { Glance, SampledEvent, SnapshotEvent, Standing } from '../memory-view.js';

export type TimedGlance = Glance & { at: Mono };

/** A task that samples show standing. */
interface Watched {
  task: Standing;
  /** The first sample that showed it, and the newest. */
  since: Mono;
  at: Mono;
  /** Samples. */
  seen: number;
}

type TimedWork = Work & { at: Mono };

export interface MemoryState {
  /** Whether it can be read, and why not; null until that was tried in this boot. */
  access: { ok: true } | Pick<Closed, 'ok' | 'why' | 'fix'> | null;
  /** When the last one was asked for, and whether it is out. */
  snapshot: { askedAt: Mono | null; inFlight: boolean };
  sample: { dueAt: Mono | null; inFlight: boolean };
  /** After an answer that told nothing, as while a kernel begins: it is tried again then, after a pause that doubles. */
  notBefore: Mono;
  pauseMs: number;
  /** The newest snapshots, oldest first. */
  glances: TimedGlance[];
  /** Who stood in the newest sample. */
  watched: Watched[];
  /** What disks and servers had done by then, while somebody stands; oldest first. */
  work: TimedWork[];
  /** Tasks that an incident, or a case that came to nothing, was about: no other one is, while they stand. */
  told: string[];
  /** Those of them that an incident was about. */
  filed: string[];
  /** No accusation of a task that stands while SSH answers before then. */
  stalledNotBefore: Mono;
  /** The pause after cases of such a task in which its memory could not be read, in ms. */
  unseenPauseMs: number;
}

const GLANCES = 3;
const MAX_WATCHED = 64;
const MAX_TOLD = 200;
const FIRST_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 10 * 60_000;
/** Healthy guests are sampled at this pace; one with a task that stands, more often. */
const SAMPLE_MS = 15_000;
const SOON_MS = 5_000;
/** A task that has stood for so long is worth remembering. */
export const STANDS_SECONDS = 20;
/** After a case that came to nothing. */
const STALLED_PAUSE_MS = 10 * 60_000;
/** After one in which the guest could not be seen into: twice as long each time. */
const UNSEEN_PAUSE_MS = 2 * 60_000;
const MAX_UNSEEN_PAUSE_MS = 60 * 60_000;

export const unreadMemory = (): MemoryState => ({
  access: null,
  snapshot: { askedAt: null, inFlight: false },
  sample: { dueAt: null, inFlight: false },
  notBefore: 0,
  pauseMs: 0,
  glances: [],
  watched: [],
  work: [],
  told: [],
  filed: [],
  stalledNotBefore: 0,
  unseenPauseMs: 0,
});

/** Another kernel: what is out is of the one before. */
export function memoryBoots(memory: MemoryState): void {
  const { snapshot, sample } = memory;
  Object.assign(memory, unreadMemory(), {
    snapshot: { askedAt: null, inFlight: snapshot.inFlight },
    sample: { dueAt: null, inFlight: sample.inFlight },
  });
}

/** It was read, the last time that was tried. */
export const isRead = ({ access }: MemoryState): boolean => access?.ok === true;

/** It may be tried. */
const mayTry = ({ access, notBefore }: MemoryState, at: Mono): boolean =>
  access?.ok !== false || at >= notBefore;

/** A case asks for one, whatever is out, and though the last try may have failed: there are few cases. */
export function caseReads(memory: MemoryState, at: Mono): void {
  memory.snapshot = { askedAt: at, inFlight: true };
}

/** True, and noted, if a snapshot may be asked for: none is out, and the last one was not just now. */
export function takeSnapshot(memory: MemoryState, at: Mono, apartMs: number): boolean {
  const { askedAt, inFlight } = memory.snapshot;
  if (inFlight || !mayTry(memory, at) || (askedAt !== null && at - askedAt < apartMs)) return false;
  memory.snapshot = { askedAt: at, inFlight: true };
  return true;
}

/** `phase`: 0 to 1, the guest's own, so that those of a host do not come at once. */
export function takeSample(memory: MemoryState, at: Mono, phase: number): boolean {
  const { sample } = memory;
  if (sample.inFlight || !mayTry(memory, at)) return false;
  sample.dueAt ??= at + phase * SAMPLE_MS;
  if (at < sample.dueAt) return false;
  // A task that was told of may stand for hours.
  const soon = memory.watched.length > 0 && memory.told.length === 0;
  memory.sample = { dueAt: at + (soon ? SOON_MS : SAMPLE_MS), inFlight: true };
  return true;
}

function answered(memory: MemoryState, answer: SnapshotEvent | SampledEvent, at: Mono): void {
  if (answer.ok) {
    Object.assign(memory, { access: { ok: true }, pauseMs: 0, notBefore: 0 });
    return;
  }
  const { why, fix } = answer;
  memory.access = { ok: false, why, fix };
  memory.pauseMs = Math.min(Math.max(FIRST_PAUSE_MS, 2 * memory.pauseMs), MAX_PAUSE_MS);
  memory.notBefore = at + memory.pauseMs;
  memory.watched = [];
}

/** Returns what it shows; null where it could not be read. */
export function snapshotCame(memory: MemoryState, seen: SnapshotEvent, at: Mono): TimedGlance | null {
  memory.snapshot.inFlight = false;
  answered(memory, seen, at);
  if (!seen.ok) return null;
  const { clock, tasks, complete, standing, held, idle, queuedSeconds } = seen;
  const glance = { clock, tasks, complete, standing, held, idle, queuedSeconds, at };
  memory.glances = [...memory.glances, glance].slice(-GLANCES);
  return glance;
}

export function sampleCame(memory: MemoryState, seen: SampledEvent, at: Mono): void {
  memory.sample.inFlight = false;
  answered(memory, seen, at);
  if (!seen.ok) return;
  const before = memory.watched;
  memory.watched = seen.standing.slice(0, MAX_WATCHED).map((task) => {
    const known = before.find((one) => stillStands(one.task, task, at - one.at));
    return { task, since: known?.since ?? at, at, seen: (known?.seen ?? 0) + 1 };
  });
  const stands = (key: string) => memory.watched.some(({ task }) => task.key === key);
  if (at >= memory.stalledNotBefore) memory.told = memory.told.filter(stands);
  memory.filed = memory.filed.filter(stands);
  const { dueAt } = memory.sample;
  if (before.length === 0 && memory.watched.length > 0 && memory.told.length === 0 && dueAt !== null)
    memory.sample.dueAt = Math.min(dueAt, at + SOON_MS);
}

/** It is the same task, at the same place, and has not run in between. */
export function stillStands(before: Standing, now: Standing, passedMs: number): boolean {
  const same = before.pid === now.pid && before.key === now.key && before.switches === now.switches;
  // The clock of a guest whose CPUs all idle lags by up to half a second.
  return same && (now.seconds - before.seconds) * 1000 >= passedMs - CLOCK_LAG_MS;
}

const CLOCK_LAG_MS = 700;

const MAX_WORK = 32;
/** Over so long a time nothing must have been done. A slow disk takes half a minute for one large request. */
const STILL_MS = { disks: 45_000, servers: 20_000 };
/** A server that ran for less only answered its timers. */
const WORKED_MS = 10;

/** CPU time of the server of a share; undefined where it was not seen. */
const ofShare = ({ byTag }: Work, tag: string | null): number | undefined =>
  byTag?.find((one) => one.tag === tag)?.cpuMs;

/** A look tells what was done until now. */
export function workSeen(memory: MemoryState, work: Work, at: Mono): void {
  if (memory.watched.length === 0) memory.work = [];
  else memory.work = [...memory.work, { ...work, at }].slice(-MAX_WORK);
}

/**
 * It did not move for so long. What is not there stands still; what cannot be asked may move. `tag`: of the servers that of
 * this share alone, if there is one.
 */
export function isStill(
  { work }: MemoryState,
  what: 'disks' | 'servers',
  at: Mono,
  tag: string | null = null,
): boolean {
  const last = work.at(-1);
  const before = work.findLast((one) => one.at <= at - STILL_MS[what]);
  if (last === undefined || before === undefined) return false;
  const [its, since] = [ofShare(before, tag), ofShare(last, tag)];
  if (what === 'servers' && its !== undefined && since !== undefined) return didNothing(its, since);
  const [from, to] = [before[what], last[what]];
  if (from === 'unknown' || to === 'unknown') return false;
  if (from === null || to === null) return from === to;
  return what === 'disks' ? to === from : didNothing(from, to);
}

/** Servers that were started anew have taken less, and may have worked. */
const didNothing = (from: number, to: number): boolean => to >= from && to - from < WORKED_MS;

/** Nobody watched. */
export function memoryIsVoid(memory: MemoryState): void {
  Object.assign(memory, { glances: [], watched: [], work: [] });
}

/** Whatever stands now was told of. */
export function standingTold(memory: MemoryState, at: Mono): void {
  const now = [...memory.watched.map(({ task }) => task), ...(memory.glances.at(-1)?.standing ?? [])];
  memory.told = [...new Set([...memory.told, ...now.map(({ key }) => key)])].slice(-MAX_TOLD);
  memory.stalledNotBefore = at + STALLED_PAUSE_MS;
  memory.unseenPauseMs = 0;
}

/** The same, and it is in an incident. */
export function standingFiled(memory: MemoryState, at: Mono): void {
  standingTold(memory, at);
  memory.filed = memory.told;
}

/** The task was in an incident, and has stood at the same place since. */
export const isFiled = ({ filed, watched }: MemoryState, pid: number): boolean =>
  watched.some(({ task }) => task.pid === pid && filed.includes(task.key));

/** A case of a task that stands ended without having seen it: it is looked into again, ever more rarely. */
export function standingUnseen(memory: MemoryState, at: Mono): void {
  memory.unseenPauseMs = Math.min(Math.max(UNSEEN_PAUSE_MS, 2 * memory.unseenPauseMs), MAX_UNSEEN_PAUSE_MS);
  memory.stalledNotBefore = at + memory.unseenPauseMs;
}

/** A command that hung about then hangs for what stands yet. */
const SAME_HANG_MS = 60_000;

/** What has hung since then was told of, and stands yet. */
export function isTold(memory: MemoryState, since: Mono): boolean {
  const toldAt = memory.stalledNotBefore - STALLED_PAUSE_MS;
  return isRead(memory) && memory.told.length > 0 && since <= toldAt + SAME_HANG_MS;
}
