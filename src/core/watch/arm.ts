/** Proves that a healthy guest will print its dumps, and with its owner's consent sees to it. */
import { sysrqReply } from '../capture/replies.js';
import type { GuestFacts } from '../model.js';
import type { Context } from './context.js';
import type { GuestEvent } from './events.js';
import { armed, gapIn } from './slices/armed.js';
import {
  type ArmingState,
  factsCame,
  helpAsked,
  helpCame,
  helpFailed,
  helpIsDue,
  helpNotAwaited,
  helpOvertaken,
  settingsChanged,
} from './slices/arming.js';
import { unreadText } from './slices/console.js';

type ArmingEvent = Extract<GuestEvent, { type: 'facts' | 'arming-due' | 'proof' | 'armed' }>;

export function onArming(context: Context, event: ArmingEvent): void {
  switch (event.type) {
    case 'facts':
      onFacts(context, event.facts);
      return;
    case 'arming-due':
      checkArming(context);
      return;
    case 'proof':
      onProof(context, event.problem);
      return;
    case 'armed':
      onArmed(context, event.problem);
  }
}

/** A guest that answers is asked: once a boot, and when it is due again. */
export function checkArming({ state, settings, effects }: Context): void {
  if (settings.arm === 'off' || state.case !== null || state.ssh.lastOkAt === null) return;
  if (state.ssh.last?.kind === 'ok') effects.push({ type: 'read-facts' });
}

function onFacts({ state, settings, effects }: Context, facts: GuestFacts): void {
  const { arming } = state;
  const before = arming.facts;
  factsCame(arming, facts, state.case !== null);
  if (settings.arm === 'off' || state.case !== null) return;
  const settable = gapIn(facts)?.settable === true;
  if (settings.arm === 'fix' && settable && arming.fix === null) effects.push({ type: 'arm-guest' });
  else if (before === null || arming.askedAt === null) effects.push({ type: 'prove-keys' });
}

/** The settings were changed over SSH: they are read again, which also proves it. */
function onArmed({ state, effects }: Context, problem: string | null): void {
  const fix = settingsChanged(state.arming, problem);
  effects.push({ type: 'note', level: 'notice', text: `arm: fix: ${fix}` }, { type: 'read-facts' });
}

function onProof(context: Context, problem: string | null): void {
  const ask = (arming: ArmingState) => helpAsked(arming, problem, context.at);
  if (problem === null) ask(context.state.arming);
  else tell(context, ask);
}

/**
 * HELP while it is awaited: the keyboard, the kernel, the console and its way here are proven. True if this line is it, and
 * so no answer to a capture, whose keys are answered after it.
 */
export function hearHelp(context: Context, text: string): boolean {
  const reply = sysrqReply(text);
  if (reply?.type === 'help') tell(context, helpCame);
  else if (reply !== null && context.state.case !== null) helpNotAwaited(context.state.arming);
  return reply?.type === 'help';
}

export function armingTick(context: Context): void {
  const { arming, case: current, console } = context.state;
  if (arming.askedAt === null) return;
  if (current !== null) helpOvertaken(arming);
  else if (arming.overtaken) helpNotAwaited(arming);
  else if (helpIsDue(arming, context.at)) {
    const unread = console.unread === null ? null : unreadText(console.unread);
    tell(context, () => helpFailed(arming, unread));
  }
}

/** Changes what is known, and says so if that changes whether the guest is armed. */
function tell({ state: { arming }, effects }: Context, change: (arming: ArmingState) => void): void {
  const before = armed(arming);
  change(arming);
  const now = armed(arming);
  if (now !== null && now.says !== before?.says)
    effects.push({ type: 'note', level: now.yes ? 'info' : 'notice', text: `armed: ${now.says}` });
}
