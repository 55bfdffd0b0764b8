/** The looks from outside: QEMU's word on the machine, before any key is pressed. */
import type { Look } from '../../model.js';
import type { Mono } from '../../time.js';
import { seconds } from '../../words.js';
import { type Context, enter } from '../context.js';
import { hostWasLate } from '../late.js';
import { disturbed } from '../slices/boot.js';
import { silenceIsVoid } from '../slices/console.js';
import { memoryIsVoid } from '../slices/memory.js';
import { failuresAreVoid } from '../slices/ssh.js';
import type { GuestState } from '../state.js';
import type { Case } from './case.js';
import { forgetCase, refuseByHand } from './end.js';
import { lookAtPanic } from './panic.js';
import { moveTo, type StageOf } from './stage.js';

/** Looks that fail before the guest is judged without one: `busy` passes, a stuck main loop does not. */
const MAX_LOOKS = 3;
/** A look holds QMP so briefly that a busy host can spoil it: before QEMU is called stuck, one look has more time. */
const PATIENT_LOOK = MAX_LOOKS + 1;
const AGAIN_MS = 1_000;
const MAX_VOID_LOOKS = 5;
const PANIC_AGAIN_MS = 2_000;
/** A guest that does not run is asked again at this pace. */
const PAUSED_MS = 5_000;
/** Whoever stops QEMU by a signal for so long has forgotten it; a debugger (state t) may stay for hours. */
const STOPPED_MS = 60_000;

/** QEMU cannot be asked, and it is QEMU that does not answer. */
const STUCK_FAULTS: ReadonlySet<string> = new Set(['main-loop-stuck', 'no-greeting', 'timeout']);

/**
 * A look that failed because this host was late is no look: QEMU is asked again. True if it was one. After some of them the
 * guest is judged without a look, and QEMU is still not called stuck.
 */
export function lookIsVoid(context: Context, current: Case, look: Look): boolean {
  const { qmp } = look;
  if (qmp.ok || qmp.late !== true) return false;
  hostWasLate(context, `a look is void (${qmp.detail})`);
  if (current.stage.name !== 'looking') return false;
  current.voidLooks += 1;
  if (current.voidLooks < MAX_VOID_LOOKS) {
    moveTo(current, { name: 'looking', againAt: context.at + AGAIN_MS });
    return true;
  }
  return false;
}

/** The answer that the stage `looking` waits for. */
export function firstLook(context: Context, current: Case, look: Look): void {
  if (context.state.name === 'panicked') open(context, current);
  else if (look.qmp.ok) onView(context, current, look.qmp.runState);
  else onFault(context, current, look.qmp, look.qemu);
}

function open({ effects }: Context, current: Case): void {
  moveTo(current, { name: 'opening' });
  effects.push({ type: 'open' });
}

function onView(context: Context, current: Case, runState: string): void {
  const { state, at } = context;
  if (runState === 'guest-panicked') {
    enter(context, 'panicked', ['QEMU reports that the guest has panicked']);
    open(context, current);
  } else if (runState !== 'running') {
    // What was seen before says nothing of how QEMU answers from now on.
    current.looks = current.looks.slice(-1);
    pause(context, current, `QEMU's run state is ${runState}`);
  } else if (state.name === 'paused') {
    endPause(context, 'QEMU runs the guest again');
  } else if (waitsForPanic(context, current)) {
    moveTo(current, { name: 'looking', againAt: at + PANIC_AGAIN_MS });
  } else {
    if (!isPanicked(state)) enter(context, 'confirming', current.accusation.why);
    open(context, current);
  }
}

/** Whatever was silent was silent because it did not run. */
function endPause(context: Context, because: string): void {
  const { state, at } = context;
  silenceIsVoid(state.console, at);
  failuresAreVoid(state.ssh, at);
  memoryIsVoid(state.memory);
  forgetCase(context, because);
}

/** A panic proves itself by looks, or not yet. */
const waitsForPanic = (context: Context, current: Case): boolean =>
  current.accusation.complaint?.kind === 'panic' && lookAtPanic(context, current) === 'wait';

const isPanicked = ({ name }: GuestState): boolean => name === 'panicked';

/** A guest that does not run prints nothing: it is looked at again, and whoever asked for a dump hears it. */
function pause(context: Context, current: Case, why: string): void {
  if (current.accusation.by === 'hand') {
    refuseByHand(context, why);
    return;
  }
  disturbed(context.state.boot);
  moveTo(current, { name: 'looking', againAt: context.at + PAUSED_MS });
  enter(context, 'paused', [why]);
}

function onFault(
  context: Context,
  current: Case,
  { fault, detail, late }: Extract<Look['qmp'], { ok: false }>,
  qemu: Look['qemu'],
): void {
  if (qemu?.state === 'T' || qemu?.state === 't') {
    stopped(context, current, qemu);
    return;
  }
  const stuck = STUCK_FAULTS.has(fault) && late !== true;
  if (late !== true && current.looks.length < (stuck ? PATIENT_LOOK : MAX_LOOKS)) {
    moveTo(current, { name: 'looking', againAt: context.at + AGAIN_MS });
    return;
  }
  // It may run again by now: what it does from now on tells.
  if (context.state.name === 'paused') {
    endPause(context, `QEMU no longer says whether the guest runs: ${detail}`);
    return;
  }
  if (stuck) enter(context, 'qemu-stuck', [`QEMU does not answer: ${detail}`]);
  else enter(context, 'capturing', [...current.accusation.why, `no dump can be asked for: ${detail}`]);
  open(context, current);
}

/** Nothing of the guest can run, and QEMU cannot even be asked; its memory can be read all the same. */
function stopped(context: Context, current: Case, { pid, state }: NonNullable<Look['qemu']>): void {
  const lasted = context.at - stoppedSince(current, context.at);
  if (state === 't' || lasted < STOPPED_MS || current.accusation.by === 'hand') {
    const by = state === 't' ? 'held by a debugger' : 'stopped by a signal';
    pause(context, current, `QEMU itself (pid ${pid}) is ${by}`);
    return;
  }
  const says = `QEMU itself (pid ${pid}) has been stopped by a signal for ${seconds(lasted)}`;
  current.stopped = `${says}: kill -CONT ${pid} lets the guest run again`;
  enter(context, 'capturing', [current.stopped]);
  open(context, current);
}

function stoppedSince({ looks }: Case, at: Mono): Mono {
  const ran = looks.findLastIndex(({ qemu }) => qemu?.state !== 'T');
  return looks[ran + 1]?.at ?? at;
}

/** Looks again when it is time. */
export function lookingTick({ effects, at }: Context, current: Case, stage: StageOf<'looking'>): void {
  if (stage.againAt === null || at < stage.againAt) return;
  moveTo(current, { name: 'looking', againAt: null });
  effects.push({
    type: 'look',
    ...((current.looks.length + 1 === PATIENT_LOOK || current.voidLooks > 1) && { patient: true as const }),
  });
}
