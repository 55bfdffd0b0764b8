import type { SysrqKey } from '../model.js';

/**
 * Milliseconds that QEMU waits after each of a chord's six key events: the header of a chord's answer comes after
 * about 6 × this. Measured with TCG, Linux 6.1, `w` and `h` by turns, on two cores that were idle, then had four
 * busy loops: 10 took 60 ms and all of 200 chords arrived; 5 took 30 ms and lost none of 200 either; 1 took 5 ms and
 * lost one of 40 on the busy host (the PS/2 queue holds 16 bytes and a chord is 10). 100 takes 600 ms.
 */
const HOLD_MS = 10;
/** For a chord that was lost: 300 ms, in which even a starved guest empties its PS/2 queue. */
const SLOW_HOLD_MS = 50;

interface SendKey {
  keys: { type: 'qcode'; data: string }[];
  'hold-time': number;
}

/** Arguments of `send-key` for Alt+SysRq+key, slower where it was lost before. Letters and digits are their own qcodes (QEMU qapi/ui.json). */
export function sendKeyArguments(key: SysrqKey, slow = false): SendKey {
  const keys = ['alt', 'sysrq', key].map((data) => ({ type: 'qcode' as const, data }));
  return { keys, 'hold-time': slow ? SLOW_HOLD_MS : HOLD_MS };
}

interface SendEvents {
  device?: string;
  events: { type: 'key'; data: { down: boolean; key: { type: 'qcode'; data: string } } }[];
}

/**
 * Arguments of `input-send-event` for the same chord: all at once, 10 bytes of the PS/2 queue's 16. `device` is the
 * display that a keyboard is bound to; without it the one that was activated last gets the keys.
 */
export function sendEventArguments(key: SysrqKey, device?: string): SendEvents {
  const keys = ['alt', 'sysrq', key];
  const turn = (data: string, down: boolean) => ({
    type: 'key' as const,
    data: { down, key: { type: 'qcode' as const, data } },
  });
  const events = [
    ...keys.map((data) => turn(data, true)),
    ...keys.toReversed().map((data) => turn(data, false)),
  ];
  return { ...(device !== undefined && { device }), events };
}
