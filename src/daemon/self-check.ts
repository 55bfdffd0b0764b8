/** Checks whether the daemon itself makes progress, before each ping of systemd's watchdog. */
import type { Mono } from '../core/time.js';
import { seconds } from '../core/words.js';

/** An effect has a deadline of its own; one that outlives this is a bug that only a restart mends. */
const STUCK_MS = 240_000;
const TICK_STUCK_MS = 5_000;

interface Checked {
  lastTickAt: Mono;
  /** With the effects under way and when each began. */
  guests: Iterable<{ vm: string; underWay: ReadonlyMap<string, Mono> }>;
}

/** What does not move, or null. */
export function selfCheck({ lastTickAt, guests }: Checked, now: Mono): string | null {
  if (now - lastTickAt > TICK_STUCK_MS) return `no tick for ${seconds(now - lastTickAt)}`;
  for (const { vm, underWay } of guests) {
    for (const [effect, since] of underWay) {
      // They wait for their turn as long as others take.
      if (effect !== 'open' && effect !== 'run-command' && now - since > STUCK_MS)
        return `${vm}: ${effect} has not ended for ${seconds(now - since)}`;
    }
  }
  return null;
}
