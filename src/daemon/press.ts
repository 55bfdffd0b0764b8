/** Presses a key on one of the ways there are. Every way has a deadline, and none throws but when the guest stops. */
import type { Channel } from '../core/capture/ladder.js';
import type { PressFault, SysrqKey } from '../core/model.js';
import { monotonicMs } from '../io/clock.js';
import { QmpError } from '../io/qmp/error.js';
import { NoKeyboard, pressChord, pressEvents, pressSecondKeyboard } from '../io/qmp/press.js';
import { triggerSysrq } from '../io/ssh/trigger.js';
import type { Guest } from './guest.js';

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

export function press(guest: Guest, { key, slow, via }: Order): Promise<Pressed> {
  const { qmpSocket, qmp } = guest.settings;
  const options = { timeoutMs: qmp.timeout, signal: guest.stopping.signal };
  switch (via) {
    case 'send-key':
      return untilFree(() => pressChord(qmpSocket, key, { ...options, slow }));
    case 'input-send-event':
      return untilFree(() => pressEvents(qmpSocket, key, options));
    case 'second-keyboard':
      return untilFree(() => pressSecondKeyboard(qmpSocket, key, options));
    case 'sysrq-trigger':
      return inTurn(guest, () => trigger(guest, key));
  }
}

/** Presses a chord; where another client holds QMP, again until it leaves. */
async function untilFree(chord: () => Promise<void>): Promise<Pressed> {
  const started = monotonicMs();
  for (;;) {
    try {
      await chord();
      return PRESSED;
    } catch (error) {
      if (error instanceof NoKeyboard) return { fault: 'no-keyboard', detail: error.message };
      if (!(error instanceof QmpError)) throw error;
      if (error.fault !== 'busy' || monotonicMs() - started > BUSY_MS)
        return { fault: error.fault, detail: error.message };
      await new Promise((resolve) => setTimeout(resolve, BUSY_PAUSE_MS));
    }
  }
}

/**
 * Two writes to /proc/sysrq-trigger run beside each other on two CPUs, and a fence would come in the middle of its
 * dump: the next begins when the last has returned.
 */
const turns = new WeakMap<Guest, Promise<Pressed>>();

function inTurn(guest: Guest, write: () => Promise<Pressed>): Promise<Pressed> {
  const turn = (turns.get(guest) ?? Promise.resolve(PRESSED)).then(write);
  turns.set(
    guest,
    turn.catch(() => PRESSED),
  );
  return turn;
}

async function trigger(guest: Guest, key: SysrqKey): Promise<Pressed> {
  const { ssh, capture } = guest.settings;
  const dump = key !== 'h' && !/^\d$/.test(key);
  const problem = await triggerSysrq(ssh.host, key, {
    // A login does more than a banner; a dump returns when it is stored.
    timeoutMs: 3 * ssh.timeout + (dump ? capture.dumpTimeout : 0),
    config: ssh.configFile,
    signal: guest.stopping.signal,
  });
  return problem === null ? PRESSED : { fault: 'ssh-failed', detail: problem };
}
