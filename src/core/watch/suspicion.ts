import type { GuestSettings } from '../config/schema.js';
import type { Phase } from '../console/phases.js';
import type { Mono } from '../time.js';
import { seconds } from '../words.js';
import type { Reason } from './accuse.js';
import { hangsSince } from './slices/command.js';
import { unreadText } from './slices/console.js';
import { isTold } from './slices/memory.js';
import { quietLimit } from './slices/quiet.js';
import { countsFrom, flappingSince, flapsText, sshCanBeJudged } from './slices/ssh.js';
import { sshSteps, stepsText } from './ssh-steps.js';
import type { GuestState } from './state.js';

/** SSH lost for so long is worth a look although the console goes on. */
const LIVE_MS = 60_000;
/** And for so long, if nothing was ever read of the console: it is no second witness. */
const UNREAD_MS = 30_000;

/**
 * Why a guest should be looked at, or null. Two independent signals are needed: SSH and the console. Silence alone
 * accuses nobody: a healthy guest at its login prompt is silent for ever. If SSH cannot be judged, silence only
 * buys a look, and the dumps alone decide.
 */
export function suspicion(state: GuestState, settings: GuestSettings, at: Mono): Reason | null {
  const { detect } = settings;
  const { ssh, console, boot, qemu } = state;
  if (console.unread !== null) return ofUnread(state, settings, at);
  const quiet = at - console.quietSince;
  if (!sshCanBeJudged(ssh, settings)) {
    const limit = Math.max(quietLimit(boot.phase.name, qemu.learned, settings), detect.bootSilence);
    if (quiet < limit) return null;
    return { by: 'blocked-task', why: [silence(state, quiet), sshUnknown(state, settings)] };
  }
  const flaps = flappingSince(ssh);
  if (flaps !== null)
    return ofLoss(state, settings, { at, since: flaps, by: 'ssh-lost', says: flapsText(ssh, at) });
  if (ssh.failures < settings.ssh.failures) return ofCommand(state, settings, at);
  if (quiet >= quietLimit(phaseOf(state), qemu.learned, settings))
    return { by: 'silence', why: [sshLost(state, at), silence(state, quiet)] };
  if (ssh.lastOkAt === null || at - countsFrom(ssh, ssh.lastOkAt) < LIVE_MS) return null;
  return { by: 'ssh-lost', why: [sshLost(state, at), onwards(state)] };
}

/** SSH alone speaks, and only of a guest that was up. */
function ofUnread(state: GuestState, settings: GuestSettings, at: Mono): Reason | null {
  const { ssh, console } = state;
  const lost =
    ssh.failures >= settings.ssh.failures &&
    ssh.lastOkAt !== null &&
    at - countsFrom(ssh, ssh.lastOkAt) >= UNREAD_MS;
  if (!lost || console.unread === null || !sshCanBeJudged(ssh, settings)) return null;
  return { by: 'silence', why: [sshLost(state, at), unreadText(console.unread)] };
}

/** A server greets for ever out of memory; that a command hangs tells more, and with a silent console enough to look. */
function ofCommand(state: GuestState, settings: GuestSettings, at: Mono): Reason | null {
  const since = hangsSince(state);
  if (since === null || isTold(state.memory, since)) return null;
  const says = `ssh: ${stepsText(sshSteps(state, settings, at))}`;
  return ofLoss(state, settings, { at, since, by: 'command', says });
}

/** Something is lost for long, or beside a silent console. That SSH answers now and then proves only that it is not dead. */
function ofLoss(
  state: GuestState,
  settings: GuestSettings,
  { at, since, by, says }: { at: Mono; since: Mono; by: 'ssh-lost' | 'command'; says: string },
): Reason | null {
  const quiet = at - state.console.quietSince;
  const silent = quiet >= quietLimit('up', state.qemu.learned, settings);
  if (!silent && at - since < LIVE_MS) return null;
  // A command that hangs accuses alone, however silent the console is: SSH greets all the while.
  const accuser = silent && by !== 'command' ? 'silence' : by;
  return { by: accuser, why: [says, silent ? silence(state, quiet) : onwards(state)] };
}

const onwards = (state: GuestState): string => `its console goes on all the while${lastNews(state)}`;

/** A guest whose SSH is lost is in no phase of a boot. */
const phaseOf = ({ ssh, boot }: GuestState): Phase => (ssh.lastOkAt === null ? boot.phase.name : 'up');

function sshLost({ ssh }: GuestState, at: Mono): string {
  const detail = `${ssh.failures} failed probes in a row, last ${ssh.last?.kind ?? 'none'}: ${ssh.last?.detail ?? ''}`;
  if (ssh.lastOkAt === null) return `SSH has not answered in this boot (${detail})`;
  return `SSH answered last ${seconds(at - ssh.lastOkAt)} ago (${detail})`;
}

/** Why SSH says nothing of this guest. */
export function sshUnknown({ ssh }: GuestState, settings: GuestSettings): string {
  return settings.ssh.enabled
    ? `SSH cannot be judged: ${ssh.last?.detail ?? ''}`
    : 'SSH is off for this guest';
}

const lastNews = ({ console: { lastProgress } }: GuestState): string =>
  lastProgress === null ? '' : `, last: ${lastProgress.text}`;

function silence(state: GuestState, quiet: number): string {
  const { awaiting } = state.console;
  const { phase } = state.boot;
  const where = state.ssh.lastOkAt === null && phase.quiet !== null ? `, in ${phase.name}` : '';
  const waits = awaiting === null ? '' : `; it waits for ${awaiting}`;
  return `no news on the console for ${seconds(quiet)}${where}${lastNews(state)}${waits}`;
}
