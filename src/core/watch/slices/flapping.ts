/**
 * SSH that answers now and then. From 6.12 on, ordinary tasks get 5 % of a CPU that real-time loops hold (the fair
 * server, kernel/sched/deadline.c), as they did before under the real-time limit: such a guest answers one probe in three
 * for ever, and is not up. Answers that come rarely are evidence, not recovery.
 */
import type { Mono } from '../../time.js';
import { seconds } from '../../words.js';

interface Probed {
  at: Mono;
  ok: boolean;
}

export interface Flapping {
  /** The probes of the last minute that say something of the guest, oldest first. */
  recent: Probed[];
  /** Its first failed probe, while it answers rarely; null while it answers always or never. */
  since: Mono | null;
}

export const steady = (): Flapping => ({ recent: [], since: null });

const WINDOW_MS = 60_000;
/** A guest that was away once and came back answers again; one that came back time and again does not. */
const RETURNS = 3;
const ENOUGH = 8;
/** Of the probes, at least so many fail. */
const FAILING = 0.4;
/** So many answers on end are a recovery. */
const RECOVERED = 5;

/** It has answered for a while, without a failure. */
export const answersSteadily = ({ recent }: Flapping): boolean =>
  recent.slice(-RECOVERED).every((probe) => probe.ok);

/** What is known after one more probe. */
export function probed({ recent: before, since }: Flapping, at: Mono, ok: boolean): Flapping {
  const recent = [...before.filter((probe) => at - probe.at < WINDOW_MS), { at, ok }];
  const newest = recent.slice(-RECOVERED);
  if (newest.length === RECOVERED && newest.every((probe) => probe.ok))
    return { recent: newest, since: null };
  if (!recent.some((probe) => probe.ok)) return { recent, since: null };
  return { recent, since: since ?? (flaps(recent) ? (recent.find((probe) => !probe.ok)?.at ?? at) : null) };
}

function flaps(recent: readonly Probed[]): boolean {
  const failed = recent.filter(({ ok }) => !ok).length;
  const returns = recent.filter(({ ok }, index) => ok && recent[index - 1]?.ok === false).length;
  return recent.length >= ENOUGH && returns >= RETURNS && failed / recent.length >= FAILING;
}

/** `SSH answers rarely: 4 of 13 probes in 58 s`. */
export function answersRarely({ recent }: Flapping, at: Mono): string {
  const answered = recent.filter(({ ok }) => ok).length;
  return `SSH answers rarely: ${answered} of ${recent.length} probes in ${seconds(at - (recent[0]?.at ?? at))}`;
}
