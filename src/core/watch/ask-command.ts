/**
 * When the deeper question is asked over SSH: a login and a command. One is out at any time. Where the guest's memory is
 * read, that tells who stands still, and costs the guest nothing: it is asked on suspicion only.
 */
import type { GuestSettings } from '../config/schema.js';
import type { Mono } from '../time.js';
import type { Context } from './context.js';
import { commandAsked, commandWaits } from './slices/command.js';
import { isRead } from './slices/memory.js';
import type { GuestState } from './state.js';

/** After a guest answered first: it is still about its boot, and its facts are read. */
const FIRST_MS = 10_000;
/** A console that falls silent is a reason to ask at once, but so often at most. */
const SILENCE_MS = 20_000;
/** A host starts one a second at most, whatever the number of its guests. */
const PER_GUEST_MS = 1_000;
const NOT_LET_IN_MS = 10 * 60_000;
const AFTER_HANG_MS = 60_000;
const AFTER_HANGS_MS = 3_600_000;

/** Sends a command if it is time. A guest in which one hung is asked ever more rarely: nothing piles up there. */
export function commandTick({ state, settings, at, effects }: Context): void {
  commandWaits(state.command, settings.ssh, at);
  if (!isDue(state, settings, at)) return;
  commandAsked(state.command, at);
  effects.push({ type: 'run-command' });
}

function mayBeAsked(
  { ssh, command, case: current, name }: GuestState,
  { ssh: { enabled, login } }: GuestSettings,
): boolean {
  // None is sent while the guest is looked at.
  if (!enabled || !login || command.inFlight || current !== null) return false;
  if (name === 'panicked' || name === 'qemu-stuck' || ssh.flapping.since !== null) return false;
  // Whoever came by what QEMU's arguments tell knows neither user nor key.
  const mayLogIn = ssh.last?.kind === 'ok' && ssh.last.way === undefined;
  return mayLogIn && ssh.lastOkAt !== null && ssh.failures === 0;
}

function isDue(state: GuestState, settings: GuestSettings, at: Mono): boolean {
  const { console, command, memory } = state;
  if (!mayBeAsked(state, settings)) return false;
  if (command.askedAt === null) return at - state.boot.phase.since >= FIRST_MS;
  const passed = at - command.askedAt;
  // Who stands is no reason to ask time and again: a case of its own follows.
  const suspected = memory.watched.some(({ seen }) => seen === 1) && passed >= SILENCE_MS;
  const routine = !isRead(memory) || command.hangs > 0 || command.last?.kind !== 'ok';
  if ((routine || suspected) && passed >= pauseMs(state, settings)) return true;
  const fellSilent =
    console.quietSince > command.askedAt && at - console.quietSince >= settings.detect.silence;
  return fellSilent && passed >= SILENCE_MS && command.last?.kind === 'ok' && !rests(state);
}

/** Memory was read since its console fell silent, and shows nobody who stands, and a CPU for whoever comes. */
function rests({ console, memory }: GuestState): boolean {
  const last = memory.glances.at(-1);
  const seen = isRead(memory) && last !== undefined && last.at >= console.quietSince;
  return seen && last.standing.length === 0 && last.idle > 0;
}

function pauseMs({ command, host }: GuestState, { ssh }: GuestSettings): number {
  if (command.hangs > 0) return Math.min(AFTER_HANG_MS * 2 ** (command.hangs - 1), AFTER_HANGS_MS);
  const usual = Math.max(ssh.commandInterval, (host.now?.guests ?? 0) * PER_GUEST_MS);
  const idle = command.last?.kind === 'no-login' || command.last?.kind === 'host-fault';
  return idle ? Math.max(usual, NOT_LET_IN_MS) : usual;
}
