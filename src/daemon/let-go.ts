/** Lets go of a guest in the middle of its capture: its loglevel goes back, whatever else is left undone. */
import { setTimeout as delay } from 'node:timers/promises';
import { sysrqReply } from '../core/capture/replies.js';
import { chordBack } from '../core/watch/case/asking.js';
import type { GuestHandle } from './guest-handle.js';
import { press } from './press.js';

/** Stopping ends within 10 s, and the evidence has to reach the disk as well. */
const WITHIN_MS = 3_000;
/** A guest that is in the middle of a dump answers when that is stored; a digit that was lost is pressed again. */
const ANSWER_MS = 1_200;

/** Lines of its console go to it while it is let go. */
type Listen = (onLine: ((text: string) => void) | null) => void;

/** Resolves once the guest confirms its loglevel, or after 3 s with a warning that says how to put it back. Never rejects. */
export async function restoreLoglevel(guest: GuestHandle, listen: Listen): Promise<void> {
  const chord = chordBack(guest.state);
  if (chord === null) return;
  const { key } = chord;
  const late = lateAfter(WITHIN_MS);
  const confirmed = new Promise<'confirmed'>((resolve) => {
    listen((text) => {
      const reply = sysrqReply(text);
      if (reply?.type === 'level' && reply.level === key) resolve('confirmed');
    });
  });
  const end = await Promise.race([confirmed, late, pressTwice(guest, chord, confirmed)]);
  listen(null);
  if (end === 'confirmed')
    guest.log('info', `stopped in the middle of a capture: its loglevel is ${key} again`);
  else
    guest.log(
      'warning',
      `stopped in the middle of a capture: it did not confirm that its loglevel is ${key} again; if it is 8, run in the guest: dmesg -n ${key}`,
    );
}

/** Resolves only if neither was answered. */
async function pressTwice(
  guest: GuestHandle,
  chord: NonNullable<ReturnType<typeof chordBack>>,
  confirmed: Promise<'confirmed'>,
): Promise<'confirmed' | 'late'> {
  for (const slow of [false, true]) {
    await press(guest, { ...chord, slow }).catch(() => null);
    const end = await Promise.race([confirmed, lateAfter(ANSWER_MS)]);
    if (end === 'confirmed') return end;
  }
  return 'late';
}

const lateAfter = (ms: number): Promise<'late'> => delay(ms, 'late', { ref: false });
