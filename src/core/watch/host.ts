/** Whether the host itself is what is slow. */
import type { Mono } from '../time.js';
import { counted } from '../words.js';
import type { GuestState } from './state.js';

/** A reading older than this says nothing of now. */
const FRESH_MS = 10_000;
/** In percent of the last 10 s: all tasks that were not idle waited for the disk, or for memory. */
const IO_FULL = 60;
const MEMORY_FULL = 40;
/** Guests that stall together have their cause outside. */
const TOGETHER = 3;

/** Why what a guest does slowly may be the host's doing, or null. A CPU that is short shows in the vCPUs' own times. */
export function hostStarves({ host }: GuestState, at: Mono): string | null {
  if (host === null || at - host.at > FRESH_MS) return null;
  const { io, memory } = host.pressure ?? { io: null, memory: null };
  if (io !== null && io >= IO_FULL) return `host I/O pressure ${Math.round(io)} %`;
  if (memory !== null && memory >= MEMORY_FULL) return `host memory pressure ${Math.round(memory)} %`;
  return null;
}

/** In words, for people: pressure, and how many guests stall at once. Null where nothing is known or worth saying. */
export function hostSays({ host }: GuestState, at: Mono): { says: string; ageMs: number } | null {
  if (host === null) return null;
  const { cpu = null, io = null, memory = null } = host.pressure ?? {};
  const parts = [
    ...Object.entries({ cpu, io, memory }).flatMap(([name, value]) =>
      value === null ? [] : [`${name} ${Math.round(value)} %`],
    ),
  ];
  const pressure =
    parts.length === 0 ? 'the kernel keeps no account of pressure' : `pressure ${parts.join(', ')}`;
  const together =
    host.stalled >= TOGETHER ? `; ${counted(host.stalled, 'guest')} of ${host.guests} stall together` : '';
  return { says: pressure + together, ageMs: at - host.at };
}
