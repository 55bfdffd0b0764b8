/** What a doubt is, and what the rows of doubts.ts are said and decided by. */
import type { Verdict, VerdictClass } from '../../model.js';
import type { Mono } from '../../time.js';
import type { Facts } from './facts.js';

/** When a guest whose case came to nothing is looked at again at the latest, whatever the cooldown says. */
export type Until = keyof typeof UNTIL;

const AGAIN_MS = 25_000;

export const UNTIL = {
  now: { words: 'at once', at: ({ at }: Facts) => at },
  cooldown: { words: 'after the cooldown', at: () => Infinity },
  soon: { words: 'in 25 s', at: ({ at }: Facts) => at + AGAIN_MS },
  blind: { words: 'once it has been lost for 30 s', at: ({ lost }: Facts) => lost.blind },
  loop: { words: 'once it has been lost for 12 s', at: ({ lost }: Facts) => lost.loop },
  slow: { words: 'once it has been lost for 60 s', at: ({ lost }: Facts) => lost.slow },
  proof: {
    words: 'once it has been lost for 60 s, in 25 s at the earliest',
    at: ({ at, lost }: Facts) => Math.max(at + AGAIN_MS, lost.slow),
  },
  startJob: { words: 'after 3 × detect.blindBoot of silence', at: ({ lost }: Facts) => lost.startJob },
} satisfies Record<string, { words: string; at: (facts: Facts) => Mono }>;

export interface Doubt {
  says: (facts: Facts, verdict: Verdict) => string;
  until: Until;
  /** Something stood still, perhaps only for a while: the guest stays suspect, and the next second look takes longer. */
  slow?: true;
  /** The kernel was right, and what it said is in an incident. */
  known?: true;
  /** What it is instead. */
  class?: VerdictClass;
}

export const none = (verdict: Verdict) => verdict.class === 'none';
export const looked = (_: Facts, { reasons, title }: Verdict) => `looked: ${reasons[0] ?? title}`;
/** All vCPUs are busy, and nobody is accused of it. */
export const busy = (facts: Facts, verdict: Verdict) => facts.busy && verdict.culprit === null;
export const work = (_: Facts, { title }: Verdict) => `busy, perhaps with work: ${title}`;
export const unseen = ({ unseen: why }: Facts, { title }: Verdict) => `cannot look into it (${why ?? title})`;

/** Something of the guest goes on: only what is proven to stand still counts, or waits for a server that is dead. */
export const alive = ({ goesOn, flaps }: Facts) => goesOn || flaps;
export function standsBesideLife({ by, flaps, backendDead, fresh, proven, moved }: Facts): boolean {
  const hopeless = (by === 'command' || flaps) && backendDead && !fresh;
  return (proven || hopeless) && moved === null;
}
export const testStands = ({ proven, stoodStill, fresh, moved }: Facts): boolean =>
  (proven || (stoodStill && !fresh)) && moved === null;

export function alike({ flaps, by }: Facts, { title }: Verdict): string {
  const life = flaps ? 'SSH answers now and then' : by === 'command' ? 'SSH greets' : 'console goes on';
  return `its ${life}, and that it is stuck is not proven: ${title}`;
}

/** Why once is not enough, as the rest of a sentence. Null if nothing can end the wait, or nobody has to. */
export function mayEnd({ backendDead, backendUnknown, culprit, onShare }: Facts): string | null {
  if (backendDead) return null;
  if (culprit?.state === 'S') return '';
  // Whether its server still works would tell a slow wait in D from one without end.
  return onShare && backendUnknown !== null ? ` (${backendUnknown})` : null;
}

/**
 * Disks move, or the host itself is short of time. Who waits for a dead server is helped by neither, and CPUs that take no
 * interrupts are not by time.
 */
export function stillWorks({
  onShare,
  backendDead,
  deaf,
  moved,
  stirs,
  hostStarves,
  keptWaiting,
}: Facts): string | null {
  const dead = onShare && backendDead;
  const moves = dead ? null : (moved ?? (onShare ? stirs : null));
  const starves = deaf ? null : (hostStarves ?? (dead ? null : keptWaiting));
  return moves ?? (starves === null ? null : `the host is short of time itself (${starves})`);
}

/** Proven to stand still for so long that what moves meanwhile does not help it. */
export function standsDespiteWork(facts: Facts): boolean {
  const { proven, at, lost, stood, diskMayCome, moved } = facts;
  if (!proven || at < lost.slow || stood?.ran === true) return false;
  return !diskMayCome || moved === null;
}
