/** Proves that a healthy guest will print its dumps, and with its owner's consent sees to it. */
import { sysrqReply } from '../capture/replies.js';
import type { GuestFacts } from '../model.js';
import { printable } from '../printable.js';
import { armed, type Arming, gapIn } from './armed.js';
import type { Context } from './case.js';
import type { GuestEvent } from './events.js';
import { unreadText } from './unread.js';

/** From h to HELP: a chord, a line of the console, its way through the journal. */
const HELP_MS = 5_000;
const PROBLEM_MAX = 200;

export type ArmingEvent = Extract<GuestEvent, { type: 'facts' | 'arming-due' | 'proof' | 'armed' }>;

const ARMING: ReadonlySet<GuestEvent['type']> = new Set(['facts', 'arming-due', 'proof', 'armed']);

export const isArming = (event: GuestEvent): event is GuestEvent & ArmingEvent => ARMING.has(event.type);

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

function onFacts(context: Context, facts: GuestFacts): void {
  const { state, settings, effects } = context;
  const before = state.facts;
  // A capture has raised the loglevel: what it was before is what is put back.
  state.facts = state.case === null ? facts : { ...facts, loglevel: before?.loglevel ?? null };
  if (settings.arm === 'off' || state.case !== null) return;
  const settable = gapIn(facts)?.settable === true;
  if (settings.arm === 'fix' && settable && state.arming.fix === null) {
    effects.push({ type: 'arm-guest' });
    return;
  }
  if (before === null || state.arming.askedAt === null) effects.push({ type: 'prove-keys' });
}

/** The settings were changed over SSH: they are read again, which also proves it. */
function onArmed(context: Context, problem: string | null): void {
  const { state, effects } = context;
  const { sysrqMask, loglevel } = state.facts ?? { sysrqMask: null, loglevel: null };
  const was = `kernel.sysrq was ${sysrqMask ?? '?'}, the loglevel ${loglevel ?? '?'}`;
  const fix =
    problem === null ? `set over SSH, ${was}` : `not set over SSH: ${printable(problem, PROBLEM_MAX)}`;
  state.arming = { ...state.arming, fix };
  effects.push({ type: 'note', level: 'notice', text: `arm: fix: ${fix}` }, { type: 'read-facts' });
}

/** `h` was pressed, or could not be. */
function onProof(context: Context, problem: string | null): void {
  const { state, at } = context;
  const { arming } = state;
  if (problem === null) state.arming = { ...arming, askedAt: at, problem: null };
  else tell(context, { ...arming, heard: null, problem: printable(problem, PROBLEM_MAX) });
}

/** HELP while it is awaited: the keyboard, the kernel, the console and its way here are proven. */
export function hearHelp(context: Context, text: string): void {
  const { arming } = context.state;
  if (arming.askedAt === null || sysrqReply(text)?.type !== 'help') return;
  tell(context, { ...arming, askedAt: null, heard: true, problem: null });
}

export function armingTick(context: Context): void {
  const { arming, case: current } = context.state;
  if (arming.askedAt === null) return;
  // A capture asks the same keyboard, and says more.
  if (current !== null) context.state.arming = { ...arming, askedAt: null };
  else if (context.at - arming.askedAt >= HELP_MS) {
    const { unread } = context.state.console;
    if (unread === null) tell(context, { ...arming, askedAt: null, heard: false });
    else tell(context, { ...arming, askedAt: null, heard: null, problem: unreadText(unread) });
  }
}

function tell({ state, effects }: Context, arming: Arming): void {
  const before = armed(state.facts, state.arming);
  state.arming = arming;
  const now = armed(state.facts, arming);
  if (now !== null && now !== before)
    effects.push({ type: 'note', level: now.startsWith('yes') ? 'info' : 'notice', text: `armed: ${now}` });
}
