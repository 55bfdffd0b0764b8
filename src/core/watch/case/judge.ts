/** From a finished capture to an incident, or to none: an accusation needs proof, a doubt says what it lacks. */
import { analyze } from '../../analysis/analysis.js';
import { abandonSeries } from '../../capture/series.js';
import type { AnalysisContext } from '../../analysis/places.js';
import type { Analysis } from '../../model.js';
import type { Answer, Question } from '../analyst.js';
import { type Context, enter } from '../context.js';
import type { Finding, GuestEvent } from '../events.js';
import { armed } from '../slices/armed.js';
import { confirmed } from '../slices/claims.js';
import { handedIn } from '../slices/filings.js';
import { standingFiled } from '../slices/memory.js';
import { countFiled, judged, moreSlowly } from '../slices/restraint.js';
import { sshAnswers } from '../slices/ssh.js';
import { testLooked } from '../slices/tests.js';
import type { GuestState } from '../state.js';
import { besideAnswers } from './accusation.js';
import { type Case, isRaised } from './case.js';
import { type Doubt, UNTIL } from './doubt.js';
import { doubtOf } from './doubts.js';
import { dropCase, forgetCase, knownCase } from './end.js';
import { type Facts, factsOf, PROOF_MS } from './facts.js';
import { evidenceGaps } from './incomplete.js';
import { explain } from './overlay.js';
import { culpritStood, isAway, memoryEvidence, stoodLong } from './memory.js';
import { evidenceOf, keyOf, type OwnDump } from './own-dumps.js';
import { settlePanic } from './panic.js';
import { moveTo } from './stage.js';

/** Has the case judged: it is filed then, or dropped if nothing in the guest turns out to be stuck. */
export function fileCase(context: Context, then: GuestEvent | null = null): void {
  const current = context.state.case;
  if (current === null || isJudged(current)) return;
  if (current.acquitted !== null) {
    forgetCase(context, current.acquitted);
    return;
  }
  moveTo(current, { name: 'judging', then });
  context.effects.push({ type: 'analyse', question: questionOf(context, current) });
}

/** Files the case by what its dumps show, or drops it. */
export function judge(context: Context, current: Case, answer: Answer): void {
  const { state, at } = context;
  const judgement = judgementOf(answer);
  const { readings } = judgement;
  const own = current.capture.dumps.map((kept) => ({ kept, reading: readings[kept.name] ?? null }));
  settlePanic(context, own);
  const { finding, facts } = findingOf(context, current, judgement, own);
  const { verdict } = finding.analysis;
  const { doubt } = doubtOf(facts, verdict);
  const { title, class: kind } = verdict;
  judged(state.restraint, { at, class: doubt?.class ?? kind, title }, facts.stood);
  if (doubt === null) file(context, current, finding, facts);
  else letGo(context, doubt, facts, verdict);
}

const isJudged = ({ stage: { name } }: Case): boolean => name === 'judging' || name === 'filing';

function letGo(context: Context, doubt: Doubt, facts: Facts, verdict: Analysis['verdict']): void {
  const why = doubt.says(facts, verdict);
  if (doubt.known === true) {
    knownCase(context, why);
    return;
  }
  dropCase(context, why, UNTIL[doubt.until].at(facts));
  if (doubt.slow !== true) return;
  moreSlowly(context.state.restraint);
  enter(context, 'suspect', [why]);
}

function file(context: Context, current: Case, finding: Finding, { stood }: Facts): void {
  const { state, effects, at } = context;
  const { accusation } = current;
  const { title } = finding.analysis.verdict;
  moveTo(current, { name: 'filing' });
  const beside = besideAnswers(accusation.by) || (accusation.by === 'kernel' && sshAnswers(state.ssh));
  if (accusation.by !== 'hand') {
    countFiled(state.restraint, { at, beside });
    // What holds its test up is told.
    testLooked(state.tests, accusation.test);
  }
  if (accusation.by === 'kernel') confirmed(state.claims);
  // Whoever stands now is of this hang.
  standingFiled(state.memory, at);
  handedIn(state.filings, filedFor(state, current), accusation.complaint?.text ?? null, stood, at);
  // Whatever becomes of the disk, the verdict is in the journal.
  effects.push({ type: 'note', level: 'warning', text: `verdict: ${title}` }, { type: 'file', finding });
  state.why = [title];
  const stays = state.name === 'gone' || state.name === 'panicked' || state.name === 'qemu-stuck';
  if (!stays && accusation.by !== 'hand') enter(context, 'held', [title]);
}

function filedFor(
  { ssh }: GuestState,
  { accusation: { by, complaint } }: Case,
): GuestState['filings']['filedFor'] {
  if (by === 'command') return 'command';
  return (complaint !== null || besideAnswers(by)) && sshAnswers(ssh) ? 'complaint' : 'lost';
}

/**
 * The guest goes away while it is captured: what was proven until then is kept. True if the event has to wait until that
 * is judged: it comes again then.
 */
export function fileWhatThereIs(context: Context, why: string, event: GuestEvent): boolean {
  const current = context.state.case;
  if (current === null || isJudged(current)) return false;
  const { capture, accusation } = current;
  if (capture.series !== null) capture.series = abandonSeries(capture.series);
  // Without a second look nothing was proven, and a guest that shuts down goes silent too.
  const proven =
    accusation.by === 'hand'
      ? capture.dumps.length > 0
      : accusation.complaint !== null ||
        capture.dumps.some(({ name }) => name === 'sysrq-w.2') ||
        stoodLong(context, current).length > 0;
  if (!proven) {
    dropCase(context, why);
    return false;
  }
  fileCase(context, event);
  return current.stage.name === 'judging';
}

function findingOf(
  context: Context,
  current: Case,
  { told, withoutPanic, alone, byMemory, failed }: Judgement,
  own: readonly OwnDump[],
): { finding: Finding; facts: Facts } {
  const { state, at } = context;
  const { accusation, capture, looks } = current;
  const analysis = state.name === 'panicked' ? told : ofWhoStands(current, withoutPanic, byMemory ?? null);
  const gaps = evidenceGaps(context, current, own);
  const incompleteBecause = [...failed, ...gaps.incomplete];
  const facts = factsOf(context, current, analysis, incompleteBecause, alone);
  const { why, wedgedSince, suspectAt, lastProgress, awaiting, test, note } = accusation;
  const finding = {
    analysis: excusing(explain(context, current, { analysis, facts, incompleteBecause }), gaps.excused),
    ...{ why, wedgedSince, suspectAt, lastProgress, awaiting, test, note },
    capturedAt: at,
    evidence: [...memoryEvidence(current), ...own.map(evidenceOf)],
    looks,
    rungs: capture.rungs,
    armed: armed(state.arming)?.says ?? null,
    complete: incompleteBecause.length === 0,
    incompleteBecause,
  };
  return { finding, facts };
}

/**
 * Beside a guest that goes on somebody is blocked at any moment: the verdict is on who has stood for long by its memory,
 * unless the whole dumps that came after show that he does no more.
 */
function ofWhoStands(current: Case, all: Analysis, byMemory: Analysis | null): Analysis {
  if (byMemory === null || isProven(current, all.verdict) || !isProven(current, byMemory.verdict)) return all;
  return isAway(all.dumps, byMemory.verdict.culprit) ? all : { ...byMemory, dumps: all.dumps };
}

const isProven = (current: Case, verdict: Analysis['verdict']): boolean =>
  (culpritStood(current, verdict) ?? 0) >= PROOF_MS;

/** What keys did not bring. */
function excusing(analysis: Analysis, excused: readonly string[]): Analysis {
  const { verdict } = analysis;
  const reasons = [...verdict.reasons, ...excused.map((why) => `Its keys: ${why}.`)];
  return excused.length === 0 ? analysis : { ...analysis, verdict: { ...verdict, reasons } };
}

interface Judgement extends Omit<Extract<Answer, { type: 'judged' }>, 'type'> {
  failed: string[];
}

/** Without an answer the dumps are on disk all the same, and what they show is unknown. */
function judgementOf(answer: Answer): Judgement {
  if (answer.type === 'judged') return { ...answer, failed: [] };
  const why = answer.type === 'failed' ? answer.why : 'the analyst gave another answer';
  const unknown = analyze([], NOTHING);
  const failed = [`its dumps were not analysed: ${why}`];
  return { told: unknown, withoutPanic: unknown, alone: unknown.verdict, readings: {}, failed };
}

function questionOf(context: Context, current: Case): Question {
  const { accusation, capture, memory } = current;
  return {
    type: 'judge',
    dumps: capture.dumps,
    memory: memory?.dump ?? null,
    raised: isRaised(capture),
    ...(accusation.by === 'stalled' && { byMemory: true as const }),
    // What the kernel reported by itself counts if it is the reason for all this.
    reported: accusation.complaint === null ? [] : context.state.console.tail,
    context: contextOf(context, current),
  };
}

/** What is known from outside, for a verdict. */
export function contextOf(
  { state: { console } }: Context,
  { accusation, capture, looks }: Case,
): AnalysisContext {
  const [first, second] = capture.dumps.filter(({ name }) => keyOf(name) === 'w');
  const gap =
    first !== undefined && second !== undefined
      ? Math.floor((second.startedAt - first.startedAt) / 1000)
      : null;
  const look = looks.findLast(({ shares }) => shares.length > 0);
  return {
    secondsBetweenLooks: gap,
    shares: look?.shares ?? [],
    kernelCommandLine: console.commandLine ?? look?.kernelCommandLine ?? null,
    // Somebody who asked is told whatever may be of use.
    ...(accusation.by === 'hand' ? {} : { proofOnly: true as const }),
  };
}

const NOTHING = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
