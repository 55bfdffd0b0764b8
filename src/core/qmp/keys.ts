import type { SysrqKey } from '../model.js';

/**
 * Milliseconds that QEMU waits after each of a chord's six key events: the header of a chord's answer comes after
 * 6 × this. Measured with TCG, Linux 6.1, `w` and `h` by turns: 10 took 60 ms and 160 of 160 chords arrived, also
 * with four busy loops on two cores; 5 took 30 ms and lost none of 160 either; 1 took 5 ms and lost one of 40 on
 * the busy host, because the guest empties its 16-byte PS/2 queue too late. 100, a common choice, takes 600 ms.
 */
const HOLD_MS = 10;

interface SendKey {
  keys: { type: 'qcode'; data: string }[];
  'hold-time': number;
}

/** Arguments of `send-key` for Alt+SysRq+key. Letters and digits are their own qcodes (QEMU qapi/ui.json). */
export function sendKeyArguments(key: SysrqKey): SendKey {
  const keys = ['alt', 'sysrq', key].map((data) => ({ type: 'qcode' as const, data }));
  return { keys, 'hold-time': HOLD_MS };
}
