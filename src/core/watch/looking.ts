/** The look from outside: QEMU's word on the machine, before any key is pressed. */
import { levelToRestore, startLeg } from '../capture/series.js';
import type { Look } from '../model.js';
import { seconds } from '../words.js';
import { type Context, enter, forgetCase, refuseByHand } from './case.js';
import { fileCase } from './judge.js';
import { disturbed } from './phase.js';
import type { Case } from './state.js';

/** Looks that fail before the guest is judged without one: `busy` passes, a stuck main loop does not. */
const MAX_LOOKS = 3;
/** A look holds QMP so briefly that a busy host can spoil it: before QEMU is called stuck, one look has more time. */
const PATIENT_LOOK = MAX_LOOKS + 1;
const AGAIN_MS = 1_000;
/** A guest that does not run is asked again at this pace. */
const PAUSED_MS = 5_000;

/** QEMU cannot be asked, and it is QEMU that does not answer. */
const STUCK_FAULTS: ReadonlySet<string> = new Set(['main-loop-stuck', 'no-greeting', 'timeout']);

export function onLook(context: Context, look: Look): void {
  const { state, at } = context;
  const current = state.case;
  state.seen = [...state.seen.slice(-1), { ...look, at }];
  if (current === null || current.filing) return;
  current.looks = [...current.looks.slice(0, 5), { ...look, at: context.at }];
  if (context.state.name === 'confirming' || context.state.name === 'capturing') return;
  if (context.state.name === 'panicked') context.effects.push({ type: 'open' });
  else if (look.qmp.ok) onView(context, current, look.qmp.runState);
  else onFault(context, current, look);
}

function onView(context: Context, current: Case, runState: string): void {
  const { state, effects, at } = context;
  if (runState === 'guest-panicked') {
    enter(context, 'panicked', ['QEMU reports that the guest has panicked']);
    effects.push({ type: 'open' });
  } else if (runState !== 'running') {
    pause(context, current, `QEMU's run state is ${runState}`);
  } else if (state.name === 'paused') {
    // Whatever was silent was silent because it did not run.
    state.console.quietSince = at;
    state.ssh.failures = 0;
    forgetCase(context, 'QEMU runs the guest again');
  } else {
    enter(context, 'confirming', current.why);
    effects.push({ type: 'open' });
  }
}

/** A guest that does not run prints nothing: it is looked at again, and who asked for a dump is told. */
function pause(context: Context, current: Case, why: string): void {
  if (current.manual) {
    refuseByHand(context, why);
    return;
  }
  disturbed(context.state);
  current.lookAgainAt = context.at + PAUSED_MS;
  enter(context, 'paused', [why]);
}

function onFault(context: Context, current: Case, look: Look): void {
  const { effects, at } = context;
  if (look.qmp.ok) return;
  if (look.qemu?.state === 'T' || look.qemu?.state === 't') {
    pause(context, current, `QEMU itself (pid ${look.qemu.pid}) is stopped by a signal`);
    return;
  }
  const { fault, detail } = look.qmp;
  const stuck = STUCK_FAULTS.has(fault);
  if (current.looks.length < (stuck ? PATIENT_LOOK : MAX_LOOKS)) {
    current.lookAgainAt = at + AGAIN_MS;
    return;
  }
  if (stuck) enter(context, 'qemu-stuck', [`QEMU does not answer: ${detail}`]);
  else enter(context, 'capturing', [...current.why, `no dump can be asked for: ${detail}`]);
  effects.push({ type: 'open' });
}

/** Looks again when it is time, and drops the suspicion of a guest that became healthy while it was paused. */
export function lookTick(context: Context): void {
  const { state, effects, at } = context;
  const current = state.case;
  if (current?.lookAgainAt === null || current === null || at < current.lookAgainAt) return;
  current.lookAgainAt = null;
  effects.push({
    type: 'look',
    ...(current.looks.length + 1 === PATIENT_LOOK && { patient: true as const }),
  });
}

/** The directory is there (or cannot be): press the first key, or file at once what needs no keys. */
export function afterOpened(context: Context): void {
  const { state, at, effects } = context;
  const current = state.case;
  if (current === null) return;
  const last = current.looks.at(-1);
  const canPress = last?.qmp.ok === true && last.qmp.runState === 'running';
  if (!canPress || state.name === 'panicked' || state.name === 'qemu-stuck') {
    fileCase(context);
    return;
  }
  const level = levelToRestore(
    state.facts?.loglevel ?? null,
    state.console.commandLine ?? last.kernelCommandLine,
  );
  const { series, press } = startLeg('raise', at, null, level);
  current.series = series;
  effects.push({ type: 'press', ...press, via: current.channel });
  effects.push({
    type: 'note',
    level: 'info',
    text: `asks the guest for its stacks, ${seconds(at - current.startedAt)} after the first suspicion`,
  });
}
