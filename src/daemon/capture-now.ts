/** A capture by hand, through a running daemon: only one of us presses keys. */
import type { GuestFacts } from '../core/model.js';
import { isThere } from '../io/presence.js';
import { readGuestFacts } from '../io/ssh/read-facts.js';
import type { CaptureOrder, CaptureResult } from './control.js';
import type { Daemon } from './daemon.js';
import type { Guest } from './guest.js';
import { noGuest } from './known-guests.js';

/** For the host's slots and everything but the printing. */
const WAIT_MS = 150_000;
/** As many dumps as a capture takes. */
const DUMPS = 3;

/** Asks for a dump of this guest and resolves when it is filed, or says why it cannot be. */
export async function captureNow(
  daemon: Daemon,
  vm: string,
  { note, keys }: CaptureOrder,
): Promise<CaptureResult> {
  const guest = daemon.guests.get(vm);
  if (guest === undefined)
    return { directory: null, problem: noGuest(vm, [...daemon.guests.keys()]), code: 'no-guest' };
  const facts = await factsNow(guest);
  const problem = await unavailable(guest);
  if (problem !== null) return { directory: null, problem: `${vm} ${problem}` };
  const filed = guest.nextFiled(WAIT_MS + DUMPS * guest.settings.capture.dumpTimeout);
  guest.now({ type: 'capture-asked', note, keys, ...(facts !== null && { facts }) });
  return filed;
}

/** Its mask and loglevel may have changed since its boot, and the capture has to restore the loglevel. */
async function factsNow(guest: Guest): Promise<GuestFacts | null> {
  const { ssh } = guest.settings;
  if (!ssh.enabled || guest.state.ssh.last?.kind !== 'ok') return null;
  const facts = await readGuestFacts(ssh.host, guest.ssh(ssh.timeout));
  return facts.loglevel === null ? null : facts;
}

/** Why the guest cannot be captured now, or null. */
async function unavailable(guest: Guest): Promise<string | null> {
  const { settings, state } = guest;
  const why = state.why.join('; ');
  if (!(await isThere(guest.whose()))) return `is not running: nobody serves QMP at ${settings.qmpSocket}`;
  if (state.name === 'gone') return `is not running: ${why}`;
  if (state.name === 'paused') return `cannot print now: ${why}`;
  return state.case === null ? null : `is already being captured: ${why}`;
}
