/**
 * What memory shows of a suspicion, before a key is pressed. Where nothing stands still, the guest is slow or out of reach,
 * and nobody presses anything. Where a task stands whose wait may yet end, time tells.
 */
import type { Verdict } from '../../model.js';
import { seconds } from '../../words.js';
import { type Context, enter } from '../context.js';
import type { SnapshotEvent } from '../memory-view.js';
import { judged, uncountLook } from '../slices/restraint.js';
import { takeSnapshot } from '../slices/memory.js';
import { deafBetween, starvedBetween, stoodBetween } from '../stands.js';
import { suspicion } from '../suspicion.js';
import type { Mono } from '../../time.js';
import type { Answer } from '../analyst.js';
import { startAsking } from './asking.js';
import type { Accusation } from './accusation.js';
import type { Case } from './case.js';
import { dropCase, forgetCase } from './end.js';
import { loopIsYoung } from './facts.js';
import { contextOf, fileCase } from './judge.js';
import {
  culpritStood,
  itsServerIsDead,
  keepMemory,
  memoryIsBusy,
  memoryIsWhole,
  stoodLong,
  waitsOnShare,
} from './memory.js';
import { moveTo, type StageOf } from './stage.js';

/** What was on a CPU so shortly ago moves. */
const YOUNG_MS = 2_000;
const AGAIN_MS = 25_000;
const HELD_APART_MS = 1_500;
/** By then the usual windows have passed, or something moves. */
const HELD_MAX_MS = 30_000;
/** What the kernel said, somebody asked for, or a command showed, is looked into in any case. */
const WEIGHED: ReadonlySet<Accusation['by']> = new Set<Accusation['by']>([
  ...(['silence', 'ssh-lost', 'blocked-task', 'stands', 'stalled', 'test'] as const),
]);

/** The directory is there (or cannot be): the first key is pressed, or what needs no keys is filed at once. */
export function onOpened(context: Context, problem: string | undefined): void {
  const { state, at, effects } = context;
  const current = state.case;
  // The answer to a case that has ended meanwhile.
  if (current?.stage.name !== 'opening') return;
  if (problem !== undefined) effects.push({ type: 'note', level: 'warning', text: problem });
  const clear = state.name === 'panicked' || state.name === 'qemu-stuck' || current.stopped !== undefined;
  const { by } = current.accusation;
  if (clear) fileCase(context);
  else if (WEIGHED.has(by) && memoryIsWhole(current)) weigh(context, current, at);
  // The snapshots that accused show more than one that met a CPU between two stacks.
  else if (by === 'stands' && current.memory !== null && !isDue(context, current, null))
    moveTo(current, { name: 'holding', since: at, weighed: false });
  else ask(context, current);
}

function weigh(context: Context, current: Case, since: Mono): void {
  if (current.memory === null) return;
  moveTo(current, { name: 'weighing', since });
  const question = { memory: current.memory.dump, context: contextOf(context, current) };
  context.effects.push({ type: 'analyse', question: { type: 'weigh', ...question } });
}

const canPress = ({ looks }: Case): boolean => {
  const last = looks.at(-1);
  return last?.qmp.ok === true && last.qmp.runState === 'running';
};

/** Presses keys where QEMU can be asked to. */
function ask(context: Context, current: Case): void {
  if (canPress(current)) startAsking(context, current);
  else fileCase(context);
}

/** The analyst has judged memory alone. */
export function weighed(context: Context, current: Case, stage: StageOf<'weighing'>, answer: Answer): void {
  const verdict = answer.type === 'weighed' ? answer.verdict : null;
  const { by } = current.accusation;
  if (verdict === null || by === 'stalled') {
    ask(context, current);
    return;
  }
  if (by === 'stands') {
    if (isDue(context, current, verdict)) ask(context, current);
    else moveTo(current, { name: 'holding', since: stage.since, weighed: true });
    return;
  }
  const calm = calmBy(context, current, verdict);
  if (calm === null) ask(context, current);
  else letGo(context, calm, by);
}

interface Calm {
  says: string;
  slow: boolean;
}

/** What memory shows instead of a hang, or null. */
function calmBy(context: Context, current: Case, verdict: Verdict): Calm | null {
  const { state } = context;
  const booting = state.ssh.lastOkAt === null && (state.console.awaiting ?? state.console.gaveUp) !== null;
  if (booting || memoryIsBusy(current)) return null;
  const tasks = current.memory?.dump.tasks.length ?? 0;
  if (verdict.class === 'none') {
    const instead = current.accusation.by === 'test' ? '' : ': it is slow, or out of reach';
    return { says: `memory shows that none of ${tasks} tasks stands still${instead}`, slow: false };
  }
  const stood = culpritStood(current, verdict);
  if (stood === null || !isYoung(context, current, verdict, stood)) return null;
  const says = `memory shows that what is blocked moves: it is slow, not stuck (${verdict.title}, for ${seconds(stood)})`;
  return { says, slow: true };
}

const BLOCKED: ReadonlySet<Verdict['class']> = new Set(['blocked', 'waiting', 'lock-chain'] as const);

/** Where no second look follows, the culprit must have stood for as long as a console may be silent. */
function isYoung(context: Context, current: Case, verdict: Verdict, stood: number): boolean {
  if (!BLOCKED.has(verdict.class) || stoodLong(context, current).length > 0) return false;
  const seenOnce = !canPress(current) && !isHopeless(current, verdict, context.state.memory.glances);
  return stood < YOUNG_MS || seenOnce;
}

/** Nothing was pressed. */
function letGo(context: Context, { says, slow }: Calm, by: Accusation['by']): void {
  const { state, at } = context;
  const wasUp = state.ssh.lastOkAt !== null && by !== 'test';
  const title = `looked: ${says}`;
  judged(
    state.restraint,
    { at, class: wasUp && !slow ? 'network-only' : 'none', title },
    state.restraint.stood,
  );
  dropCase(context, title, slow ? at + AGAIN_MS : undefined);
  if (slow) enter(context, 'suspect', [title]);
}

/** Nothing ends this wait, or the guest is suspected by the usual windows as well, and what they show would count. */
function isDue(context: Context, current: Case, verdict: Verdict | null): boolean {
  const { state, settings, at } = context;
  const hopeless = isHopeless(current, verdict, state.memory.glances);
  if (hopeless && current.memory !== null) current.memory.hopeless = true;
  if (hopeless) return true;
  const [before, now] = state.memory.glances.slice(-2);
  const starved = before !== undefined && now !== undefined && starvedBetween(before, now).length > 0;
  return suspicion(state, settings, at) !== null && !(starved && loopIsYoung(context));
}

function isHopeless(
  current: Case,
  verdict: Verdict | null,
  glances: Context['state']['memory']['glances'],
): boolean {
  if (verdict?.class === 'deadlock') return true;
  const [first, last] = [glances[0], glances.at(-1)];
  if (first !== undefined && last !== undefined && first !== last && deafBetween(first, last).length > 0)
    return true;
  return verdict !== null && waitsOnShare(current, verdict) && itsServerIsDead(current, verdict);
}

/** A task stands whose wait may end: it is looked at again and again until the usual windows have passed. */
export function holdingTick(context: Context, current: Case, stage: StageOf<'holding'>): void {
  const { state, at, effects } = context;
  if (at - stage.since >= HELD_MAX_MS) endHolding(context, 'nothing else says that it is stuck');
  else if (takeSnapshot(state.memory, at, HELD_APART_MS))
    effects.push({ type: 'snapshot', keep: true }, { type: 'look' });
}

/** A snapshot for a case that is open. */
export function caseMemory(context: Context, current: Case, seen: SnapshotEvent): void {
  const { state, at } = context;
  const { stage } = current;
  const before = state.memory.glances.at(-2);
  keepMemory(current, seen, at);
  if (stage.name !== 'holding') return;
  const now = state.memory.glances.at(-1);
  const stands =
    !seen.ok || before === undefined || now === undefined
      ? true
      : [stoodBetween, deafBetween, starvedBetween].some((between) => between(before, now).length > 0);
  if (!stands) endHolding(context, 'memory shows that nothing stands still any more');
  else if (!stage.weighed && memoryIsWhole(current)) weigh(context, current, stage.since);
  else if (isDue(context, current, null)) ask(context, current);
}

/** It never was suspected by the usual windows: as if nothing had been. */
function endHolding(context: Context, because: string): void {
  const { state } = context;
  if (state.case !== null) uncountLook(state.restraint, state.case.accusation.suspectAt);
  forgetCase(context, because);
}
