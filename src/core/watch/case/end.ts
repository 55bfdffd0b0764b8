/** The ways in which a case ends without an incident, and what follows one that was filed. */
import type { Mono } from '../../time.js';
import { seconds } from '../../words.js';
import { type Context, enter, enterCalm } from '../context.js';
import { silenceIsVoid } from '../slices/console.js';
import { complaintWaits, confirmed, unconfirmed } from '../slices/claims.js';
import { notKept, wasSaid } from '../slices/filings.js';
import { standingTold, standingUnseen } from '../slices/memory.js';
import { coolDown, discountFiled, uncountLook } from '../slices/restraint.js';
import { flappingSince } from '../slices/ssh.js';
import type { GuestState } from '../state.js';
import { isHung, type StateName } from '../state-name.js';
import { besideAnswers } from './accusation.js';
import type { Case } from './case.js';
import { memoryIsWhole } from './memory.js';

/** By then SSH has answered, or is lost. */
const SSH_SAYS_MS = 10_000;

/** Ends a case without an incident. The next look waits, but not beyond `until`. */
export function dropCase(context: Context, why: string, until?: Mono): void {
  const { state, settings, at } = context;
  tellDropped(context, why);
  const by = state.case?.accusation.by;
  if (state.case !== null && by === 'kernel') unconfirmedCase(context, state.case);
  else if (state.case !== null && by === 'stalled') {
    uncountLook(state.restraint, state.case.accusation.suspectAt);
    const end = memoryIsWhole(state.case) ? standingTold : standingUnseen;
    end(state.memory, at);
  } else coolDown(state.restraint, settings.detect, at, until);
  state.case = null;
  enterCalm(context, [why]);
}

/** What the console said holds back only what it says next: a hang is looked at as if nobody had said anything. */
function unconfirmedCase({ state, settings, at }: Context, { accusation }: Case): void {
  const { complaint, suspectAt } = accusation;
  unconfirmed(state.claims, at);
  uncountLook(state.restraint, suspectAt);
  // Whoever oopsed is in no dump: it is SSH that has the say, and it has said nothing yet.
  const { lastOkFrom, failures } = state.ssh;
  const open = lastOkFrom !== null && failures < settings.ssh.failures;
  if (complaint?.kind === 'oops' && open && lastOkFrom <= complaint.at)
    complaintWaits(state.claims, complaint, at + SSH_SAYS_MS);
}

/** What the kernel said is in an incident: it was right, and says nothing new. */
export function knownCase(context: Context, because: string): void {
  const { state, at } = context;
  if (state.case === null) return;
  const { complaint, suspectAt } = state.case.accusation;
  uncountLook(state.restraint, suspectAt);
  confirmed(state.claims);
  if (complaint !== null) wasSaid(state.filings, complaint.text, at);
  forgetCase(context, because);
}

/** Only a suspicion is taken back by signs of life: what the kernel said, or somebody asked for, is captured. */
export function mayBeAcquitted({ case: current, name, ssh }: GuestState): boolean {
  if (current === null || current.accusation.complaint !== null) return false;
  if (current.accusation.by === 'hand' || besideAnswers(current.accusation.by)) return false;
  // One more answer of many that did not come clears nobody.
  if (flappingSince(ssh) !== null) return false;
  return name === 'suspect' || name === 'confirming';
}

/** Ends a case because the guest moves again, once the conversation under way has ended. */
export function acquit(context: Context, because: string): void {
  const current = context.state.case;
  if (current === null) return;
  switch (current.stage.name) {
    case 'looking':
    case 'opening':
    case 'weighing':
    case 'holding':
      forgetCase(context, because);
      return;
    case 'asking':
    case 'reading':
    case 'waiting':
    case 'climbing':
    case 'restoring':
      current.acquitted ??= because;
      return;
    case 'judging':
    case 'filing':
  }
}

/** Ends a case at once: nothing was wrong, and the next look has nothing to wait for. */
export function forgetCase(context: Context, because: string): void {
  const { state } = context;
  if (state.case !== null && state.case.stage.name !== 'filing') tellDropped(context, because);
  state.case = null;
  enterCalm(context, [because]);
}

/** A directory was asked for, or somebody waits for the incident. */
function tellDropped({ state: { case: current }, effects }: Context, why: string): void {
  if (current === null) return;
  if (current.stage.name !== 'looking' || current.accusation.by === 'hand')
    effects.push({ type: 'drop', why });
}

/** A capture by hand cannot be made: the guest is left as it was. */
export function refuseByHand(context: Context, why: string): void {
  tellDropped(context, why);
  closeCase(context);
}

/** What a capture by hand does not end. */
const LASTING: ReadonlySet<StateName> = new Set(['held', 'panicked', 'qemu-stuck', 'gone']);

/** Ends a case that was filed: its guest is where the case left it, or where a capture by hand found it. */
export function closeCase(context: Context): void {
  const { state } = context;
  const ended = state.case;
  state.case = null;
  if (ended?.accusation.by !== 'hand' || LASTING.has(state.name)) return;
  if (LASTING.has(ended.before.name)) enter(context, ended.before.name, ended.before.why);
  else enterCalm(context, ['a capture by hand has ended']);
}

/**
 * Ends a case of which the archive could keep nothing: the hang is not held, but looked into again. The pause before
 * that doubles each time, as after a look that found nothing.
 */
export function closeUnkept(context: Context, problem: string): void {
  const { state, settings, at } = context;
  const { accusation } = state.case ?? {};
  closeCase(context);
  if (accusation === undefined || accusation.by === 'hand') return;
  discountFiled(state.restraint);
  coolDown(state.restraint, settings.detect, at);
  notKept(state.filings, accusation.complaint?.text ?? null, state.restraint.notBefore);
  if (state.name === 'held') enter(context, 'suspect', [...state.why, `not archived: ${problem}`]);
}

/** A sign of life, and whether it proves that what was filed is over. */
interface Life {
  sign: 'answer' | 'command' | 'news' | 'boot';
  says: string;
}

/** Ends `held`: the guest moves again. */
export function recovered(context: Context, { sign, says }: Life): void {
  const { state, at, effects } = context;
  if (!isHung(state.name)) return;
  if (state.name === 'held' && sign === 'answer' && state.filings.filedFor === 'complaint') {
    enter(context, 'up', ['SSH answers as before; what is stuck may still be stuck']);
    return;
  }
  const afterMs = at - state.since;
  effects.push({ type: 'recovered', afterMs, because: says });
  if (state.case !== null && state.case.stage.name !== 'filing') tellDropped(context, says);
  closeCase(context);
  silenceIsVoid(state.console, at);
  enter(context, 'recovered', [`${says}, ${seconds(afterMs)} after it was filed`]);
}
