/** Presses a key on one of the ways there are. Every way has a deadline, and none throws but when the guest stops. */
import type { Channel } from '../core/capture/ladder.js';
import type { PressFault, SysrqKey } from '../core/model.js';
import { monotonicMs } from '../io/clock.js';
import { QmpError } from '../io/qmp/error.js';
import { findQemu } from '../io/qemu-process.js';
import { pressConsole } from '../io/qmp/console-keys.js';
import type { QmpOptions } from '../io/qmp/with-qmp.js';
import { NoKeyboard, pressChord, pressEvents, pressSecondKeyboard } from '../io/qmp/chord.js';
import { noLogin } from '../io/ssh/resolve.js';
import { SysrqSession } from '../io/ssh/sysrq-session.js';
import type { GuestHandle } from './guest-handle.js';

interface Pressed {
  fault: PressFault | null;
  detail: string;
}

interface Order {
  key: SysrqKey;
  slow: boolean;
  via: Channel;
}

/** Another client that holds QMP leaves soon, as a rule. */
const BUSY_MS = 3_000;
const BUSY_PAUSE_MS = 200;

const PRESSED: Pressed = { fault: null, detail: '' };

export function press(guest: GuestHandle, { key, slow, via }: Order): Promise<Pressed> {
  const { qmpSocket, qmp } = guest.settings;
  const options = { timeoutMs: qmp.timeout, signal: guest.stopping.signal };
  switch (via) {
    case 'send-key':
      return untilFree(() => pressChord(qmpSocket, key, { ...options, slow }));
    case 'input-send-event':
      return untilFree(() => pressEvents(qmpSocket, key, options));
    case 'second-keyboard':
      return untilFree(() => pressSecondKeyboard(qmpSocket, key, options));
    case 'console':
      return untilFree(() => onConsole(guest, key, options));
    case 'sysrq-trigger':
      return trigger(guest, key);
  }
}

const FIND_MS = 1_000;

/** Which console there is, QEMU's own arguments tell. */
async function onConsole(guest: GuestHandle, key: SysrqKey, options: QmpOptions): Promise<void> {
  const found = await findQemu(guest.whose(), AbortSignal.timeout(FIND_MS));
  if (found === null) throw new NoKeyboard('its QEMU is not among the processes of this host');
  await pressConsole(guest.settings.qmpSocket, found.argv, key, options);
}

/** Presses a chord; where another client holds QMP, or this host is short of descriptors, again until that is over. */
async function untilFree(chord: () => Promise<void>): Promise<Pressed> {
  const started = monotonicMs();
  for (;;) {
    try {
      await chord();
      return PRESSED;
    } catch (error) {
      if (error instanceof NoKeyboard) return { fault: 'no-keyboard', detail: error.message };
      if (!(error instanceof QmpError)) throw error;
      const passes = error.fault === 'busy' || error.fault === 'no-resources';
      if (!passes || monotonicMs() - started > BUSY_MS) return { fault: error.fault, detail: error.message };
      await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS));
    }
  }
}

/** The one login of each guest that is captured over SSH. */
const sessions = new WeakMap<GuestHandle, SysrqSession>();

async function trigger(guest: GuestHandle, key: SysrqKey): Promise<Pressed> {
  const { ssh, capture } = guest.settings;
  const refused = await noLogin(ssh.host, guest.ssh(ssh.timeout));
  if (refused !== null) return { fault: 'ssh-failed', detail: refused };
  // A login does more than a banner.
  const login = 3 * ssh.timeout;
  // A fence waits for its dump, which returns when it is stored.
  const timeoutMs = /^\d$/.test(key) ? login : login + capture.dumpTimeout;
  try {
    const problem = await sessionOf(guest, login).press(key, timeoutMs);
    return problem === null ? PRESSED : { fault: 'ssh-failed', detail: problem };
  } catch (error) {
    return { fault: 'ssh-failed', detail: `cannot start ssh: ${String(error)}` };
  }
}

function sessionOf(guest: GuestHandle, timeoutMs: number): SysrqSession {
  const kept = sessions.get(guest);
  if (kept !== undefined && !kept.ended) return kept;
  const session = new SysrqSession(guest.settings.ssh.host, guest.ssh(timeoutMs));
  sessions.set(guest, session);
  return session;
}
