/**
 * The decision about one guest: what an event changes, and what is to be done. No clock, no I/O: live, in tests and
 * over a recorded timeline it is the same code. The state has one owner and is updated in place; copying a memory of
 * four thousand lines for each console row would buy nothing.
 */
import { dumpNames } from '../capture/dump-keys.js';
import type { GuestSettings } from '../config/schema.js';
import { armingTick, checkArming, hearHelp, onArming } from './arm.js';
import { commandTick } from './ask-command.js';
import { climb, converse, missRows, onOpened, onPressed, readDump, waitingTick } from './case/asking.js';
import type { Case } from './case/case.js';
import { climbingTick, memoryDumped, nmiInjected, registersCame } from './case/climbing.js';
import { closeCase } from './case/end.js';
import { fileWhatThereIs } from './case/judge.js';
import { firstLook, lookingTick } from './case/looking.js';
import { openCase } from './case/open.js';
import { type Context, enter, enterCalm } from './context.js';
import type { Effect, GuestEvent } from './events.js';
import { factsCame, problemOver } from './slices/arming.js';
import { disturbed } from './slices/boot.js';
import { stepCame } from './slices/command.js';
import { blindness, heard, noteUnread, nowRead, silenceIsVoid } from './slices/console.js';
import { archived } from './slices/filings.js';
import { ticked } from './slices/host.js';
import { forgetMachine, machineFound, recalled, seenRunning } from './slices/qemu.js';
import { takeProbe } from './slices/ssh.js';
import { identify, recall } from './identify.js';
import { onBoot, onCommand, onLine, onSsh, voidWindows } from './signs.js';
import type { GuestState } from './state.js';
import { suspicion } from './suspicion.js';

/** `recovered` is shown for a while before the guest is plainly up again. */
const RECOVERED_MS = 10_000;

type Of<Type extends GuestEvent['type']> = Extract<GuestEvent, { type: Type }>;
type Handlers = { [Type in GuestEvent['type']]: (context: Context, event: Of<Type>) => void };

/** What each event changes: read on from here. */
const handlers: Handlers = {
  boot: (context, { reason, invocation }) => onBoot(context, reason, 'qemu', invocation),
  line: onConsole,
  'left-out': onLeftOut,
  tick: onTick,
  ssh: (context, { probe }) => onSsh(context, probe),
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
  recalled: ({ state }, { key, learned }) => recalled(state.qemu, key, learned),
  opened: (context, { problem }) => onOpened(context, problem),
  pressed: onPressed,
  'nmi-injected': (context, { problem }) =>
    rungEnds(context, (current) => nmiInjected(context, current, problem)),
  'memory-dumped': (context, event) => rungEnds(context, (current) => memoryDumped(context, current, event)),
  filed: onFiled,
  gone: (context, { reason }) => {
    fileWhatThereIs(context, 'the guest was stopped in the middle of the capture');
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
  const handle = handlers[event.type] as (context: Context, event: GuestEvent) => void;
  handle(context, event);
  return context.effects;
}

function onConsole(context: Context, event: Of<'line'>): void {
  const { state } = context;
  const { text, replayed = false } = event;
  if (state.console.unread !== null) firstRead(context);
  if (state.arming.askedAt !== null && !replayed) hearHelp(context, text);
  const ofDump = state.case !== null && !replayed && readDump(context, state.case, text);
  if (!ofDump) onLine(context, text, replayed);
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
  const asleep = ticked(state.host, event);
  if (asleep !== null) voidWindows(context, asleep);
  hearUnread(context, event);
  if (state.name === 'gone') return;
  identify(context);
  if (mayProbe(context) && takeProbe(state.ssh, settings.ssh, at)) effects.push({ type: 'probe-ssh' });
  commandTick(context);
  armingTick(context);
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
    // The archive answers.
    case 'opening':
    case 'filing':
  }
}

function calmTick(context: Context, { blind }: Of<'tick'>): void {
  const { state, settings, at } = context;
  if (state.name === 'recovered' && at - state.since >= RECOVERED_MS) enterCalm(context, state.why);
  if (state.name === 'held' || state.name === 'panicked' || state.name === 'qemu-stuck') return;
  // Silence of a source that cannot be read says nothing about the guest.
  if (blind !== undefined) {
    disturbed(state.boot);
    silenceIsVoid(state.console, at);
    return;
  }
  const reason = at < state.restraint.notBefore ? null : suspicion(state, settings, at);
  if (reason !== null) openCase(context, reason);
}

function onLook(context: Context, { look, at }: Of<'look'>): void {
  const { state } = context;
  seenRunning(state.qemu, look.qemu);
  state.looks = [...state.looks.slice(-1), { ...look, at }];
  const current = state.case;
  if (current === null || current.stage.name === 'filing') return;
  current.looks = [...current.looks.slice(0, 5), { ...look, at }];
  if (current.stage.name === 'looking') firstLook(context, current, look);
  else rungEnds(context, () => registersCame(context, current, look));
}

/** A rung that presses nothing has its answer. */
function rungEnds(context: Context, ends: (current: Case) => boolean): void {
  const current = context.state.case;
  if (current !== null && ends(current)) climb(context, current);
}

function onFiled(context: Context, { incident, problem }: Of<'filed'>): void {
  const { state, effects } = context;
  const current = state.case;
  // That of a boot before comes late: another case may be open by now.
  const own = current?.stage.name === 'filing';
  archived(state.filings, incident, !own || current.accusation.by === 'hand');
  if (problem !== undefined) effects.push({ type: 'note', level: 'warning', text: problem });
  if (own) closeCase(context);
}

/** Somebody wants a dump now. */
function onCaptureAsked(context: Context, { note, keys, facts }: Of<'capture-asked'>): void {
  const { state } = context;
  if (facts !== undefined && state.case === null) factsCame(state.arming, facts, false);
  const plan = keys === null ? undefined : dumpNames(keys);
  openCase(context, { by: 'hand', why: ['asked for by hand'], note }, plan);
}
