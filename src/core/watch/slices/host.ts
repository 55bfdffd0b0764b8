/** The host that the guest runs on, and the watchdog's own clock. Only these functions write to it. */
import type { HostNow } from '../../host/now.js';
import type { Mono } from '../../time.js';
import { counted, seconds } from '../../words.js';

export interface HostState {
  lastTickAt: Mono | null;
  /** The wall clock at that tick, in milliseconds; null if ticks do not tell. */
  lastWallMs: number | null;
  now: (HostNow & { at: Mono }) | null;
  /** When a deadline was void because this host was late, and when that was told: the newest of each. */
  lateAt: Mono | null;
  toldLateAt: Mono | null;
}

/** A tick that comes this late means that the host was suspended or starved: no verdict from a sleeping judge. */
const LATE_TICK_MS = 5_000;
/** The daemon's own, and what is no lateness yet. */
const TICK_MS = 500;
const UNEVEN_MS = 250;
const TOLD_MS = 60_000;
const LATE_SHOWN_MS = 60_000;
/** A reading older than this says nothing of now. */
const FRESH_MS = 10_000;
/**
 * In percent of the last 10 s: all tasks that were not idle waited for the disk, or for memory. The kernel's average
 * follows slowly: of a disk that stands still it says 40 after 5 s, before a guest can be accused, and 60 after 10 s.
 */
const IO_FULL = 40;
const MEMORY_FULL = 40;
/** What the average says after a second in which nobody could run. */
const STIRS = 10;
/** Guests that stall together have their cause outside. */
const TOGETHER = 3;

export const unknownHost = (): HostState => ({
  lastTickAt: null,
  lastWallMs: null,
  now: null,
  lateAt: null,
  toldLateAt: null,
});

interface Tick {
  at: Mono;
  wallMs?: number;
  host?: HostNow;
}

/** Notes that a deadline was void. True if that is to be told now. */
export function tellLate(host: HostState, at: Mono): boolean {
  host.lateAt = at;
  const told = host.toldLateAt;
  if (told !== null && at - told < TOLD_MS) return false;
  host.toldLateAt = at;
  return true;
}

/** By how much this tick is later than it should be after the one before it, in milliseconds. */
export function lateBy({ lastTickAt }: HostState, at: Mono): number {
  const late = lastTickAt === null ? 0 : at - lastTickAt - TICK_MS;
  return late >= UNEVEN_MS ? late : 0;
}

/** Notes a tick. Returns why nobody watched since the one before it, or null. */
export function ticked(host: HostState, { at, wallMs, host: now }: Tick): string | null {
  const pause = at - (host.lastTickAt ?? at);
  const jumped = clockJumped(host, at, wallMs);
  host.lastTickAt = at;
  host.lastWallMs = wallMs ?? null;
  if (now !== undefined) host.now = { ...now, at };
  if (pause > LATE_TICK_MS) return `the watchdog itself slept for ${seconds(pause)}`;
  return jumped ? 'the wall clock jumped, or the host was suspended' : null;
}

/** The monotonic clock stands still while the host is suspended, and the guests with it; the wall clock goes on. */
function clockJumped({ lastWallMs, lastTickAt }: HostState, at: Mono, wallMs: number | undefined): boolean {
  if (lastWallMs === null || lastTickAt === null || wallMs === undefined) return false;
  return Math.abs(wallMs - lastWallMs - (at - lastTickAt)) > LATE_TICK_MS;
}

/** Why what a guest does slowly may be the host's doing, or null. A CPU that is short shows in the vCPUs' own times. */
export const hostStarves = (host: HostState, at: Mono): string | null =>
  presses(host, at, { io: IO_FULL, memory: MEMORY_FULL });

/** The same of what was slow for so few seconds that the average cannot tell yet. */
export const hostStirs = (host: HostState, at: Mono): string | null =>
  presses(host, at, { io: STIRS, memory: STIRS });

function presses({ now }: HostState, at: Mono, limit: { io: number; memory: number }): string | null {
  if (now === null || at - now.at > FRESH_MS) return null;
  const { io, memory } = now.pressure ?? { io: null, memory: null };
  if (io !== null && io >= limit.io) return `host I/O pressure ${Math.round(io)} %`;
  if (memory !== null && memory >= limit.memory) return `host memory pressure ${Math.round(memory)} %`;
  return null;
}

/** In words, for people: pressure, and how many guests stall at once. Null if nothing is known or worth saying. */
export function hostSays({ now, lateAt }: HostState, at: Mono): { says: string; ageMs: number } | null {
  if (now === null) return null;
  const { cpu = null, io = null, memory = null } = now.pressure ?? {};
  const parts = Object.entries({ cpu, io, memory }).flatMap(([name, value]) =>
    value === null ? [] : [`${name} ${Math.round(value)} %`],
  );
  const pressure =
    parts.length === 0 ? 'the kernel keeps no account of pressure' : `pressure ${parts.join(', ')}`;
  const together =
    now.stalled >= TOGETHER ? `; ${counted(now.stalled, 'guest')} of ${now.guests} stall together` : '';
  const late =
    lateAt !== null && at - lateAt < LATE_SHOWN_MS ? `; it was late itself ${seconds(at - lateAt)} ago` : '';
  return { says: pressure + together + late, ageMs: at - now.at };
}
