/** The capture: which conversation follows which, and when the guest is let go. */
import type { ExchangeEvent } from '../capture/exchange.js';
import {
  countAnswer,
  type DumpName,
  type KeptDump,
  levelToRestore,
  type Leg,
  type Series,
  seriesStep,
  startLeg,
} from '../capture/series.js';
import type { ComplaintKind } from '../console/complaints.js';
import type { Look, PressFault } from '../model.js';
import { bootMarker } from '../console/markers.js';
import type { Mono } from '../time.js';
import { counted, seconds } from '../words.js';
import { againAfter, joined } from './again.js';
import { type Context, enter, secondLookMs } from './case.js';
import {
  channelFailed,
  type ChannelFailure,
  channelWorks,
  climbTick,
  hearNmi,
  memoryDumped,
  nextRung,
  nmiInjected,
  noSsh,
  registersCame,
} from './climbing.js';
import type { GuestEvent } from './events.js';
import { someBusy } from './from-looks.js';
import { fileCase } from './judge.js';
import { afterOpened } from './looking.js';
import { type OwnDump, readOwn } from './own-dumps.js';
import type { Case } from './state.js';

/** What moved between it and the first dump is slow, not stuck. */
const SECOND_LOOK: DumpName = 'sysrq-w.2';
const ON_CPUS: DumpName = 'sysrq-l';
const STALLS: ReadonlySet<ComplaintKind> = new Set(['rcu_stall', 'soft_lockup', 'hard_lockup'] as const);

export function onOpened(context: Context, problem: string | undefined): void {
  const { state, effects } = context;
  if (state.case === null) return;
  state.case.open = problem === undefined;
  if (problem !== undefined) effects.push({ type: 'note', level: 'warning', text: `no archive: ${problem}` });
  afterOpened(context);
}

export function onPressed(
  context: Context,
  event: { id: number; fault: PressFault | null; detail: string },
): void {
  const { at } = context;
  advance(context, { type: 'pressed', at, ...event });
}

/** The registers are in, where a rung of the ladder waits for them. */
export function onCaptureLook(context: Context, look: Look): void {
  if (registersCame(context, look)) climb(context);
}

export function onRung(
  context: Context,
  event: Extract<GuestEvent, { type: 'nmi-injected' | 'memory-dumped' }>,
): void {
  const ended =
    event.type === 'nmi-injected'
      ? nmiInjected(context, event.problem)
      : memoryDumped(context, event.outcome, event.detail);
  if (ended) climb(context);
}

/** Gives a console line to the conversation under way. True where it belongs to a dump and tells nothing else. */
export function readDump(context: Context, event: { text: string; replayed?: true }): boolean {
  const { state, at } = context;
  const series = state.case?.series ?? null;
  if (series === null || event.replayed === true) return false;
  if (hearNmi(context, event.text)) return true;
  const inside = series.exchange.phase === 'body';
  // A guest that begins anew in the middle of its dump has ended it.
  if (inside && bootMarker(event.text) !== null) return false;
  if (state.case !== null) state.case.series = countAnswer(series, event.text);
  advance(context, { type: 'line', at, text: event.text });
  return inside;
}

/** `blind`: why the console cannot be read now. */
export function captureTick(context: Context, blind?: string): void {
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
  if (current !== null && climbTick(context, current)) climb(context);
  else advance(context, { type: 'tick', at, blind });
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
  if (press !== null) effects.push({ type: 'press', ...press, via: current.channel });
  if (series.exchange.phase === 'done') legEnded(context, current, series);
}

function legEnded(context: Context, current: Case, series: Series): void {
  const { leg } = series;
  current.raised = series.raised;
  current.strays = series.strays;
  const own = keepDump(context, current, series);
  if (current.acquitted !== null && leg !== 'restore') {
    finish(context, current);
    return;
  }
  if (leg === 'restore') {
    fileCase(context);
    return;
  }
  if (leg === 'raise') current.digits = digitsIn(series) ?? current.digits;
  if (climbs(context, current, series)) return;
  if (leg === 'raise') {
    // What a loglevel may have hidden is asked for again.
    if (series.raised) current.dumps = current.dumps.filter((dump) => !whole(dump) || !isEmpty(dump));
  } else {
    if (speaks(series) && (series.raised || !isEmpty(series.exchange))) channelWorks(context, current);
    current.asked = current.plan.indexOf(leg) + 1;
  }
  if (own === null || !repeats(context, current, own)) askNext(context, current, leg);
}

/** The next dump of the plan, or the end of the capture. */
function askNext(context: Context, current: Case, leg: Leg): void {
  if (current.asked === current.plan.length && spins(current)) current.plan = [...current.plan, ON_CPUS];
  const next = current.plan
    .slice(current.asked)
    .find((name) => !current.dumps.some((dump) => dump.name === name && whole(dump)));
  if (next === undefined) finish(context, current);
  else if (next === SECOND_LOOK && !current.manual) current.secondLookAt = context.at + secondLookMs(context);
  else {
    if (leg !== 'raise') enter(context, 'capturing', current.why);
    start(context, current, next);
  }
}

/** A CPU that never rests: what runs there is told by no w, and by t without its stack. */
function spins({ manual, plan, looks, complaint }: Case): boolean {
  if (manual || plan.includes(ON_CPUS)) return false;
  return (complaint !== null && STALLS.has(complaint.kind)) || someBusy(looks);
}

/** True where the keys fail as they are pressed now, and the ladder goes on. */
function climbs(context: Context, current: Case, series: Series): boolean {
  const fails = failing(context, current, series);
  if (fails === null) return false;
  // The incident says of the first dump why it is not there.
  const [first] = current.plan;
  if (series.leg === 'raise' && current.dumps.length === 0 && first !== undefined)
    keepDump(context, current, { ...series, leg: first });
  channelFailed(context, current, fails);
  climb(context);
  return true;
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

/** How the keys fail as they are pressed now; null where they do not, or the next one may fare better. */
function failing(context: Context, current: Case, series: Series): ChannelFailure | null {
  const { leg, exchange } = series;
  const { endedBy, quote } = exchange;
  const overSsh = current.channel !== 'sysrq-trigger' && noSsh(context) === null;
  if (endedBy === 'no-response' || endedBy === 'not-pressed')
    return current.dumps.some(whole) ? null : { how: endedBy, quote };
  if (leg === 'raise') return null;
  const last = current.plan.at(-1) === leg;
  if (endedBy !== 'refused') return hides(current, series, overSsh, last) ? { how: 'hidden', quote } : null;
  // Other keys may have another bit of the mask: only SSH is better for all of them.
  const nothing = (last || !current.manual) && !current.dumps.some(whole);
  return overSsh || nothing ? { how: endedBy, quote } : null;
}

/** A w may be empty because nothing is blocked; where nothing better is left, the t behind it tells. */
function hides({ dumps }: Case, { raised }: Series, overSsh: boolean, last: boolean): boolean {
  if (raised) return false;
  return overSsh ? dumps.some(isEmpty) : last && dumps.every(isEmpty);
}

function digitsIn({ exchange: { endedBy } }: Series): Case['digits'] {
  if (endedBy === 'refused') return 'refused';
  return endedBy === 'answered' ? 'allowed' : null;
}

/** A header and its fence, and nothing in between. */
const isEmpty = ({ lines }: Pick<KeptDump, 'lines'>): boolean => lines.length < 3;

const whole = ({ endedBy }: KeptDump): boolean => endedBy === 'fence';

/** On to the next rung of the ladder, or to the end of the capture at its top. */
function climb(context: Context): void {
  const current = context.state.case;
  if (current === null) return;
  const next = current.acquitted === null ? nextRung(context, current) : null;
  if (next === 'waits') return;
  if (next === null) {
    finish(context, current);
    return;
  }
  // What was refused is asked for again.
  current.asked = 0;
  start(context, current, 'raise');
}

/** Puts the loglevel back, after the last fence only: what is suppressed is decided when the console prints. */
function finish(context: Context, current: Case): void {
  if (current.acquitted === null) enter(context, 'capturing', current.why);
  if (current.series?.raised === true) start(context, current, 'restore');
  else fileCase(context);
}

function start(context: Context, current: Case, leg: Leg): void {
  const { state, at, effects } = context;
  const told = state.machine?.commandLine ?? current.looks.at(-1)?.kernelCommandLine ?? null;
  const commandLine = state.console.commandLine ?? told;
  const level = levelToRestore(state.facts?.loglevel ?? null, commandLine);
  const { series, press } = startLeg(leg, at, current.series, level);
  current.series = series;
  effects.push({ type: 'press', ...press, via: current.channel });
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
  const kept = attemptsOf(first, dump);
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

/** Of two attempts that brought nothing the first tells more. */
function attemptsOf(first: KeptDump | undefined, dump: KeptDump): KeptDump {
  if (first === undefined) return dump;
  if (dump.lines.length === 0) return first;
  return first.lines.length === 0 ? dump : joined(first, dump);
}
