/** Opens a case: the first look is from outside and harmless. */
import type { DumpName } from '../../capture/series.js';
import { counted } from '../../words.js';
import { accuse, type Reason } from '../accuse.js';
import { type Context, enter } from '../context.js';
import { hangBegins } from '../slices/filings.js';
import { PANIC_PRINTS_MS, unconfirmed } from '../slices/claims.js';
import { caseReads, standingUnseen } from '../slices/memory.js';
import { takeLook } from '../slices/restraint.js';
import { sshAnswers } from '../slices/ssh.js';
import { testLooked } from '../slices/tests.js';
import { besideAnswers } from './accusation.js';
import { firstCapture } from './case.js';

/** w shows who is blocked; t shows all, among them those who wait in S for a dead server. */
const ONE_LOOK: DumpName[] = ['sysrq-w.1', 'sysrq-t'];
const TWO_LOOKS: DumpName[] = ['sysrq-w.1', 'sysrq-w.2', 'sysrq-t'];

/** Begins to suspect the guest, unless it is suspected already or the hour's looks are spent. `plan`: the dumps to ask for. */
export function openCase(context: Context, reason: Reason, plan?: DumpName[]): void {
  const { state, at, effects } = context;
  if (state.case !== null) return;
  const { by, why, complaint } = reason;
  const panic = complaint?.kind === 'panic';
  if (by === 'test') testLooked(state.tests, state.console.test);
  if (by !== 'hand' && !mayLook(context, reason)) return;
  // Of a boot that gave up a second look tells nothing more.
  const dumps = by === 'hand' || complaint?.kind === 'emergency' ? ONE_LOOK : TWO_LOOKS;
  state.case = {
    accusation: accuse(state, reason, at),
    before: { name: state.name, why: state.why },
    // A panic still prints its stack: the look comes when it has.
    stage: { name: 'looking', againAt: panic ? complaint.at + PANIC_PRINTS_MS : null },
    looks: [],
    memory: null,
    capture: firstCapture(plan ?? dumps),
    acquitted: null,
    voidLooks: 0,
  };
  enter(context, 'suspect', why);
  caseReads(state.memory, at);
  effects.push({ type: 'snapshot', keep: true });
  if (!panic) effects.push({ type: 'look' });
}

function mayLook(context: Context, { by, why }: Reason): boolean {
  const { state, settings, at } = context;
  hangBegins(state.filings);
  const beside = besideAnswers(by) || (by === 'kernel' && sshAnswers(state.ssh));
  const limit = takeLook(state.restraint, settings.capture, { at, beside });
  if (limit === null) return true;
  const { spent, count } = limit;
  if (by === 'kernel') unconfirmed(state.claims, at);
  if (by === 'stalled') standingUnseen(state.memory, at);
  const says =
    spent === 'incidents'
      ? `not captured: ${counted(count, 'incident')} within the hour`
      : `not looked at: it was ${count} times within the hour`;
  enter(context, spent === 'incidents' && !beside ? 'held' : state.name, [...why, says]);
  return false;
}
