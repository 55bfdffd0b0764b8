/** Opening and closing a case, and the one way to change a guest's state. */
import type { DumpName } from '../capture/series.js';
import type { GuestSettings } from '../config/schema.js';
import type { Mono } from '../time.js';
import { counted, seconds } from '../words.js';
import type { Effect } from './events.js';
import { flappingSince, flapsText } from './flapping.js';
import type { Case, GuestState, StateName } from './state.js';

export interface Context {
  state: GuestState;
  settings: GuestSettings;
  at: Mono;
  effects: Effect[];
}

const HOUR_MS = 3_600_000;
/** A guest whose SSH comes and goes is looked at each time; every look prints on its console. */
const MAX_LOOKS = 20;
const CHATTY_MS = 15_000;
const PANIC_TAIL_MS = 2_000;
const MAX_SECOND_LOOK_MS = 24_000;
const MAX_COOLDOWN_MS = 30 * 60_000;
/** w shows who is blocked; t shows all, among them those who wait in S for a dead server. */
const ONE_LOOK: DumpName[] = ['sysrq-w.1', 'sysrq-t'];
const TWO_LOOKS: DumpName[] = ['sysrq-w.1', 'sysrq-w.2', 'sysrq-t'];

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
  if (flappingSince(state) !== null) {
    enter(context, 'suspect', [flapsText(state, at), ...why]);
    return;
  }
  const up = state.ssh.lastOkAt !== null || (!settings.ssh.enabled && state.cooldownMs > 0);
  enter(context, up ? 'up' : 'starting', why);
}

/** Within the hour: incidents as configured, and looks, most of which find nothing. Sets when the next may be. */
function limitReached({ state, settings, at }: Context): { state: StateName; why: string } | null {
  const recent = (times: readonly Mono[]) => times.filter((time) => at - time < HOUR_MS);
  state.filed = recent(state.filed);
  state.looks = recent(state.looks);
  if (state.filed.length >= settings.capture.maxPerHour) {
    state.notBefore = (state.filed[0] ?? at) + HOUR_MS;
    return { state: 'held', why: `not captured: ${counted(state.filed.length, 'incident')} within the hour` };
  }
  if (state.looks.length >= MAX_LOOKS) {
    state.notBefore = (state.looks[0] ?? at) + HOUR_MS;
    return { state: state.name, why: `not looked at: it was, ${state.looks.length} times within the hour` };
  }
  return null;
}

/** What a case is opened for; by default nobody asked, and w, w again and t are to be dumped. */
type Reason = Pick<Case, 'why' | 'complaint'> &
  Partial<Pick<Case, 'manual' | 'note' | 'plan' | 'live' | 'greets'>>;

const BY_DEFAULT = { manual: false, note: null, live: false, greets: false, plan: null };

/** Begins to suspect the guest: the first look is from outside and harmless. */
export function openCase(context: Context, reason: Reason): void {
  const { state, at, effects } = context;
  if (state.case !== null) return;
  const { why, complaint, manual, note, live, greets, plan } = { ...BY_DEFAULT, ...reason };
  const panic = complaint?.kind === 'panic';
  if (!manual) {
    state.incident = null;
    const limit = limitReached(context);
    if (limit !== null) {
      enter(context, panic ? 'panicked' : limit.state, [...why, limit.why]);
      return;
    }
    state.looks.push(at);
  }
  state.case = {
    why,
    complaint,
    manual,
    note,
    live,
    greets,
    chatty: at - (state.console.heardAt ?? -Infinity) < CHATTY_MS,
    before: { name: state.name, why: state.why },
    startedAt: at,
    looks: [],
    // A panic still prints its stack, and there is nobody left to ask: the look comes when it has.
    lookAgainAt: panic ? at + PANIC_TAIL_MS : null,
    open: false,
    series: null,
    raised: false,
    digits: null,
    acquitted: null,
    secondLookAt: null,
    again: null,
    strays: 0,
    // What the kernel said needs no second look.
    plan: plan ?? (complaint === null && !manual ? TWO_LOOKS : ONE_LOOK),
    asked: 0,
    dumps: [],
    channel: 'send-key',
    ladder: null,
    climbing: null,
    rungs: [],
    filing: false,
  };
  enter(context, panic ? 'panicked' : 'suspect', why);
  if (!panic) effects.push({ type: 'look' });
}

/** The pause between the two looks; longer where the guest turned out to be slow. */
export const secondLookMs = ({ state, settings: { detect } }: Context): number =>
  Math.max(detect.secondLook, Math.min(detect.secondLook * 2 ** state.patience, MAX_SECOND_LOOK_MS));

/** Ends a case without an incident. The next look waits, twice as long each time. */
export function dropCase(context: Context, why: string): void {
  const { state, settings, at } = context;
  tellDropped(context, why);
  state.cooldownMs = Math.min(Math.max(settings.detect.cooldown, state.cooldownMs * 2), MAX_COOLDOWN_MS);
  state.notBefore = at + state.cooldownMs;
  state.case = null;
  enterCalm(context, [why]);
}

/** Only a suspicion is taken back by signs of life: what the kernel said, or somebody asked for, is captured. */
export function mayBeAcquitted(state: GuestState): boolean {
  const { case: current, name } = state;
  if (current === null || current.complaint !== null || current.manual) return false;
  // One more answer of many that did not come clears nobody.
  if (flappingSince(state) !== null) return false;
  return name === 'suspect' || name === 'confirming';
}

/** Ends a case because the guest moves again, once the conversation under way has ended. */
export function acquit(context: Context, because: string): void {
  const current = context.state.case;
  if (current === null || current.filing) return;
  if (current.series === null) forgetCase(context, because);
  else current.acquitted ??= because;
}

/** Ends a case at once: nothing was wrong, and the next look has nothing to wait for. */
export function forgetCase(context: Context, because: string): void {
  if (context.state.case?.filing === false) tellDropped(context, because);
  context.state.case = null;
  enterCalm(context, [because]);
}

/** There is a directory to remove, or somebody who waits for the incident. */
function tellDropped({ state, effects }: Context, why: string): void {
  if (state.case?.open === true || state.case?.manual === true) effects.push({ type: 'drop', why });
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
  if (ended?.manual !== true || LASTING.has(state.name)) return;
  if (LASTING.has(ended.before.name)) enter(context, ended.before.name, ended.before.why);
  else enterCalm(context, ['a capture by hand has ended']);
}

export const SSH_ANSWERS = 'SSH answers again';

/** Ends `held`: the guest moves again. */
export function recovered(context: Context, because: string): void {
  const { state, at, effects } = context;
  if (state.name !== 'held' && state.name !== 'qemu-stuck' && state.name !== 'panicked') return;
  if (state.name === 'held' && because === SSH_ANSWERS && state.filedFor === 'complaint') {
    enter(context, 'up', ['SSH answers as before; what is stuck may be so still']);
    return;
  }
  const afterMs = at - state.since;
  effects.push({ type: 'recovered', afterMs, because });
  closeCase(context);
  state.console.quietSince = at;
  enter(context, 'recovered', [`${because}, ${seconds(afterMs)} after it was filed`]);
}
