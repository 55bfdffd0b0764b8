/**
 * The deeper question over SSH: a login, and a command that must fork and read from a disk. A server whose pages are in
 * memory greets for ever, whatever has become of its filesystems. One command is out at any time, none is sent while
 * the guest is looked at, and a guest in which one hung is asked ever more rarely: what hangs there is not piled up.
 */
import type { GuestSettings } from '../config/schema.js';
import type { SshCommand, SshStep } from '../ssh/command.js';
import type { Mono } from '../time.js';
import { acquit, type Context, enterCalm, mayBeAcquitted, recovered } from './case.js';
import { flappingSince } from './flapping.js';
import type { GuestState } from './state.js';

export interface CommandState {
  /** One is out, or waits for its turn. */
  inFlight: boolean;
  /** When it was asked for last in this boot. */
  askedAt: Mono | null;
  /** Since when the one that is out could have ended: later than its start where the network was lost meanwhile. */
  startedAt: Mono | null;
  /** The step that it is at. */
  at: SshStep;
  last: SshCommand | null;
  lastAt: Mono | null;
  lastOkAt: Mono | null;
  /** What the newest good ones took, in milliseconds. */
  usual: number[];
  /** The beginning of the first one in a row that hung. */
  hangsSince: Mono | null;
  hangs: number;
}

export const noCommand = (inFlight = false): CommandState => ({
  inFlight,
  askedAt: null,
  startedAt: null,
  at: 'connect',
  last: null,
  lastAt: null,
  lastOkAt: null,
  usual: [],
  hangsSince: null,
  hangs: 0,
});

/** After a guest answered first: it is still about its boot, and its facts are read. */
const FIRST_MS = 10_000;
/** A console that falls silent is a reason to ask at once, but so often at most. */
const SILENCE_MS = 20_000;
/** A host starts one a second at most, whatever the number of its guests. */
const PER_GUEST_MS = 1_000;
const NOT_LET_IN_MS = 10 * 60_000;
const AFTER_HANG_MS = 60_000;
const AFTER_HANGS_MS = 3_600_000;
const KEPT = 5;
/** So many times the slowest of the newest good ones is given, up to a minute; half as much again in any case. */
const USUAL_FACTOR = 4;
const USUAL_MAX_MS = 60_000;
const MARGIN = 1.5;
/** Below the deadline of a command, or none would ever hang. */
const LIMIT_MAX_MS = 150_000;

export function commandTick(context: Context): void {
  const { state, settings, at, effects } = context;
  const { command } = state.ssh;
  if (hangsNow(state, settings, at)) command.hangsSince ??= command.startedAt;
  if (!isDue(state, settings, at)) return;
  state.ssh.command = { ...command, inFlight: true, askedAt: at, startedAt: null, at: 'connect' };
  effects.push({ type: 'run-command' });
}

function mayBeAsked({ ssh, case: current, name }: GuestState, settings: GuestSettings): boolean {
  if (!settings.ssh.enabled || !settings.ssh.login || ssh.command.inFlight || current !== null) return false;
  if (name === 'panicked' || name === 'qemu-stuck' || ssh.flapping.since !== null) return false;
  // Who came by what QEMU's arguments tell knows neither user nor key.
  const mayLogIn = ssh.last?.kind === 'ok' && ssh.last.way === undefined;
  return mayLogIn && ssh.lastOkAt !== null && ssh.failures === 0;
}

function isDue(state: GuestState, settings: GuestSettings, at: Mono): boolean {
  const { console } = state;
  const { command } = state.ssh;
  if (!mayBeAsked(state, settings)) return false;
  if (command.askedAt === null) return at - state.phase.since >= FIRST_MS;
  const passed = at - command.askedAt;
  if (passed >= pauseMs(state, settings)) return true;
  const fellSilent =
    console.quietSince > command.askedAt && at - console.quietSince >= settings.detect.silence;
  return fellSilent && passed >= SILENCE_MS && command.last?.kind === 'ok';
}

function pauseMs({ ssh: { command }, host }: GuestState, { ssh }: GuestSettings): number {
  if (command.hangs > 0) return Math.min(AFTER_HANG_MS * 2 ** (command.hangs - 1), AFTER_HANGS_MS);
  const usual = Math.max(ssh.commandInterval, (host?.guests ?? 0) * PER_GUEST_MS);
  const idle = command.last?.kind === 'no-login' || command.last?.kind === 'host-fault';
  return idle ? Math.max(usual, NOT_LET_IN_MS) : usual;
}

/** Longer than this, and it hangs. */
function limitMs({ ssh: { command } }: GuestState, { ssh }: GuestSettings): number {
  const slowest = Math.max(0, ...command.usual);
  const patient = Math.max(Math.min(USUAL_FACTOR * slowest, USUAL_MAX_MS), MARGIN * slowest);
  return Math.max(ssh.commandTimeout, Math.min(patient, LIMIT_MAX_MS));
}

function hangsNow(state: GuestState, settings: GuestSettings, at: Mono): boolean {
  const { inFlight, startedAt } = state.ssh.command;
  return inFlight && startedAt !== null && at - startedAt >= limitMs(state, settings);
}

/** It has come to a step: the first is its start. */
export function onCommandStep({ state, at }: Context, step: SshStep): void {
  const { command } = state.ssh;
  // One of the boot before may still be out.
  if (command.askedAt === null) return;
  command.startedAt ??= at;
  command.at = step;
}

export function onCommand(context: Context, result: SshCommand): void {
  const { state, settings, at } = context;
  const { command } = state.ssh;
  const hung = hangsNow(state, settings, at) && result.step !== 'connect' && isFailure(result);
  const { startedAt } = command;
  command.inFlight = false;
  command.startedAt = null;
  if (command.askedAt === null) return;
  command.last = result;
  command.lastAt = at;
  if (hung) {
    command.hangsSince ??= startedAt;
    command.hangs += 1;
    // The pause before the next one begins now.
    command.askedAt = at;
  } else if (!isFailure(result)) {
    command.hangs = 0;
    const since = command.hangsSince;
    command.hangsSince = null;
    if (result.kind !== 'ok') return;
    command.lastOkAt = at;
    command.usual = [...command.usual, result.tookMs].slice(-KEPT);
    if (since !== null || state.filedFor === 'command') onWorksAgain(context);
  }
}

/** The guest's own failure. */
const isFailure = ({ kind }: SshCommand): boolean => kind === 'timed-out' || kind === 'refused';

function onWorksAgain(context: Context): void {
  const { state } = context;
  const because = 'a command over SSH works again';
  state.notBefore = 0;
  state.cooldownMs = 0;
  state.judged = null;
  state.doubted = null;
  state.patience = 0;
  if (state.case?.greets === true && mayBeAcquitted(state)) acquit(context, because);
  else if (state.case === null && state.name === 'suspect') enterCalm(context, [because]);
  recovered(context, because);
}

/** Nobody watched: what did not end meanwhile is given its time again. */
export function voidCommand({ ssh: { command }, name }: GuestState, at: Mono): void {
  if (command.startedAt !== null) command.startedAt = at;
  if (name !== 'held') command.hangsSince = null;
}

/** While the banner does not come, it is no wonder that a command does not end. */
export function onBannerLost({ state: { ssh }, at }: Context): void {
  if (ssh.command.startedAt !== null) ssh.command.startedAt = at;
}

/** Since when commands hang in a guest whose SSH greets, or null. */
export const commandHangsSince = (state: GuestState): Mono | null => {
  const { ssh } = state;
  const greets = ssh.lastOkAt !== null && ssh.failures === 0 && flappingSince(state) === null;
  return greets ? ssh.command.hangsSince : null;
};
