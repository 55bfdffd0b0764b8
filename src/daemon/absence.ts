import { monotonicMs } from '../io/clock.js';
import { isThere } from '../io/presence.js';
import type { Guest } from './guest.js';

/** Not at every tick: with two hundred guests that is a good part of what a tick costs. */
const EVERY_MS = 900;

/**
 * Tells the guest that it runs again, or no more; asks once a second. Returns for how long it has been gone, in
 * milliseconds; null if it is not, or was asked just now.
 */
export async function notePresence(guest: Guest): Promise<number | null> {
  const { state } = guest;
  const now = monotonicMs();
  if (now - guest.socketAskedAt < EVERY_MS) return null;
  guest.socketAskedAt = now;
  if (await isThere(guest.whose())) {
    if (state.name === 'gone') guest.boot(null, monotonicMs(), 'its QMP socket is back');
    guest.hadSocket = true;
    return null;
  }
  const why = absence(guest);
  if (why !== null && state.name !== 'gone') {
    guest.hadSocket = false;
    guest.now({ type: 'gone', reason: why });
  }
  return state.name === 'gone' ? monotonicMs() - state.since : null;
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
