import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from '../io/clock.js';

/** Limits the captures at once on this host; later ones wait their turn, in order. */
export class Slots {
  private readonly waiting: (() => void)[] = [];

  constructor(private free: number) {}

  /** Resolves with the function that gives the slot back. */
  async take(): Promise<() => void> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const next = this.waiting.shift();
      if (next === undefined) this.free += 1;
      else next();
    };
  }
}

/** A starting daemon finds all its guests at once: this is the pause between two logins. */
const LOGIN_MS = 250;

/** For what must not begin in a burst. */
export class Pace {
  private next = 0;

  /** Resolves when it is the caller's turn, in order, or at once when the signal aborts. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = monotonicMs();
    const at = Math.max(now, this.next);
    this.next = at + LOGIN_MS;
    if (at > now) await delay(at - now, undefined, { signal }).catch(() => undefined);
  }
}
