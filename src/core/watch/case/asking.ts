/** The conversation with the guest's kernel: which dump follows which, and when the guest is let go. */
import type { ExchangeEvent } from '../../capture/exchange.js';
import {
  countAnswer,
  type DumpName,
  type KeptDump,
  leaveOut,
  levelToRestore,
  type Leg,
  type Series,
  seriesStep,
  startLeg,
} from '../../capture/series.js';
import { bootMarker } from '../../console/markers.js';
import type { ComplaintKind } from '../../console/complaints.js';
import type { Channel } from '../../capture/ladder.js';
import type { LoglevelKey, PressFault } from '../../model.js';
import { seconds } from '../../words.js';
import type { Reading } from '../analyst.js';
import { type Context, enter } from '../context.js';
import { secondLookMs } from '../slices/restraint.js';
import { someBusy } from '../looks.js';
import type { GuestState } from '../state.js';
import { againAfter } from './again.js';
import { type Case, isRaised, isWhole } from './case.js';
import { channelFailed, channelWorks, hearNmi, nextRung } from './climbing.js';
import { failing, isEmpty, speaks } from './failing.js';
import { fileCase } from './judge.js';
import { memoryProves } from './memory.js';
import { keepDump, tellDump } from './own-dumps.js';
import { moveTo, type StageOf } from './stage.js';

/** What moved between it and the first dump is slow, not stuck. */
const SECOND_LOOK: DumpName = 'sysrq-w.2';
const ON_CPUS: DumpName = 'sysrq-l';
const STALLS: ReadonlySet<ComplaintKind> = new Set(['rcu_stall', 'soft_lockup', 'hard_lockup'] as const);

/** The first key is pressed. */
export function startAsking(context: Context, current: Case): void {
  begin(context, current, 'raise');
  const text = `asks the guest for its stacks, ${seconds(context.at - current.accusation.suspectAt)} after the first suspicion`;
  context.effects.push({ type: 'note', level: 'info', text });
}

export function onPressed(
  context: Context,
  event: { id: number; fault: PressFault | null; detail: string },
): void {
  const current = context.state.case;
  if (current !== null) converse(context, current, { type: 'pressed', at: context.at, ...event });
}

/** Gives a console line to the conversation under way. True if it belongs to a dump and tells nothing else. */
export function readDump(context: Context, current: Case, text: string): boolean {
  if (!isConversing(current)) return false;
  const { capture, stage } = current;
  if (stage.name === 'climbing' && hearNmi(stage, text)) return true;
  const { series } = capture;
  if (series === null) return false;
  const inside = series.exchange.phase === 'body';
  // A guest that begins anew in the middle of its dump has ended it.
  if (inside && bootMarker(text) !== null) return false;
  capture.series = countAnswer(series, text);
  converse(context, current, { type: 'line', at: context.at, text });
  return inside;
}

/** Rows of the console were left out: perhaps of the dump under way. */
export function missRows({ effects }: Context, current: Case, rows: number): void {
  const { capture } = current;
  if (!isConversing(current) || capture.series?.exchange.phase !== 'body') return;
  if (capture.series.exchange.leftOut === undefined) {
    const text = 'the console prints faster than it can be read: rows within the dump are left out';
    effects.push({ type: 'note', level: 'warning', text });
  }
  capture.series = leaveOut(capture.series, rows);
}

/** Keys were pressed, and the guest may still answer them. */
export function isConversing({ stage: { name } }: Case): boolean {
  return name === 'asking' || name === 'waiting' || name === 'climbing' || name === 'restoring';
}

/** Moves the conversation on; outside one nothing happens. */
export function converse(context: Context, current: Case, event: ExchangeEvent): void {
  const { capture, stage } = current;
  if ((stage.name !== 'asking' && stage.name !== 'restoring') || capture.series === null) return;
  const { series, press } = seriesStep(capture.series, event, context.settings.capture);
  capture.series = series;
  if (press !== null) context.effects.push({ type: 'press', ...press, via: capture.channel });
  if (series.exchange.phase !== 'done') return;
  if (stage.name === 'restoring') fileCase(context);
  else legEnded(context, current, stage.leg, series);
}

/** Waits for the moment of the next dump. */
export function waitingTick(
  context: Context,
  current: Case,
  { for: why, leg, until }: StageOf<'waiting'>,
): void {
  if (current.acquitted !== null) {
    finish(context, current);
  } else if (context.at >= until) {
    if (why === 'second-look') context.effects.push({ type: 'look' });
    begin(context, current, leg);
  }
}

/** Nobody watched, or the guest did not run: what it did meanwhile is no second look's. */
export function waitAnew({ state, settings, at }: Context, current: Case): void {
  const { stage } = current;
  if (stage.name === 'waiting' && stage.for === 'second-look')
    stage.until = Math.max(stage.until, at + pauseOf(state, settings, current));
}

const pauseOf = (
  { restraint }: GuestState,
  { detect }: Context['settings'],
  { accusation: { by } }: Case,
): number => Math.max(secondLookMs(restraint, detect), by === 'test' ? TEST_APART_MS : 0);

function legEnded(context: Context, current: Case, leg: StageOf<'asking'>['leg'], series: Series): void {
  const { capture } = current;
  if (leg !== 'raise') {
    const dump = keepDump(context, current, leg, series);
    moveTo(current, { name: 'reading', leg });
    context.effects.push({ type: 'analyse', question: { type: 'read', dump, raised: isRaised(capture) } });
    return;
  }
  if (current.acquitted !== null) {
    finish(context, current);
    return;
  }
  capture.digits = digitsIn(series) ?? capture.digits;
  if (climbs(context, current, leg, series)) return;
  // What a loglevel may have hidden is asked for again.
  if (series.raised) capture.dumps = capture.dumps.filter((dump) => !isWhole(dump) || !isEmpty(dump));
  askNext(context, current, leg);
}

/** A dump was read: it is asked for again, or the next one is. */
export function dumpRead(context: Context, current: Case, leg: DumpName, reading: Reading | null): void {
  const { capture } = current;
  const { series } = capture;
  const kept = capture.dumps.find(({ name }) => name === leg);
  if (series === null || kept === undefined) return;
  tellDump(context, leg, series, reading);
  if (current.acquitted !== null) {
    finish(context, current);
    return;
  }
  if (climbs(context, current, leg, series)) return;
  if (speaks(series) && (series.raised || !isEmpty(series.exchange))) channelWorks(context, current);
  capture.asked = capture.plan.indexOf(leg) + 1;
  if (!repeats(context, current, kept, reading)) askNext(context, current, leg);
}

/** SSH answers, so a guest whose test is late is looked into once: the two looks are so far apart that they prove it. */
const TEST_APART_MS = 22_000;

/** The next dump of the plan, or the end of the capture. */
function askNext(context: Context, current: Case, leg: Leg): void {
  const { capture, accusation } = current;
  if (capture.asked === capture.plan.length && spins(current)) capture.plan = [...capture.plan, ON_CPUS];
  const next = capture.plan
    .slice(capture.asked)
    .find((name) => !capture.dumps.some((dump) => dump.name === name && isWhole(dump)));
  if (next === undefined) finish(context, current);
  else if (next === SECOND_LOOK && accusation.by !== 'hand' && memoryProves(context, current)) {
    capture.plan = capture.plan.filter((name) => name !== SECOND_LOOK);
    context.effects.push({ type: 'look' });
    askNext(context, current, leg);
  } else if (next === SECOND_LOOK && accusation.by !== 'hand') {
    const until = context.at + pauseOf(context.state, context.settings, current);
    moveTo(current, { name: 'waiting', for: 'second-look', leg: next, until });
  } else {
    if (leg !== 'raise') enter(context, 'capturing', accusation.why);
    begin(context, current, next);
  }
}

/** A CPU that never rests: no w tells what runs there, and t only without its stack. */
function spins({ accusation: { by, complaint }, capture: { plan }, looks }: Case): boolean {
  if (by === 'hand' || plan.includes(ON_CPUS)) return false;
  return (complaint !== null && STALLS.has(complaint.kind)) || someBusy(looks);
}

/** True if the keys fail as they are pressed now, and the ladder goes on. */
function climbs(context: Context, current: Case, leg: Leg, series: Series): boolean {
  const fails = failing(context, current, leg, series);
  if (fails === null) return false;
  // The incident says of the first dump why it is not there.
  const { plan, dumps } = current.capture;
  const [first] = plan;
  if (leg === 'raise' && dumps.length === 0 && first !== undefined) {
    keepDump(context, current, first, series);
    tellDump(context, first, series, null);
  }
  channelFailed(context, current, fails);
  climb(context, current);
  return true;
}

/** True if the dump is asked for once more. */
function repeats(context: Context, current: Case, kept: KeptDump, reading: Reading | null): boolean {
  const after = againAfter(kept, reading, context.settings.console.kind === 'journal');
  if (after === null) return false;
  moveTo(current, { name: 'waiting', for: 'again', leg: kept.name, until: context.at + after });
  const text = `${kept.name} has holes: it is asked for once more in ${seconds(after)}`;
  context.effects.push({ type: 'note', level: 'info', text });
  return true;
}

function digitsIn({ exchange: { endedBy } }: Series): 'allowed' | 'refused' | null {
  if (endedBy === 'refused') return 'refused';
  return endedBy === 'answered' ? 'allowed' : null;
}

/** On to the next rung of the ladder, or to the end of the capture at its top. */
export function climb(context: Context, current: Case): void {
  const next = current.acquitted === null ? nextRung(context, current) : null;
  if (next === 'waits') return;
  if (next === null) {
    finish(context, current);
    return;
  }
  // What was refused is asked for again.
  current.capture.asked = 0;
  begin(context, current, 'raise');
}

/** Puts the loglevel back, after the last fence only: what is suppressed is decided when the console prints. */
function finish(context: Context, current: Case): void {
  if (current.acquitted === null) enter(context, 'capturing', current.accusation.why);
  if (isRaised(current.capture)) begin(context, current, 'restore');
  else fileCase(context);
}

function begin(context: Context, current: Case, leg: Leg): void {
  const { state, at, effects } = context;
  const { capture } = current;
  const { series, press } = startLeg(leg, at, capture.series, levelBefore(state, current));
  moveTo(current, leg === 'restore' ? { name: 'restoring' } : { name: 'asking', leg });
  capture.series = series;
  effects.push({ type: 'press', ...press, via: capture.channel });
}

function levelBefore({ arming, console, qemu }: GuestState, { looks }: Case): LoglevelKey {
  const told = qemu.machine?.commandLine ?? looks.at(-1)?.kernelCommandLine ?? null;
  return levelToRestore(arming.facts?.loglevel ?? null, console.commandLine ?? told);
}

/**
 * The digit that puts the loglevel back in a guest that is left in the middle of its capture; null if it was not raised.
 * A chord that raises it and was not answered yet may still be.
 */
export function chordBack(state: GuestState): { key: LoglevelKey; via: Channel } | null {
  const current = state.case;
  const series = current?.capture.series ?? null;
  if (current === null || series === null || current.stage.name === 'filing') return null;
  const { capture } = current;
  const mayBe = (series.asked['8'] ?? 0) > 0 && capture.digits !== 'refused';
  return series.raised || mayBe ? { key: levelBefore(state, current), via: capture.channel } : null;
}
