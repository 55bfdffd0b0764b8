/** Decides with each question answered at once: in replay and in tests nothing else goes on meanwhile. */
import type { GuestSettings } from '../config/schema.js';
import { type Answer, answerTo } from './analyst.js';
import type { Effect, GuestEvent } from './events.js';
import type { GuestState } from './state.js';
import { step } from './step.js';

/** Updates `state` by one event, as step() does. `recorded`: the answer that was given in its day; null to answer now. */
export function decide(
  state: GuestState,
  event: GuestEvent,
  settings: GuestSettings,
  recorded: () => Answer | null = () => null,
): Effect[] {
  return step(state, event, settings).flatMap((effect) => {
    if (effect.type !== 'analyse') return [effect];
    const answer = recorded() ?? answerTo(effect.question);
    return decide(state, { type: 'analysed', at: event.at, answer }, settings, recorded);
  });
}
