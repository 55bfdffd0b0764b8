/** The capture: which conversation follows which, and when the guest is let go. */
import type { ExchangeEvent } from '../capture/exchange.js';
import {
  countAnswer,
  type DumpName,
  levelToRestore,
  type Leg,
  type Series,
  seriesStep,
  startLeg,
} from '../capture/series.js';
import type { QmpFault } from '../model.js';
import type { Mono } from '../time.js';
import { counted, seconds } from '../words.js';
import { againAfter, joined } from './again.js';
import { type Context, enter, secondLookMs } from './case.js';
import { fileCase } from './judge.js';
import { afterOpened } from './looking.js';
import { type OwnDump, readOwn } from './own-dumps.js';
import type { Case } from './state.js';

/** What moved between it and the first dump is slow, not stuck. */
const SECOND_LOOK: DumpName = 'sysrq-w.2';

export function onOpened(context: Context, problem: string | undefined): void {
  const { state, effects } = context;
  if (state.case === null) return;
  state.case.open = problem === undefined;
  if (problem !== undefined) effects.push({ type: 'note', level: 'warning', text: `no archive: ${problem}` });
  afterOpened(context);
}

export function onPressed(
  context: Context,
  event: { id: number; fault: QmpFault | null; detail: string },
): void {
  const { at } = context;
  advance(context, { type: 'pressed', at, ...event });
}

/** Gives a console line to the conversation under way. True where it belongs to a dump and tells nothing else. */
export function readDump(context: Context, event: { text: string; replayed?: true }): boolean {
  const { state, at } = context;
  const series = state.case?.series ?? null;
  if (series === null || event.replayed === true) return false;
  const inside = series.exchange.phase === 'body';
  if (state.case !== null) state.case.series = countAnswer(series, event.text);
  advance(context, { type: 'line', at, text: event.text });
  return inside;
}

export function captureTick(context: Context): void {
  const { state, at } = context;
  const current = state.case;
  if (current !== null && current.again !== null) {
    againTick(context, current, current.again);
    return;
  }
  if (current !== null && current.secondLookAt !== null) {
    if (current.acquitted !== null) {
      current.secondLookAt = null;
      finish(context, current);
    } else if (at >= current.secondLookAt) {
      current.secondLookAt = null;
      context.effects.push({ type: 'look' });
      start(context, current, SECOND_LOOK);
    }
    return;
  }
  advance(context, { type: 'tick', at });
}

function againTick(context: Context, current: Case, { leg, at }: { leg: DumpName; at: Mono }): void {
  if (current.acquitted === null && context.at < at) return;
  current.again = null;
  if (current.acquitted === null) start(context, current, leg);
  else finish(context, current);
}

function advance(context: Context, event: ExchangeEvent): void {
  const { state, settings, effects } = context;
  const current = state.case;
  if (current === null || current.series === null || current.series.exchange.phase === 'done') return;
  const { series, press } = seriesStep(current.series, event, settings.capture);
  current.series = series;
  if (press !== null) effects.push({ type: 'press', ...press });
  if (series.exchange.phase === 'done') legEnded(context, current, series);
}

function legEnded(context: Context, current: Case, series: Series): void {
  const { at } = context;
  current.raised = series.raised;
  current.strays = series.strays;
  const own = keepDump(context, current, series);
  if (current.acquitted !== null && series.leg !== 'restore') {
    finish(context, current);
    return;
  }
  if (series.leg === 'restore') {
    fileCase(context);
    return;
  }
  if (own !== null && repeats(context, current, own)) return;
  const next = current.plan.find((name) => !current.dumps.some((dump) => dump.name === name));
  // A guest that hears no key hears none of the others, and who may not w may not t.
  const first = current.dumps.length === 1;
  if (next === undefined || (first && !speaks(series) && !current.manual)) finish(context, current);
  else if (next === SECOND_LOOK && !current.manual) current.secondLookAt = at + secondLookMs(context);
  else {
    if (series.leg !== 'raise') enter(context, 'capturing', current.why);
    start(context, current, next);
  }
}

/** True where the dump is asked for once more. */
function repeats(context: Context, current: Case, { kept, parsed }: OwnDump): boolean {
  const after = againAfter(kept, parsed, context.settings.console.kind === 'journal');
  if (after === null) return false;
  current.again = { leg: kept.name, at: context.at + after };
  const text = `${kept.name} has holes: it is asked for once more in ${seconds(after)}`;
  context.effects.push({ type: 'note', level: 'info', text });
  return true;
}

const speaks = ({ exchange: { endedBy } }: Series): boolean =>
  endedBy !== 'refused' && endedBy !== 'no-response' && endedBy !== 'not-pressed';

/** Puts the loglevel back, after the last fence only: what is suppressed is decided when the console prints. */
function finish(context: Context, current: Case): void {
  if (current.acquitted === null) enter(context, 'capturing', current.why);
  if (current.series?.raised === true) start(context, current, 'restore');
  else fileCase(context);
}

function start(context: Context, current: Case, leg: Leg): void {
  const { state, at, effects } = context;
  const commandLine = state.console.commandLine ?? current.looks.at(-1)?.kernelCommandLine ?? null;
  const level = levelToRestore(state.facts?.loglevel ?? null, commandLine);
  const { series, press } = startLeg(leg, at, current.series, level);
  current.series = series;
  effects.push({ type: 'press', ...press });
}

function keepDump(context: Context, current: Case, { leg, exchange }: Series): OwnDump | null {
  if (leg === 'raise' || leg === 'restore') return null;
  const { at, effects } = context;
  const dump = {
    name: leg,
    lines: exchange.lines,
    startedAt: exchange.startedAt,
    endedAt: at,
    endedBy: exchange.endedBy ?? ('deadline' as const),
    quote: exchange.quote,
    longestPauseMs: exchange.longestPauseMs,
  };
  const first = current.dumps.find(({ name }) => name === leg);
  const kept = first === undefined ? dump : joined(first, dump);
  current.dumps = [...current.dumps.filter((one) => one !== first), kept];
  const own = readOwn(kept, current.raised);
  const tasks = own.parsed?.tasks.length ?? 0;
  effects.push({ type: 'keep-dump', dump });
  effects.push({
    type: 'note',
    level: 'info',
    text: `${leg}: ${counted(dump.lines.length, 'line')}, ${counted(tasks, 'task')}, ended by ${dump.endedBy} after ${seconds(at - dump.startedAt)}`,
  });
  return own;
}
