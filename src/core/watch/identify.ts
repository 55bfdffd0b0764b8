/** Finds the QEMU of a guest, and what good boots of its kernel and machine have taught. */
import type { Context } from './context.js';
import { keyToRecall, learnFrom, takeQuestion } from './slices/qemu.js';
import type { Quiet } from './slices/quiet.js';

/** Asks for its QEMU, if that is not known and it is time. */
export function identify({ state, at, effects }: Context): void {
  if (takeQuestion(state.qemu, at)) effects.push({ type: 'identify' });
}

/** Asks what is known of such boots, once kernel and machine are. `again`: though it was asked for before. */
export function recall({ state, effects }: Context, { again = false } = {}): void {
  const key = keyToRecall(state.qemu, state.console.release, again);
  if (key !== null) effects.push({ type: 'recall', key });
}

/** A boot came good with these silences; null if they teach nothing. */
export function learned({ state, effects }: Context, quiet: Quiet | null): void {
  const key = quiet === null ? null : learnFrom(state.qemu, quiet);
  if (quiet !== null && key !== null) effects.push({ type: 'learned', key, quiet });
}
