import type { Mono } from '../core/time.js';
import { monotonicMs } from '../io/clock.js';
import { isThere as isThereNow } from '../io/presence.js';
import type { Guest } from './guest.js';

/** Not at every tick: with two hundred guests that is a good part of what a tick costs. */
const EVERY_MS = 900;
/** A guest that is gone is shown for a while. */
const SHOWN_MS = 10 * 60_000;

interface PresenceOptions {
  /** It has been gone for so long that it need not be shown. */
  onLongGone: (guest: Guest) => Promise<void>;
  isThere?: typeof isThereNow;
}

/** Tells guests that they run again, or no more. */
export class Presence {
  private askedAt: Mono = -Infinity;
  /** A file system that hangs keeps the question about one guest, and no other one, without an answer. */
  private readonly asking = new Set<Guest>();

  constructor(private readonly options: PresenceOptions) {}

  /** Call it with each tick: asks for all guests together, once a second. Resolves when all have been told. */
  async tick(guests: Iterable<Guest>, at: Mono): Promise<void> {
    if (at - this.askedAt < EVERY_MS) return;
    this.askedAt = at;
    const due = [...guests].filter((guest) => !this.asking.has(guest));
    await Promise.all(due.map((guest) => this.ask(guest)));
  }

  private async ask(guest: Guest): Promise<void> {
    this.asking.add(guest);
    try {
      await this.note(guest);
    } finally {
      this.asking.delete(guest);
    }
  }

  private async note(guest: Guest): Promise<void> {
    const { isThere = isThereNow, onLongGone } = this.options;
    const { state } = guest;
    if (await isThere(guest.whose())) {
      if (state.name === 'gone') guest.boot(null, monotonicMs(), 'its QMP socket is back');
      guest.hadSocket = true;
      return;
    }
    const why = absence(guest);
    if (why !== null && state.name !== 'gone') {
      guest.hadSocket = false;
      guest.now({ type: 'gone', reason: why });
    }
    if (state.name === 'gone' && monotonicMs() - state.since > SHOWN_MS) await onLongGone(guest);
  }
}

/**
 * Why a guest without a QMP socket does not run, or null. The journal cannot say: lines of a guest that ended before this
 * daemon started are read late. A guest that answers SSH runs, so its qmp: is wrong.
 */
function absence({ hadSocket, state: { ssh }, settings }: Guest): string | null {
  if (hadSocket) return 'its QMP socket is gone: QEMU has ended';
  const asked = !settings.ssh.enabled || ssh.last !== null;
  if (!asked || ssh.lastOkAt !== null) return null;
  return `no QMP socket at ${settings.qmpSocket}: the guest is not started, or its qmp: is wrong`;
}
