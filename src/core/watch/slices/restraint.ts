/**
 * What holds the watchdog back from looking again, and again: each look prints on the guest's console, and each
 * incident costs somebody's attention. Only these functions write to it, and `release` is the one reset.
 */
import type { GuestSettings } from '../../config/schema.js';
import type { VerdictClass } from '../../model.js';
import type { Mono } from '../../time.js';

/** A culprit, and since when captures have shown it with the same stack. */
export interface Stood {
  key: string;
  since: Mono;
  /** Its context switches, if the newest dump told them. */
  switches: number | null;
  /** It has run since the capture before. */
  ran: boolean;
}

export interface Restraint {
  /** When it was looked at, and when an incident was filed, within the last hour; not by hand. */
  looks: Mono[];
  filed: Mono[];
  /** The same for what the kernel said while SSH answered: it does not use up what a hang needs. */
  complained: Mono[];
  /** No new look before then, after one that found nothing; and the pause that led there, in ms. */
  notBefore: Mono;
  cooldownMs: number;
  /** Captures in a row that found the guest slow: the pause before the second look doubles with each. */
  patience: number;
  /** Of the newest capture. */
  stood: Stood | null;
  /** What the newest capture came to. */
  judged: { at: Mono; class: VerdictClass; title: string } | null;
}

const HOUR_MS = 3_600_000;
/** A guest whose SSH comes and goes is looked at each time. */
const MAX_LOOKS = 20;
const MAX_SECOND_LOOK_MS = 24_000;
const MAX_COOLDOWN_MS = 30 * 60_000;
/** After a guest that answered rarely is lost for good. */
const SOON_MS = 60_000;

export const unrestrained = (): Restraint => ({
  looks: [],
  filed: [],
  complained: [],
  notBefore: 0,
  cooldownMs: 0,
  patience: 0,
  stood: null,
  judged: null,
});

/** The guest is what it was, or another boot of it: what earlier captures found holds nobody back. The hour's counts stay. */
export function release(restraint: Restraint): void {
  const { looks, filed, complained } = restraint;
  Object.assign(restraint, unrestrained(), { looks, filed, complained });
}

/** What keeps a guest from being looked at: as many as may be in an hour. */
interface Spent {
  spent: 'incidents' | 'looks';
  count: number;
}

/** Counts a look, unless the hour's are spent. `beside`: SSH answers, and only the kernel speaks. */
export function takeLook(
  restraint: Restraint,
  { maxPerHour }: GuestSettings['capture'],
  { at, beside }: { at: Mono; beside: boolean },
): Spent | null {
  const recent = (times: readonly Mono[]) => times.filter((time) => at - time < HOUR_MS);
  restraint.filed = recent(restraint.filed);
  restraint.complained = recent(restraint.complained);
  restraint.looks = recent(restraint.looks);
  const { looks } = restraint;
  const filed = beside ? restraint.complained : restraint.filed;
  const spent = (what: Spent['spent'], times: readonly Mono[]): Spent => {
    if (!beside) restraint.notBefore = (times[0] ?? at) + HOUR_MS;
    return { spent: what, count: times.length };
  };
  if (filed.length >= maxPerHour) return spent('incidents', filed);
  if (looks.length >= MAX_LOOKS) return spent('looks', looks);
  looks.push(at);
  return null;
}

/** The pause between the two looks; longer for a guest that turned out to be slow. */
export const secondLookMs = ({ patience }: Restraint, { secondLook }: GuestSettings['detect']): number =>
  Math.max(secondLook, Math.min(secondLook * 2 ** patience, MAX_SECOND_LOOK_MS));

/** A case came to nothing. The next look waits, twice as long each time, but not beyond `until`. */
export function coolDown(
  restraint: Restraint,
  { cooldown }: GuestSettings['detect'],
  at: Mono,
  until = Infinity,
): void {
  restraint.cooldownMs = Math.min(Math.max(cooldown, restraint.cooldownMs * 2), MAX_COOLDOWN_MS);
  restraint.notBefore = at + restraint.cooldownMs;
  // A moment that has passed is no reason to look again at once, and again.
  if (until > at) restraint.notBefore = Math.min(restraint.notBefore, until);
}

/** The guest is slow: the next second look takes longer. */
export function moreSlowly(restraint: Restraint): void {
  restraint.patience += 1;
}

/** A guest that answered rarely is lost for good: the pause after looks that found nothing is over, but for a minute. */
export function lookSoon(restraint: Restraint): void {
  restraint.notBefore = Math.min(restraint.notBefore, (restraint.looks.at(-1) ?? 0) + SOON_MS);
}

/** There is a witness again that looks since `without` had to do without. */
export function lookAgain(restraint: Restraint, without: Mono): void {
  if ((restraint.looks.at(-1) ?? -Infinity) >= without) restraint.notBefore = 0;
}

/** What a capture came to, and what its culprit's stack was. */
export function judged(restraint: Restraint, what: Restraint['judged'], stood: Stood | null): void {
  restraint.judged = what;
  restraint.stood = stood;
}

export function countFiled(restraint: Restraint, { at, beside }: { at: Mono; beside: boolean }): void {
  (beside ? restraint.complained : restraint.filed).push(at);
}

/** What somebody printed was looked into in vain: that look is none of the hour's. */
export function uncountLook(restraint: Restraint, at: Mono): void {
  restraint.looks = restraint.looks.filter((time) => time !== at);
}

/** The newest that was counted is in no archive. */
export function discountFiled(restraint: Restraint): void {
  restraint.filed.pop();
}
