/** Which incidents have to go. */
import { formatDuration } from '../config/duration.js';
import { roundSize } from '../config/size.js';
import { parseIncidentName } from './incident.js';

export interface Limits {
  maxIncidents: number;
  /** Milliseconds. */
  maxAge: number;
  /** Bytes of all together. */
  maxSize: number;
}

export interface Stored {
  /** Its directory's name. */
  name: string;
  bytes: number;
  /** Kept whatever the limits say, and not counted. */
  pinned: boolean;
}

export interface Expired extends Stored {
  /** The limit that it exceeds. */
  why: string;
}

export interface Expiry {
  /** What is to be removed, oldest first. */
  gone: Expired[];
  /** As many look older than `maxAge` that the clock is more likely wrong: they stay. Zero if it is believed. */
  doubted: number;
}

/** What no age removes, and so no wrong clock: so many of the newest, and so many of each guest. */
const AGELESS = { newest: 20, ofEachGuest: 3 };

/** This many of the newest stay, however full the disk is. */
const KEPT_ON_FULL_DISK = 10;

interface Aged extends Stored {
  startedAtMs: number;
  vm: string;
}

/**
 * What is older than `maxAge`, but for the newest 20 and the newest 3 of each guest; then what is beyond
 * `maxIncidents` and `maxSize`. For those two the guest that has most pays, with its oldest: a guest within its share
 * of both, the limit by the number of guests, loses none to another. Of the newest incident no more than its guest's
 * share counts, and it stays. If more than half would go by age, none does unless `trustClock`. Names that are no
 * incident's are left alone and count for nothing.
 */
export function expired(
  stored: readonly Stored[],
  limits: Limits,
  nowMs: number,
  trustClock = false,
): Expiry {
  const ours = inAge(stored);
  const old = tooOld(ours, limits, nowMs);
  const doubted = !trustClock && old.size > ours.length / 2 ? old.size : 0;
  const why = new Map<string, string>();
  const stays = () => ours.filter(({ name }) => !why.has(name));
  const go = (names: Iterable<string>, because: string) => {
    for (const name of names) why.set(name, because);
  };
  if (doubted === 0) go(old, `older than archive.maxAge, ${formatDuration(limits.maxAge)}`);
  go(
    beyond(stays(), limits.maxIncidents, () => 1),
    `beyond archive.maxIncidents, ${limits.maxIncidents}`,
  );
  go(
    beyond(stays(), limits.maxSize, ({ bytes }) => bytes),
    `beyond archive.maxSize, ${roundSize(limits.maxSize)}`,
  );
  const gone = ours.flatMap(({ name, bytes, pinned }) => {
    const because = why.get(name);
    return because === undefined ? [] : [{ name, bytes, pinned, why: because }];
  });
  return { gone, doubted };
}

/** Those that may be removed, oldest first. */
function inAge(stored: readonly Stored[]): Aged[] {
  return stored
    .flatMap((one) => {
      const parsed = one.pinned ? null : parseIncidentName(one.name);
      return parsed ? [{ ...one, startedAtMs: parsed.startedAtMs, vm: parsed.vm }] : [];
    })
    .sort((a, b) => a.startedAtMs - b.startedAtMs || (a.name < b.name ? -1 : 1));
}

/**
 * The one that makes room on a full disk: the oldest of the guest whose incidents take most, but none of the newest
 * ten. Null if there is none.
 */
export function displaced(stored: readonly Stored[]): string | null {
  const ours = inAge(stored);
  const removable = new Set(ours.slice(0, -KEPT_ON_FULL_DISK).map(({ name }) => name));
  const guests = [...byGuest(ours).values()].filter(([oldest]) => oldest && removable.has(oldest.name));
  return heaviest(guests, ({ bytes }) => bytes)?.[0]?.name ?? null;
}

function tooOld(ours: readonly Aged[], { maxAge }: Limits, nowMs: number): Set<string> {
  const ageless = new Set(ours.slice(-AGELESS.newest));
  for (const one of byGuest(ours).values())
    for (const newest of one.slice(-AGELESS.ofEachGuest)) ageless.add(newest);
  const old = ours.filter((one) => nowMs - one.startedAtMs > maxAge && !ageless.has(one));
  return new Set(old.map(({ name }) => name));
}

/** The names that go until the rest weighs no more than the limit; the newest does not. */
function beyond(ours: readonly Aged[], limit: number, weigh: (one: Aged) => number): string[] {
  const guests = [...byGuest(ours).values()];
  const newest = ours.at(-1);
  // Or one huge incident would push out those of all other guests.
  const counted = (one: Aged) => (one === newest ? Math.min(weigh(one), limit / guests.length) : weigh(one));
  const gone: string[] = [];
  let total = ours.reduce((sum, one) => sum + counted(one), 0);
  while (total > limit) {
    const payer = heaviest(
      guests.filter(([oldest]) => oldest !== undefined && oldest !== newest),
      counted,
    );
    const one = payer?.shift();
    if (one === undefined) break;
    total -= counted(one);
    gone.push(one.name);
  }
  return gone;
}

/** The guest whose incidents weigh most; of equals that with the oldest. */
function heaviest(guests: Aged[][], weigh: (one: Aged) => number): Aged[] | null {
  let most: { guest: Aged[]; weight: number } | null = null;
  for (const guest of guests) {
    const weight = guest.reduce((sum, one) => sum + weigh(one), 0);
    const older = most !== null && ageOf(guest) < ageOf(most.guest);
    if (most === null || weight > most.weight || (weight === most.weight && older)) most = { guest, weight };
  }
  return most?.guest ?? null;
}

const ageOf = ([oldest]: Aged[]): number => oldest?.startedAtMs ?? Infinity;

/** Oldest first. */
function byGuest(ours: readonly Aged[]): Map<string, Aged[]> {
  const guests = new Map<string, Aged[]>();
  for (const one of ours) {
    const known = guests.get(one.vm);
    if (known === undefined) guests.set(one.vm, [one]);
    else known.push(one);
  }
  return guests;
}
