import { setTimeout as delay } from 'node:timers/promises';
import type { Mono } from '../core/time.js';
import { monotonicMs } from '../io/clock.js';

/**
 * Captures that print at once on this host. All guests of a user share one bucket of journald's rate limit and one reader:
 * the dumps of many at once would lose lines of each other.
 */
const AT_ONCE = 2;
/** A capture that brought no row for so long loads nobody: it only waits, for a fence or for a second look. */
const QUIET_MS = 5_000;
/** Whoever waited for so long gets a place beside those that do print: a chatty guest must not keep another unseen. */
const PATIENCE_MS = 8_000;
/** Printing at once at the most, with those places: a host of 200 guests that all wedge still has one reader. */
const AT_MOST = 6;
const CHECK_MS = 500;

/** A place among the captures of this host. */
export interface Slot {
  /** Its guest printed something. */
  moved(): void;
  giveBack(): void;
}

interface Holder {
  movedAt: Mono;
}

interface Waiter {
  since: Mono;
  holder: Holder;
  go: () => void;
}

/**
 * Limits the captures that print at once on this host; later ones wait their turn, in order. What counts is who prints:
 * one that waits without progress lends its place to the next, and takes part again as soon as its guest prints. So
 * guests that never answer hold up nobody.
 */
export class Slots {
  private readonly holders = new Set<Holder>();
  private readonly waiting: Waiter[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly now: () => Mono = monotonicMs) {}

  async take(): Promise<Slot> {
    const holder = { movedAt: -Infinity };
    await new Promise<void>((go) => {
      this.waiting.push({ since: this.now(), holder, go });
      this.letIn();
    });
    return {
      moved: () => (holder.movedAt = this.now()),
      giveBack: () => {
        if (this.holders.delete(holder)) this.letIn();
      },
    };
  }

  /** Lets in whoever may begin now; where somebody is left, it looks again soon. */
  private letIn(): void {
    const now = this.now();
    for (let next = this.waiting[0]; next !== undefined && this.mayBegin(next, now); next = this.waiting[0]) {
      this.waiting.shift();
      // At once, or the next one would not count it.
      next.holder.movedAt = now;
      this.holders.add(next.holder);
      next.go();
    }
    clearTimeout(this.timer);
    if (this.waiting.length > 0) this.timer = setTimeout(() => this.letIn(), CHECK_MS).unref();
  }

  private mayBegin({ since }: Waiter, now: Mono): boolean {
    let printing = 0;
    for (const { movedAt } of this.holders) if (now - movedAt < QUIET_MS) printing += 1;
    return printing < (now - since >= PATIENCE_MS ? AT_MOST : AT_ONCE);
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
