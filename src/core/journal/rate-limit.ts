/**
 * How much of a burst journald lets pass (journald-rate-limit.c, journald-server.c and journald-context.c of
 * systemd 247 to 257): so many messages of one system unit in an interval, more where its disk has room. All guests
 * of a user are one unit to it, user@UID.service.
 */
import { durationMs } from '../config/duration.js';

interface RateLimit {
  intervalMs: number;
  /** Messages in an interval; Infinity where there is no limit. */
  burst: number;
  from: 'unit' | 'journald.conf';
}

export interface RateLimitFacts {
  /**
   * What PID 1 has told journald of the unit, in microseconds and messages: the links log-rate-limit-interval:UNIT and
   * log-rate-limit-burst:UNIT in /run/systemd/units. They are made when the unit starts.
   */
  unit: { interval: string | null; burst: string | null };
  /** The text of `systemd-analyze cat-config systemd/journald.conf`. */
  journaldConf: string;
  /** Bytes of the filesystem with the journal, of it free, and taken by the journal; null where they cannot be read. */
  disk: { size: number; free: number; used: number } | null;
}

/** What a dump of one process prints, in lines, its registers and its row in the scheduler's table included. */
export const LINES_A_TASK = 30;
/** journald's defaults (journald.conf(5)). */
const DEFAULT = { intervalMs: 30_000, burst: 10_000 };
const GIB = 2 ** 30;
const MIN_USE = 16 * 2 ** 20;
const UNITS: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** The limit that is in force for a unit. */
export function rateLimit({ unit, journaldConf, disk }: RateLimitFacts): RateLimit {
  const set = settingsIn(journaldConf);
  const interval =
    unit.interval === null ? spanMs(set.get('RateLimitIntervalSec')) : Number(unit.interval) / 1000;
  const burst = Number(unit.burst ?? set.get('RateLimitBurst') ?? DEFAULT.burst);
  const from = unit.interval === null && unit.burst === null ? 'journald.conf' : 'unit';
  if (interval === 0 || burst === 0) return { intervalMs: 0, burst: Infinity, from };
  return { intervalMs: interval, burst: Math.floor(burst * factor(disk, set)), from };
}

/** From 1, on a disk with no room, to 6, with a terabyte of it: a power of 16 each. */
function factor(disk: RateLimitFacts['disk'], set: ReadonlyMap<string, string>): number {
  if (disk === null) return 1;
  const { size, free, used } = disk;
  const maxUse = bytes(set.get('SystemMaxUse')) ?? Math.min(size / 10, 4 * GIB);
  const keepFree = bytes(set.get('SystemKeepFree')) ?? Math.min((size * 15) / 100, 4 * GIB);
  const limit = Math.min(Math.max(used + Math.max(0, free - keepFree), MIN_USE), maxUse);
  const available = Math.floor(Math.log2(Math.max(1, limit - used)));
  return available <= 20 ? 1 : (available - 16) / 4;
}

/** Later lines win, and an empty value takes back what was said before. */
function settingsIn(text: string): Map<string, string> {
  const set = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, key = '', value = ''] = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (value === '') set.delete(key);
    else set.set(key, value);
  }
  return set;
}

function spanMs(text: string | undefined): number {
  if (text === undefined) return DEFAULT.intervalMs;
  const ms = durationMs(/^\d+$/.test(text) ? `${text}s` : text);
  return typeof ms === 'number' ? ms : DEFAULT.intervalMs;
}

function bytes(text: string | undefined): number | null {
  const [, number, unit = ''] = /^(\d+)([KMGT]?)$/.exec(text ?? '') ?? [];
  return number === undefined ? null : Number(number) * (UNITS[unit] ?? 1);
}
