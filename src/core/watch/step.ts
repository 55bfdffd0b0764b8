/**
 * The decision about one guest: what an event changes, and what is to be done. No clock, no I/O: live, in tests and
 * over a recorded timeline it is the same code. The state has one owner and is updated in place; copying a memory of
 * four thousand lines for each console row would buy nothing.
 */
import { dumpNames } from '../capture/keys.js';
import type { GuestSettings } from '../config/schema.js';
import type { Mono } from '../time.js';
import { seconds } from '../words.js';
import { type ArmingEvent, armingTick, checkArming, hearHelp, isArming, onArming } from './arming.js';
import { captureTick, onCaptureLook, onOpened, onPressed, onRung, readDump } from './capturing.js';
import { closeCase, type Context, enter, enterCalm, openCase } from './case.js';
import { onBoot, onLine, onSsh, voidWindows } from './evidence.js';
import { commandTick, onCommand, onCommandStep } from './command.js';
import type { Effect, GuestEvent } from './events.js';
import { fileWhatThereIs } from './judge.js';
import { checkMachine, forgetMachine, identifyTick, onMachine, onRecalled } from './identity.js';
import { disturbed } from './phase.js';
import { lookTick, onLook } from './looking.js';
import type { GuestState } from './state.js';
import { suspicion } from './suspicion.js';
import { noteUnread } from './unread.js';

/** A tick that comes this late means that the host was suspended or starved: no verdict from a sleeping judge. */
const LATE_TICK_MS = 5_000;
/** `recovered` is shown for a while before the guest is plainly up again. */
const RECOVERED_MS = 10_000;

type Tick = Extract<GuestEvent, { type: 'tick' }>;

/** Updates `state` by one event and returns what has to be done. Events must come in the order of their times. */
export function step(state: GuestState, event: GuestEvent, settings: GuestSettings): Effect[] {
  const context: Context = { state, settings, at: event.at, effects: [] };
  dispatch(context, event);
  return context.effects;
}

function dispatch(context: Context, event: GuestEvent): void {
  if (isArming(event)) onArming(context, event);
  else if (event.type === 'command-step') onCommandStep(context, event.step);
  else if (event.type === 'command') onCommand(context, event.result);
  else if (event.type === 'machine') onMachine(context, event.machine);
  else if (event.type === 'recalled') onRecalled(context, event.key, event.learned);
  else dispatchOther(context, event);
}

type Other = Exclude<
  GuestEvent,
  { type: ArmingEvent['type'] | 'command' | 'command-step' | 'machine' | 'recalled' }
>;

function dispatchOther(context: Context, event: Other): void {
  switch (event.type) {
    case 'boot':
      onBoot(context, event.reason, 'qemu', event.invocation);
      return;
    case 'line':
      nowRead(context);
      if (event.replayed !== true) hearHelp(context, event.text);
      if (!readDump(context, event)) onLine(context, event.text, event.replayed === true);
      return;
    case 'tick':
      onTick(context, event);
      return;
    case 'ssh':
      onSsh(context, event.probe);
      return;
    case 'look':
      checkMachine(context, event.look);
      onLook(context, event.look);
      onCaptureLook(context, event.look);
      return;
    case 'opened':
      onOpened(context, event.problem);
      return;
    case 'pressed':
      onPressed(context, event);
      return;
    case 'filed':
      onFiled(context, event.incident, event.problem);
      return;
    case 'gone':
      fileWhatThereIs(context, 'the guest was stopped in the middle of the capture');
      forgetMachine(context);
      enter(context, 'gone', [event.reason]);
      return;
    case 'capture-asked':
      onCaptureAsked(context, event);
      return;
    case 'nmi-injected':
    case 'memory-dumped':
      onRung(context, event);
      return;
  }
}

/** A line came: what could not be proven while none did is asked for again. */
function nowRead(context: Context): void {
  const { state } = context;
  if (state.console.unread === null) return;
  state.console.unread = null;
  if (state.arming.problem === null) return;
  state.arming = { ...state.arming, problem: null };
  checkArming(context);
}

function onTick(context: Context, event: Tick): void {
  const { state, at, settings } = context;
  guardItself(context, event);
  noteUnread(context, event.unread);
  if (state.name === 'gone') return;
  identifyTick(context);
  probeWhenDue(context);
  commandTick(context);
  armingTick(context);
  if (state.case !== null) {
    lookTick(context);
    captureTick(context, event.blind);
    return;
  }
  if (state.name === 'recovered' && at - state.since >= RECOVERED_MS) enterCalm(context, state.why);
  if (state.name === 'held' || state.name === 'panicked' || state.name === 'qemu-stuck') return;
  // Silence of a source that cannot be read says nothing about the guest.
  if (event.blind !== undefined) {
    disturbed(state);
    state.console.quietSince = at;
    return;
  }
  const reason = at < state.notBefore ? null : suspicion(state, settings, at);
  if (reason !== null) openCase(context, { ...reason, complaint: null });
}

function onCaptureAsked(
  context: Context,
  { note, keys, facts }: Extract<GuestEvent, { type: 'capture-asked' }>,
): void {
  if (facts !== undefined && context.state.case === null) context.state.facts = facts;
  const plan = keys === null ? {} : { plan: dumpNames(keys) };
  openCase(context, { why: ['asked for by hand'], complaint: null, manual: true, note, ...plan });
}

/** Windows that were open while nobody watched are void. */
function guardItself(context: Context, event: Tick): void {
  const { state, at } = context;
  const pause = at - (state.lastTickAt ?? at);
  if (pause > LATE_TICK_MS) voidWindows(context, `the watchdog itself slept for ${seconds(pause)}`);
  else if (clockJumped(state, event))
    voidWindows(context, 'the wall clock jumped, or the host was suspended');
  state.lastTickAt = at;
  state.lastWallMs = event.wallMs ?? null;
  if (event.host !== undefined) state.host = { ...event.host, at };
}

/** The monotonic clock stands still while the host is suspended, and the guests with it; the wall clock goes on. */
function clockJumped(
  { lastWallMs, lastTickAt }: GuestState,
  { at, wallMs }: { at: Mono; wallMs?: number },
): boolean {
  if (lastWallMs === null || lastTickAt === null || wallMs === undefined) return false;
  return Math.abs(wallMs - lastWallMs - (at - lastTickAt)) > LATE_TICK_MS;
}

function probeWhenDue({ state, settings, at, effects }: Context): void {
  const { ssh, identity } = state;
  if (!settings.ssh.enabled || ssh.inFlight > 1) return;
  // The way to it may be what its QEMU tells, in a moment.
  if (identity.inFlight && settings.hostIsName === true) return;
  // A guest that was up answers at once: when it first does not, it is asked again beside it, not after it. One that
  // boots, or is known to be lost, must not be loaded with more.
  const first = ssh.lastOkAt !== null && ssh.failures === 0;
  if (ssh.inFlight === 1 && !first) return;
  const pause = ssh.inFlight === 0 ? settings.ssh.interval : settings.ssh.timeout / 3;
  if (ssh.lastStartedAt !== null && at - ssh.lastStartedAt < pause) return;
  ssh.inFlight += 1;
  ssh.lastStartedAt = at;
  effects.push({ type: 'probe-ssh' });
}

function onFiled(context: Context, incident: string | null, problem: string | undefined): void {
  const { state, effects } = context;
  if (incident !== null) state.lastIncident = incident;
  if (state.case?.manual === false) state.incident = incident;
  if (problem !== undefined) effects.push({ type: 'note', level: 'warning', text: problem });
  closeCase(context);
}
