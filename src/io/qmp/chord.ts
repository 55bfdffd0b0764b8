import type { SysrqKey } from '../../core/model.js';
import { isKeyless, KEYLESS, keyboardsIn } from '../../core/qmp/keyboards.js';
import { sendEventArguments, sendKeyArguments } from '../../core/qmp/send-key.js';
import { QmpError } from './error.js';
import { type QmpOptions, type QmpSession, withQmp } from './with-qmp.js';

/** A key that was cut short may have been pressed or not: its one command gets its whole deadline. */
const patiently = (options: QmpOptions): QmpOptions => ({ ...options, holdMs: options.timeoutMs });

/**
 * Presses Alt+SysRq+key. Resolves when QEMU has taken the chord, which says nothing about the guest: QEMU answers
 * before it delivers, and answers the same for a guest that is paused or has no keyboard.
 * @throws QmpError, or the reason of the signal
 */
export async function pressChord(
  socketPath: string,
  key: SysrqKey,
  options: QmpOptions & { slow?: boolean },
): Promise<void> {
  const chord = sendKeyArguments(key, options.slow);
  await withQmp(socketPath, patiently(options), (session) => session.execute('send-key', chord));
}

/** There is none that QEMU could use; the message says why. */
export class NoKeyboard extends Error {}

/**
 * The same at once, without the queue of send-key; QEMU reports an error if it cannot.
 * @throws NoKeyboard, QmpError, or the reason of the signal
 */
export async function pressEvents(socketPath: string, key: SysrqKey, options: QmpOptions): Promise<void> {
  await withQmp(socketPath, patiently(options), (session) =>
    session.execute('input-send-event', sendEventArguments(key)),
  ).catch((error: unknown) => {
    throw error instanceof QmpError && isKeyless(error.message) ? new NoKeyboard(KEYLESS) : error;
  });
}

/**
 * The same on a keyboard other than the default one.
 * @throws NoKeyboard, QmpError, or the reason of the signal
 */
export async function pressSecondKeyboard(
  socketPath: string,
  key: SysrqKey,
  options: QmpOptions,
): Promise<void> {
  await withQmp(socketPath, patiently(options), async (session) => {
    const keyboards = keyboardsIn(await peripherals(session));
    for (const { path } of keyboards) {
      const display = await session.execute('qom-get', { path, property: 'display' });
      if (typeof display !== 'string' || display === '') continue;
      await session.execute('input-send-event', sendEventArguments(key, display));
      return;
    }
    throw new NoKeyboard(whyNone(keyboards.map(({ type }) => type)));
  });
}

async function peripherals(session: QmpSession): Promise<{ path: string; answer: unknown }[]> {
  const found: { path: string; answer: unknown }[] = [];
  for (const path of ['/machine/peripheral', '/machine/peripheral-anon'])
    found.push({ path, answer: await session.execute('qom-list', { path }) });
  return found;
}

function whyNone(types: readonly string[]): string {
  if (types.length === 0) return 'QEMU has no other keyboard';
  return `QEMU gives all keys to ${types.join(', ')}: the guest's kernel needs its driver, or, if the guest hears a PS/2 keyboard, remove it from QEMU's command line`;
}
