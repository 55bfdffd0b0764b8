import type { SysrqKey } from '../../core/model.js';
import { sendKeyArguments } from '../../core/qmp/keys.js';
import { withQmp, type QmpOptions } from './with-qmp.js';

/**
 * Presses Alt+SysRq+key. Resolves when QEMU has taken the chord, which says nothing of the guest: QEMU answers
 * before it delivers, and answers the same for a guest that is paused or has no keyboard.
 * @throws QmpError, or the reason of the signal
 */
export async function pressChord(
  socketPath: string,
  key: SysrqKey,
  options: QmpOptions & { slow?: boolean },
): Promise<void> {
  const chord = sendKeyArguments(key, options.slow);
  await withQmp(socketPath, options, (session) => session.execute('send-key', chord));
}
