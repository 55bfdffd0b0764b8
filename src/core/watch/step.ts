/**
 * The decision about one guest: what an event changes, and what is to be done. No clock, no I/O: live, in tests and
 * over a recorded timeline it is the same code. The state has one owner and is updated in place; copying a memory of
 * four thousand lines for each console row would buy nothing.
 */
import { dumpNames } from '../capture/dump-keys.js';
import type { GuestSettings } from '../config/schema.js';
import { armingTick, checkArming, hearHelp, onArming } from './arm.js';
import { commandTick } from './ask-command.js';
import { climb, converse, dumpRead, missRows, onPressed, readDump, waitingTick } from './case/asking.js';
import type { Case } from './case/case.js';
import { climbingTick, memoryDumped, nmiInjected, registersCame } from './case/climbing.js';
import { closeCase, closeUnkept } from './case/end.js';
import { fileWhatThereIs, judge } from './case/judge.js';
import { firstLook, lookIsVoid, lookingTick } from './case/looking.js';
import { panicEnds, suspectPanic } from './case/panic.js';
import { openCase } from './case/open.js';
import { caseMemory, holdingTick, onOpened, weighed } from './case/weighing.js';
import { type Context, enter, enterCalm } from './context.js';
import type { Effect, GuestEvent } from './events.js';
import { factsCame, problemOver } from './slices/arming.js';
import { disturbed } from './slices/boot.js';
import { commandDelayed, stepCame } from './slices/command.js';
import { blindness, heard, noteUnread, nowRead, silenceIsVoid } from './slices/console.js';
import { complaintDue, probeWantedFrom } from './slices/claims.js';
import { archived } from './slices/filings.js';
import { lateBy, ticked } from './slices/host.js';
import { forgetMachine, machineFound, recalled, seenRunning } from './slices/qemu.js';
import { sampleCame, snapshotCame, workSeen } from './slices/memory.js';
import { takeProbe } from './slices/ssh.js';
import { identify, recall } from './identify.js';
import { lateTest } from './late-test.js';
import { testRecorded } from './slices/tests.js';
import { isKnown, onBoot, onCommand, onLine, onSsh, saidByKernel, voidWindows } from './signs.js';
import type { GuestState } from './state.js';
import { isHung } from './state-name.js';
import { memoryTick } from './memory-tick.js';
import { stalls, standsStill } from './stands.js';
import { workOf } from './looks.js';
import { suspicion } from './suspicion.js';

/** `recovered` is shown for a while before the guest is plainly up again. */
const RECOVERED_MS = 10_000;

type Of<Type extends GuestEvent['type']> = Extract<GuestEvent, { type: Type }>;
type Handlers = { [Type in GuestEvent['type']]: (context: Context, event: Of<Type>) => void };

/** What each event changes: read on from here. */
const handlers: Handlers = {
  boot: (context, event) => {
    const { reason, invocation } = event;
    onBoot(context, event, { reason, by: 'qemu', invocation });
  },
  line: onConsole,
  'left-out': onLeftOut,
  tick: onTick,
  ssh: (context, { probe, startedAt, at }) => onSsh(context, probe, startedAt ?? at - probe.tookMs),
  'command-step': ({ state, at }, { step: reached }) => stepCame(state.command, reached, at),
  command: (context, { result }) => onCommand(context, result),
  facts: onArming,
  'arming-due': onArming,
  proof: onArming,
  armed: onArming,
  look: onLook,
  machine: (context, { machine, at }) => {
    machineFound(context.state.qemu, machine, at);
    if (context.state.qemu.machine !== null) recall(context);
  },
  'test-recalled': ({ state }, { name, ms }) => testRecorded(state.tests, name, ms),
  recalled: ({ state }, { key, learned }) => recalled(state.qemu, key, learned),
  opened: (context, { problem }) => onOpened(context, problem),
  pressed: onPressed,
  'nmi-injected': (context, { problem }) =>
    rungEnds(context, (current) => nmiInjected(context, current, problem)),
  'memory-dumped': (context, event) => rungEnds(context, (current) => memoryDumped(context, current, event)),
  snapshot: onSnapshot,
  sampled: ({ state, at }, { seen }) => sampleCame(state.memory, seen, at),
  analysed: onAnalysed,
  filed: onFiled,
  gone: (context, event) => {
    const { reason } = event;
    panicEnds(context);
    if (fileWhatThereIs(context, 'the guest was stopped in the middle of the capture', event)) return;
    forgetMachine(context.state.qemu);
    enter(context, 'gone', [reason]);
  },
  'capture-asked': onCaptureAsked,
};

/** Updates `state` by one event and returns what has to be done. Events must come in the order of their times. */
export function step(state: GuestState, event: GuestEvent, settings: GuestSettings): Effect[] {
  const context: Context = { state, settings, at: event.at, effects: [] };
  // A timeline of a later version may hold events that this one does not know.
  if (!Object.hasOwn(handlers, event.type)) return [];
  decideOn(context, event);
  return context.effects;
}

function decideOn(context: Context, event: GuestEvent): void {
  const handle = handlers[event.type] as (context: Context, event: GuestEvent) => void;
  handle(context, event);
}

function onConsole(context: Context, event: Of<'line'>): void {
  const { state } = context;
  const { text, replayed = false } = event;
  if (state.console.unread !== null) firstRead(context);
  const proves = state.arming.askedAt !== null && !replayed && hearHelp(context, text);
  const ofDump = !proves && state.case !== null && !replayed && readDump(context, state.case, text);
  if (!ofDump) onLine(context, event);
}

/** A dump that rows are missing from is not whole. */
function onLeftOut(context: Context, { rows, repeated }: Of<'left-out'>): void {
  const { state, at } = context;
  heard(state.console, at);
  if (state.case !== null && !repeated) missRows(context, state.case, rows);
}

/** What could not be proven while no line came is asked for again. */
function firstRead(context: Context): void {
  nowRead(context.state.console);
  if (problemOver(context.state.arming)) checkArming(context);
}

function onTick(context: Context, event: Of<'tick'>): void {
  const { state, at, settings, effects } = context;
  commandDelayed(state.command, lateBy(state.host, at));
  const asleep = ticked(state.host, event);
  if (asleep !== null) voidWindows(context, asleep);
  hearUnread(context, event);
  if (state.name === 'gone') return;
  identify(context);
  const claimedAt = probeWantedFrom(state.claims, at);
  if (mayProbe(context) && takeProbe(state.ssh, settings.ssh, { at, claimedAt }))
    effects.push({ type: 'probe-ssh' });
  commandTick(context);
  armingTick(context);
  memoryTick(context);
  if (state.case === null) calmTick(context, event);
  else caseTick(context, state.case, event.blind);
}

/** Silence of a console of which nothing is read says nothing of the guest. */
function hearUnread({ state, at }: Context, { unread }: Of<'tick'>): void {
  noteUnread(state.console, unread, at);
  if (blindness(state.console, at) === null) return;
  silenceIsVoid(state.console, at);
  disturbed(state.boot);
}

/** The way to it may be what its QEMU tells, in a moment. */
const mayProbe = ({ state, settings }: Context): boolean =>
  settings.ssh.enabled && !(state.qemu.asked.inFlight && settings.hostIsName === true);

/** What time brings in each stage of a case. `blind`: why the console cannot be read now. */
function caseTick(context: Context, current: Case, blind: string | undefined): void {
  const { stage } = current;
  switch (stage.name) {
    case 'looking':
      lookingTick(context, current, stage);
      return;
    case 'asking':
    case 'restoring':
      converse(context, current, { type: 'tick', at: context.at, blind });
      return;
    case 'waiting':
      waitingTick(context, current, stage);
      return;
    case 'climbing':
      if (climbingTick(context, current, stage)) climb(context, current);
      return;
    case 'holding':
      holdingTick(context, current, stage);
      return;
    // The archive answers, or the analyst.
    case 'opening':
    case 'weighing':
    case 'reading':
    case 'judging':
    case 'filing':
  }
}

function calmTick(context: Context, { blind }: Of<'tick'>): void {
  const { state, settings, at } = context;
  if (state.name === 'recovered' && at - state.since >= RECOVERED_MS) enterCalm(context, state.why);
  if (isHung(state.name)) return;
  // Silence of a source that cannot be read says nothing about the guest.
  if (blind !== undefined) {
    disturbed(state.boot);
    silenceIsVoid(state.console, at);
    return;
  }
  const reason = at < state.restraint.notBefore ? null : suspicion(state, settings, at);
  const stalled = reason ?? stalls(state, settings, at) ?? lateTest(state, settings, at);
  if (stalled !== null) openCase(context, stalled);
  else suspectWhatWasSaid(context);
}

/** What the console said of the kernel, and could not be looked into yet. */
function suspectWhatWasSaid(context: Context): void {
  const { state, at } = context;
  suspectPanic(context);
  const said = state.case === null ? complaintDue(state.claims, at) : null;
  if (said !== null && !isKnown(state, said, at)) openCase(context, saidByKernel(said));
}

function onLook(context: Context, { look, at }: Of<'look'>): void {
  const { state } = context;
  seenRunning(state.qemu, look.qemu);
  workSeen(state.memory, workOf(look), at);
  state.looks = [...state.looks.slice(-1), { ...look, at }];
  const current = state.case;
  if (current === null) weighStanding(context);
  if (current === null || current.stage.name === 'filing') return;
  if (lookIsVoid(context, current, look)) return;
  current.looks = [...current.looks.slice(0, 5), { ...look, at }];
  if (current.stage.name === 'looking') firstLook(context, current, look);
  else rungEnds(context, () => registersCame(context, current, look));
}

function onSnapshot(context: Context, { seen, at }: Of<'snapshot'>): void {
  const { state } = context;
  snapshotCame(state.memory, seen, at);
  if (state.case !== null) caseMemory(context, state.case, seen);
  else weighStanding(context);
}

/** A snapshot and a look came: what both show need not wait for the next tick. */
function weighStanding(context: Context): void {
  const { state, settings, at } = context;
  if (state.name === 'gone' || isHung(state.name) || at < state.restraint.notBefore) return;
  const reason = standsStill(state, settings, at);
  if (reason !== null) openCase(context, reason);
}

/** A rung that presses nothing has its answer. */
function rungEnds(context: Context, ends: (current: Case) => boolean): void {
  const current = context.state.case;
  if (current !== null && ends(current)) climb(context, current);
}

/** The analyst has read a dump, or all of them; what waited for that goes on. */
function onAnalysed(context: Context, { answer }: Of<'analysed'>): void {
  const current = context.state.case;
  if (current === null) return;
  const { stage } = current;
  if (stage.name === 'weighing') weighed(context, current, stage, answer);
  else if (stage.name === 'reading') {
    dumpRead(context, current, stage.leg, answer.type === 'read' ? answer.reading : null);
  } else if (stage.name === 'judging') {
    judge(context, current, answer);
    if (stage.then !== null) decideOn(context, stage.then);
  }
}

function onFiled(context: Context, { incident, problem }: Of<'filed'>): void {
  const { state, effects } = context;
  const current = state.case;
  // That of a boot before comes late: another case may be open by now.
  const own = current?.stage.name === 'filing';
  archived(state.filings, incident, !own || current.accusation.by === 'hand');
  if (problem !== undefined) effects.push({ type: 'note', level: 'warning', text: problem });
  if (!own) return;
  if (incident === null) closeUnkept(context, problem ?? 'nothing was kept');
  else closeCase(context);
}

/** Somebody wants a dump now. */
function onCaptureAsked(context: Context, { note, keys, facts }: Of<'capture-asked'>): void {
  const { state } = context;
  if (facts !== undefined && state.case === null) factsCame(state.arming, facts, false);
  const plan = keys === null ? undefined : dumpNames(keys);
  openCase(context, { by: 'hand', why: ['asked for by hand'], note }, plan);
}
