/** Where a guest's boot is, and how silent it was on the way. */
import { isLater, type Phase, phaseIn } from '../console/phases.js';
import type { Mono } from '../time.js';
import type { Context } from './case.js';
import { learn } from './quiet.js';
import type { GuestState } from './state.js';

/** A boot whose beginning was seen: its silences can be learned from. */
export function bootBegins(state: GuestState, phase: Phase, at: Mono): void {
  state.phase = { name: phase, since: at, quiet: {} };
}

/** A line that announces a later phase. */
export function readPhase(state: GuestState, line: string, at: Mono): void {
  const phase = phaseIn(line);
  if (phase !== null && isLater(phase, state.phase.name))
    state.phase = { ...state.phase, name: phase, since: at };
}

/** A silence of the console ends now, with news or with the boot. */
export function silenceEnds(state: GuestState, at: Mono): void {
  const { name, quiet } = state.phase;
  if (quiet !== null) quiet[name] = Math.max(quiet[name] ?? 0, at - state.console.quietSince);
}

/** What was silent now was not the guest's own doing: nothing is learned from this boot. */
export function disturbed(state: GuestState): void {
  state.phase.quiet = null;
}

/** SSH answers for the first time: the boot came good, and what it took is remembered. */
export function bootComesGood({ state, at, effects }: Context): void {
  silenceEnds(state, at);
  const { quiet } = state.phase;
  state.phase = { name: 'up', since: at, quiet: null };
  if (quiet === null || state.learnedFor === null) return;
  state.learned = learn(state.learned, quiet);
  effects.push({ type: 'learned', key: state.learnedFor, quiet });
}
