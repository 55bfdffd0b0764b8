/**
 * The deeper question over SSH: a login, and a command that must fork and read from a disk. A server whose pages are in
 * memory greets for ever, whatever has become of its filesystems. Only these functions write to it.
 */
import type { GuestSettings } from '../../config/schema.js';
import type { SshCommand, SshStep } from '../../ssh/command-probe.js';
import type { Mono } from '../../time.js';
import { flappingSince, type SshState } from './ssh.js';

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

const KEPT = 5;
/** So many times the slowest of the newest good ones is given, up to a minute; half as much again in any case. */
const USUAL_FACTOR = 4;
const USUAL_MAX_MS = 60_000;
const MARGIN = 1.5;
/** Below the deadline of a command, or none would ever hang. */
const LIMIT_MAX_MS = 150_000;

/** One of the boot before may still be out. */
export function commandBoots(command: CommandState): void {
  Object.assign(command, noCommand(command.inFlight));
}

export function commandAsked(command: CommandState, at: Mono): void {
  Object.assign(command, { inFlight: true, askedAt: at, startedAt: null, at: 'connect' });
}

/** The watchdog was late by so much, in milliseconds: that is none of the time of the one that is out. */
export function commandDelayed(command: CommandState, lateMs: number): void {
  if (command.startedAt !== null) command.startedAt += lateMs;
}

/** It has come to a step: the first is its start. */
export function stepCame(command: CommandState, step: SshStep, at: Mono): void {
  // One of the boot before may still be out.
  if (command.askedAt === null) return;
  command.startedAt ??= at;
  command.at = step;
}

/** Longer than this, and it hangs. */
function limitMs({ usual }: CommandState, { commandTimeout }: GuestSettings['ssh']): number {
  const slowest = Math.max(0, ...usual);
  const patient = Math.max(Math.min(USUAL_FACTOR * slowest, USUAL_MAX_MS), MARGIN * slowest);
  return Math.max(commandTimeout, Math.min(patient, LIMIT_MAX_MS));
}

function hangsNow(command: CommandState, settings: GuestSettings['ssh'], at: Mono): boolean {
  const { inFlight, startedAt } = command;
  return inFlight && startedAt !== null && at - startedAt >= limitMs(command, settings);
}

/** Time passes: the one that is out may have begun to hang. */
export function commandWaits(command: CommandState, settings: GuestSettings['ssh'], at: Mono): void {
  if (hangsNow(command, settings, at)) command.hangsSince ??= command.startedAt;
}

/** It has ended. Returns whether it worked, and whether those before it hung; null if it was of the boot before. */
export function commandEnded(
  command: CommandState,
  result: SshCommand,
  { settings, at }: { settings: GuestSettings['ssh']; at: Mono },
): { works: boolean; afterHang: boolean } | null {
  const hung = hangsNow(command, settings, at) && result.step !== 'connect' && isFailure(result);
  const { startedAt, hangsSince } = command;
  command.inFlight = false;
  command.startedAt = null;
  // One that was given up because this host was late tells nothing.
  if (command.askedAt === null || result.late === true) return null;
  command.last = result;
  command.lastAt = at;
  if (hung) {
    command.hangsSince ??= startedAt;
    command.hangs += 1;
    // The pause before the next one begins now.
    command.askedAt = at;
  } else if (!isFailure(result)) {
    command.hangs = 0;
    command.hangsSince = null;
  }
  if (hung || result.kind !== 'ok') return { works: false, afterHang: false };
  command.lastOkAt = at;
  command.usual = [...command.usual, result.tookMs].slice(-KEPT);
  return { works: true, afterHang: hangsSince !== null };
}

/** The guest's own failure. */
const isFailure = ({ kind }: SshCommand): boolean => kind === 'timed-out' || kind === 'refused';

/** Nobody watched: one that did not end meanwhile is given its time again. `held`: that they hang was filed. */
export function commandIsVoid(command: CommandState, held: boolean, at: Mono): void {
  if (command.startedAt !== null) command.startedAt = at;
  if (!held) command.hangsSince = null;
}

/** While the banner does not come, it is no wonder that a command does not end. */
export function bannerLost(command: CommandState, at: Mono): void {
  if (command.startedAt !== null) command.startedAt = at;
}

/** Since when commands hang in a guest whose SSH greets, or null. */
export const hangsSince = ({ ssh, command }: { ssh: SshState; command: CommandState }): Mono | null => {
  const greets = ssh.lastOkAt !== null && ssh.failures === 0 && flappingSince(ssh) === null;
  return greets ? command.hangsSince : null;
};
