/** From a finished capture to an incident, or to none: an accusation needs proof, a doubt says what it lacks. */
import { analyze } from '../../analysis/analysis.js';
import { abandonSeries } from '../../capture/series.js';
import { parseDumps } from '../../dump/parse-dumps.js';
import type { Analysis } from '../../model.js';
import { type Context, enter } from '../context.js';
import type { Finding } from '../events.js';
import { armed } from '../slices/armed.js';
import { handedIn } from '../slices/filings.js';
import { countFiled, judged, moreSlowly } from '../slices/restraint.js';
import type { GuestState } from '../state.js';
import { type Case, isRaised } from './case.js';
import { type Doubt, doubtOf, UNTIL } from './doubts.js';
import { dropCase, forgetCase } from './end.js';
import { type Facts, factsOf } from './facts.js';
import { incompleteReasons } from './incomplete.js';
import { openCase } from './open.js';
import { explain } from './overlay.js';
import { evidenceOf, keyOf, type OwnDump, readOwn } from './own-dumps.js';
import { moveTo } from './stage.js';

/** Files the case, or drops it if nothing in the guest turns out to be stuck. */
export function fileCase(context: Context): void {
  const { state, at } = context;
  const current = state.case;
  if (current === null || current.stage.name === 'filing') return;
  if (current.acquitted !== null) {
    forgetCase(context, current.acquitted);
    return;
  }
  const { finding, facts } = findingOf(context, current);
  const { verdict } = finding.analysis;
  const { doubt } = doubtOf(facts, verdict);
  const { title, class: kind } = verdict;
  judged(state.restraint, { at, class: doubt?.class ?? kind, title }, facts.stood);
  if (doubt === null) file(context, current, finding);
  else letGo(context, doubt, facts, verdict);
}

function letGo(context: Context, doubt: Doubt, facts: Facts, verdict: Analysis['verdict']): void {
  const why = doubt.says(facts, verdict);
  dropCase(context, why, UNTIL[doubt.until].at(facts));
  if (doubt.slow !== true) return;
  moreSlowly(context.state.restraint);
  enter(context, 'suspect', [why]);
}

function file(context: Context, current: Case, finding: Finding): void {
  const { state, effects, at } = context;
  const { accusation } = current;
  const { title } = finding.analysis.verdict;
  moveTo(current, { name: 'filing' });
  if (accusation.by !== 'hand') countFiled(state.restraint, at);
  handedIn(state.filings, filedFor(state, current), accusation.complaint?.text ?? null, at);
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
  return complaint !== null && ssh.lastOkAt !== null && ssh.failures === 0 ? 'complaint' : 'lost';
}

/** The guest goes away while it is captured: what was proven until then is kept. */
export function fileWhatThereIs(context: Context, why: string): void {
  const current = context.state.case;
  if (current === null || current.stage.name === 'filing') return;
  const { capture, accusation } = current;
  if (capture.series !== null) capture.series = abandonSeries(capture.series);
  // Without a second look nothing was proven, and a guest that shuts down goes silent too.
  const proven =
    accusation.by === 'hand'
      ? capture.dumps.length > 0
      : accusation.complaint !== null || capture.dumps.some(({ name }) => name === 'sysrq-w.2');
  if (proven) fileCase(context);
  else dropCase(context, why);
}

/** A panic: the kernel is dead and hears no keys. The console has said it all. */
export function panicCase(context: Context, line: string): void {
  const { state, effects } = context;
  if (state.name === 'panicked') return;
  const complaint = { kind: 'panic' as const, seconds: null, text: line };
  if (state.case === null) openCase(context, { by: 'kernel', why: [`panic: ${line}`], complaint });
  if (state.case === null) return;
  state.case.accusation.complaint ??= complaint;
  enter(context, 'panicked', [line]);
  const { name } = state.case.stage;
  if (name === 'looking' || name === 'opening' || name === 'filing') return;
  // Whatever it answered before, it will not again.
  state.case.acquitted = null;
  effects.push({ type: 'note', level: 'notice', text: 'the guest panicked while it was captured' });
  fileCase(context);
}

function findingOf(context: Context, current: Case): { finding: Finding; facts: Facts } {
  const { state, at } = context;
  const { accusation, capture, looks } = current;
  const own = capture.dumps.map((dump) => readOwn(dump, isRaised(capture)));
  const analysis = analysisOf(state, current, own);
  const incompleteBecause = incompleteReasons(context, current, own);
  const facts = factsOf(context, current, analysis, incompleteBecause);
  const { why, wedgedSince, suspectAt, lastProgress, awaiting, test, note } = accusation;
  const finding = {
    analysis: explain(context, current, { analysis, facts, incompleteBecause }),
    ...{ why, wedgedSince, suspectAt, lastProgress, awaiting, test, note },
    capturedAt: at,
    evidence: own.map(evidenceOf),
    looks,
    rungs: capture.rungs,
    armed: armed(state.arming)?.says ?? null,
    complete: incompleteBecause.length === 0,
    incompleteBecause,
  };
  return { finding, facts };
}

function analysisOf({ console }: GuestState, current: Case, own: readonly OwnDump[]): Analysis {
  const { accusation, capture, looks } = current;
  // What the kernel reported by itself counts if it is the reason for all this.
  const reported =
    accusation.complaint === null
      ? []
      : parseDumps(console.tail).filter(({ key }) => key.length > 1 && key !== 'none');
  const [first, second] = capture.dumps.filter(({ name }) => keyOf(name) === 'w');
  const gap =
    first !== undefined && second !== undefined
      ? Math.floor((second.startedAt - first.startedAt) / 1000)
      : null;
  const look = looks.findLast(({ shares }) => shares.length > 0);
  return analyze([...reported, ...own.flatMap(({ parsed }) => parsed ?? [])], {
    secondsBetweenLooks: gap,
    shares: look?.shares ?? [],
    kernelCommandLine: console.commandLine ?? look?.kernelCommandLine ?? null,
    // Somebody who asked is told whatever may be of use.
    ...(accusation.by === 'hand' ? {} : { proofOnly: true }),
  });
}
