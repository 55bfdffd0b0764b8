/** Opens a case: the first look is from outside and harmless. */
import type { DumpName } from '../../capture/series.js';
import { counted } from '../../words.js';
import { accuse, type Reason } from '../accuse.js';
import { type Context, enter } from '../context.js';
import { hangBegins } from '../slices/filings.js';
import { takeLook } from '../slices/restraint.js';
import { firstCapture } from './case.js';

const PANIC_TAIL_MS = 2_000;
/** w shows who is blocked; t shows all, among them those who wait in S for a dead server. */
const ONE_LOOK: DumpName[] = ['sysrq-w.1', 'sysrq-t'];
const TWO_LOOKS: DumpName[] = ['sysrq-w.1', 'sysrq-w.2', 'sysrq-t'];

/** Begins to suspect the guest, unless it is suspected already or the hour's looks are spent. `plan`: the dumps to ask for. */
export function openCase(context: Context, reason: Reason, plan?: DumpName[]): void {
  const { state, at, effects } = context;
  if (state.case !== null) return;
  const { by, why, complaint } = reason;
  const panic = complaint?.kind === 'panic';
  if (by !== 'hand' && !mayLook(context, why, panic)) return;
  // What the kernel said needs no second look.
  const dumps = by === 'kernel' || by === 'hand' ? ONE_LOOK : TWO_LOOKS;
  state.case = {
    accusation: accuse(state, reason, at),
    before: { name: state.name, why: state.why },
    // A panic still prints its stack, and there is nobody left to ask: the look comes when it has.
    stage: { name: 'looking', againAt: panic ? at + PANIC_TAIL_MS : null },
    looks: [],
    capture: firstCapture(plan ?? dumps),
    acquitted: null,
  };
  enter(context, panic ? 'panicked' : 'suspect', why);
  if (!panic) effects.push({ type: 'look' });
}

function mayLook(context: Context, why: string[], panic: boolean): boolean {
  const { state, settings, at } = context;
  hangBegins(state.filings);
  const limit = takeLook(state.restraint, settings.capture, at);
  if (limit === null) return true;
  const { spent, count } = limit;
  const says =
    spent === 'incidents'
      ? `not captured: ${counted(count, 'incident')} within the hour`
      : `not looked at: it was ${count} times within the hour`;
  enter(context, panic ? 'panicked' : spent === 'incidents' ? 'held' : state.name, [...why, says]);
  return false;
}
