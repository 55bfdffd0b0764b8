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

/**
 * What is to be removed, oldest first: what is older than `maxAge`, the oldest beyond `maxIncidents`, and the oldest
 * until the rest fits into `maxSize`, but for that never the newest. Names that are no incident's are left alone and
 * count for nothing.
 */
export function expired(stored: readonly Stored[], limits: Limits, nowMs: number): Expired[] {
  const ours = inAge(stored);
  let count = ours.length;
  let bytes = ours.reduce((sum, one) => sum + one.bytes, 0);
  const gone: Expired[] = [];
  for (const { startedAtMs, ...one } of ours) {
    const why = exceeded({ count, bytes, age: nowMs - startedAtMs }, limits);
    if (why === null) break;
    gone.push({ ...one, why });
    count -= 1;
    bytes -= one.bytes;
  }
  return gone;
}

/** Those that may be removed, oldest first. */
export function inAge(stored: readonly Stored[]) {
  return stored
    .flatMap((one) => {
      const parsed = one.pinned ? null : parseIncidentName(one.name);
      return parsed ? [{ ...one, startedAtMs: parsed.startedAtMs }] : [];
    })
    .sort((a, b) => a.startedAtMs - b.startedAtMs || (a.name < b.name ? -1 : 1));
}

/** The limit that the oldest of so many exceeds, or null; none younger than one that stays exceeds any. */
function exceeded(all: { count: number; bytes: number; age: number }, limits: Limits): string | null {
  if (all.age > limits.maxAge) return `older than archive.maxAge, ${formatDuration(limits.maxAge)}`;
  if (all.count > limits.maxIncidents) return `beyond archive.maxIncidents, ${limits.maxIncidents}`;
  return all.bytes > limits.maxSize && all.count > 1
    ? `beyond archive.maxSize, ${roundSize(limits.maxSize)}`
    : null;
}
