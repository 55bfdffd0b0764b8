/** What the daemon says of its guests, twice a second, straight from its socket. */
import { setTimeout as delay } from 'node:timers/promises';
import type { GuestStatus } from '../../../src/core/watch/status.js';
import { askStatus, controlSocket } from '../../../src/daemon/control.js';
import { user, type World } from '../world.js';

const POLL_MS = 500;

/** A change of what a guest was said to be; `at` in seconds since the observer began. */
interface Change {
  at: number;
  state: string;
  class: string;
}

export class Observer {
  readonly #latest = new Map<string, GuestStatus>();
  readonly #changes = new Map<string, Change[]>();
  readonly #began = performance.now();
  #stopped = false;
  readonly #loop: Promise<void>;

  constructor(world: World) {
    this.#loop = this.#watch(world.outside(controlSocket(user.runtime)));
  }

  /** Every change of a guest's state or class, oldest first. */
  changes(vm: string): readonly Change[] {
    return this.#changes.get(vm) ?? [];
  }

  latest(vm: string): GuestStatus | undefined {
    return this.#latest.get(vm);
  }

  /** Resolves with the first status that passes. @throws Error at the deadline, in milliseconds */
  async until(vm: string, passes: (guest: GuestStatus) => boolean, timeoutMs: number): Promise<GuestStatus> {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const guest = this.#latest.get(vm);
      if (guest !== undefined && passes(guest)) return guest;
      if (performance.now() > end) {
        const is =
          guest === undefined
            ? 'is not known'
            : `is ${guest.state}, ${guest.class}: ${guest.reasons.join('; ')}`;
        throw new Error(`after ${timeoutMs / 1000} s ${vm} ${is}`);
      }
      await delay(POLL_MS / 2);
    }
  }

  stop(): Promise<void> {
    this.#stopped = true;
    return this.#loop;
  }

  async #watch(socket: string): Promise<void> {
    while (!this.#stopped) {
      const daemon = await askStatus(socket).catch(() => null);
      if (daemon === null) this.#latest.clear(); // stopped: what it said is no longer so
      for (const guest of daemon?.guests ?? []) this.#note(guest);
      await delay(POLL_MS);
    }
  }

  #note(guest: GuestStatus): void {
    this.#latest.set(guest.vm, guest);
    const changes = this.#changes.get(guest.vm) ?? [];
    this.#changes.set(guest.vm, changes);
    const last = changes.at(-1);
    if (last?.state === guest.state && last.class === guest.class) return;
    const at = (performance.now() - this.#began) / 1000;
    changes.push({ at, state: guest.state, class: guest.class });
  }
}
