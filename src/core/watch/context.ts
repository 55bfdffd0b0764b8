/** What each part of the decision works on, and the one way to change a guest's state. */
import type { GuestSettings } from '../config/schema.js';
import type { Mono } from '../time.js';
import type { Effect } from './events.js';
import { flappingSince, flapsText } from './slices/ssh.js';
import type { GuestState } from './state.js';
import type { StateName } from './state-name.js';

export interface Context {
  state: GuestState;
  settings: GuestSettings;
  at: Mono;
  effects: Effect[];
}

/** Changes the state and says why; the same state again only renews its reasons. */
export function enter({ state, at, effects }: Context, name: StateName, why: string[]): void {
  const told = state.why.join('; ') === why.join('; ');
  state.why = why;
  if (state.name === name) return;
  state.name = name;
  state.since = at;
  const level = name === 'suspect' || name === 'confirming' ? 'info' : 'notice';
  effects.push({ type: 'note', level, text: told ? name : `${name}: ${why.join('; ')}` });
}

/** What a guest is called while nothing is known to be wrong with it. */
export function enterCalm(context: Context, why: string[]): void {
  const { state, settings, at } = context;
  if (flappingSince(state.ssh) !== null) {
    enter(context, 'suspect', [flapsText(state.ssh, at), ...why]);
    return;
  }
  const up = state.ssh.lastOkAt !== null || (!settings.ssh.enabled && state.restraint.cooldownMs > 0);
  enter(context, up ? 'up' : 'starting', why);
}
