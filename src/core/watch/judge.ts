/** From a finished capture to an incident, or to none: an accusation needs proof, a doubt says what it lacks. */
import { analyze } from '../analysis/analyze.js';
import { abandonSeries } from '../capture/series.js';
import { parseDumps } from '../dump/parse.js';
import type { Analysis } from '../model.js';
import { groundsOf } from './accusation.js';
import { acquitted } from './acquittal.js';
import { armed } from './armed.js';
import { rememberComplaint } from './complained.js';
import { type Context, dropCase, enter, forgetCase, openCase } from './case.js';
import type { Finding } from './events.js';
import { evidenceOf, keyOf, type OwnDump, readOwn } from './own-dumps.js';
import type { Case, GuestState } from './state.js';
import { blindReasons, explain } from './verdict.js';

/** Files the case, or drops it where nothing in the guest turns out to be stuck. */
export function fileCase(context: Context): void {
  const { state, effects } = context;
  const current = state.case;
  if (current === null || current.filing) return;
  current.series = null;
  if (current.acquitted !== null) {
    forgetCase(context, current.acquitted);
    return;
  }
  const finding = findingOf(context, current);
  const acquittal = acquitted(context, current, finding);
  const { verdict } = finding.analysis;
  state.judged = { at: context.at, class: acquittal?.class ?? verdict.class, title: verdict.title };
  if (acquittal !== null) {
    dropCase(context, acquittal.why);
    // A moment that has passed is no reason to look again at once, and again: the looks of an hour are counted.
    if (acquittal.until > context.at) state.notBefore = Math.min(state.notBefore, acquittal.until);
    if (acquittal.slow !== true) return;
    state.patience += 1;
    enter(context, 'suspect', [acquittal.why]);
    return;
  }
  current.filing = true;
  if (!current.manual) state.filed.push(context.at);
  if (current.complaint !== null) rememberComplaint(state, current.complaint.text, context.at);
  state.filedFor = filedFor(state, current);
  const { title } = verdict;
  // Whatever becomes of the disk, the verdict is in the journal.
  effects.push({ type: 'note', level: 'warning', text: `verdict: ${title}` }, { type: 'file', finding });
  state.why = [title];
  const stays = state.name === 'gone' || state.name === 'panicked' || state.name === 'qemu-stuck';
  if (!stays && !current.manual) enter(context, 'held', [title]);
}

function filedFor({ ssh }: GuestState, { complaint, greets }: Case): GuestState['filedFor'] {
  if (greets) return 'command';
  return complaint !== null && ssh.lastOkAt !== null && ssh.failures === 0 ? 'complaint' : 'lost';
}

/** The guest goes away while it is captured: what was proven until then is kept. */
export function fileWhatThereIs(context: Context, why: string): void {
  const { state } = context;
  const current = state.case;
  if (current === null || current.filing) return;
  if (current.series !== null) current.series = abandonSeries(current.series);
  // Without a second look nothing was proven, and a guest that shuts down goes silent too.
  const proven = current.manual
    ? current.dumps.length > 0
    : current.complaint !== null || current.dumps.some(({ name }) => name === 'sysrq-w.2');
  if (!proven) {
    dropCase(context, why);
    return;
  }
  fileCase(context);
}

/** A panic: the kernel is dead and hears no keys. The console has said it all. */
export function panicCase(context: Context, line: string): void {
  const { state, effects } = context;
  if (state.name === 'panicked') return;
  const already = state.case?.open === true;
  if (state.case === null)
    openCase(context, {
      why: [`panic: ${line}`],
      complaint: { kind: 'panic', seconds: null, text: line },
    });
  if (state.case === null) return;
  state.case.complaint ??= { kind: 'panic', seconds: null, text: line };
  enter(context, 'panicked', [line]);
  if (!already) return;
  state.case.series = null;
  effects.push({ type: 'note', level: 'notice', text: 'the guest panicked while it was captured' });
  fileCase(context);
}

function findingOf(context: Context, current: Case): Finding {
  const { state, at } = context;
  const own = current.dumps.map((dump) => readOwn(dump, current.raised));
  const analysis = analysisOf(state, current, own);
  const incompleteBecause = blindReasons(context, current, own);
  return {
    analysis: explain(context, current, analysis, incompleteBecause),
    ...groundsOf(state, at),
    capturedAt: at,
    evidence: own.map(evidenceOf),
    looks: current.looks,
    rungs: current.rungs,
    armed: armed(state.facts, state.arming),
    complete: incompleteBecause.length === 0,
    incompleteBecause,
  };
}

function analysisOf(state: GuestState, current: Case, own: readonly OwnDump[]): Analysis {
  // What the kernel reported by itself counts where it is the reason for all this.
  const reported =
    current.complaint === null
      ? []
      : parseDumps(state.console.tail).filter(({ key }) => key.length > 1 && key !== 'none');
  const [first, second] = current.dumps.filter(({ name }) => keyOf(name) === 'w');
  const gap =
    first !== undefined && second !== undefined
      ? Math.floor((second.startedAt - first.startedAt) / 1000)
      : null;
  const look = current.looks.findLast(({ shares }) => shares.length > 0);
  return analyze([...reported, ...own.flatMap(({ parsed }) => parsed ?? [])], {
    secondsBetweenLooks: gap,
    shares: look?.shares ?? [],
    kernelCommandLine: state.console.commandLine ?? look?.kernelCommandLine ?? null,
  });
}
