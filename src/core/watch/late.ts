/** A deadline that passed while this host, or the watchdog itself, was late says nothing of the guest. */
import type { Context } from './context.js';
import { tellLate } from './slices/host.js';

/** Notes it, and says so once a minute. `what`: what is void for it. */
export function hostWasLate({ state, at, effects }: Context, what: string): void {
  if (!tellLate(state.host, at)) return;
  const text = `this host was late, and accuses nobody: ${what}`;
  effects.push({ type: 'note', level: 'notice', text });
}
