import type { GuestSettings } from '../config/schema.js';
import type { Phase } from '../console/phases.js';
import type { Mono } from '../time.js';
import { seconds } from '../words.js';
import { quietLimit } from './quiet.js';
import { commandHangsSince } from './command.js';
import { flappingSince, flapsText } from './flapping.js';
import { sshSteps, stepsText } from './ssh-steps.js';
import type { GuestState } from './state.js';
import { unreadText } from './unread.js';

/** SSH lost for so long is worth a look although the console goes on. */
const LIVE_MS = 60_000;
/** And for so long, where nothing was ever read of the console: it is no second witness. */
const UNREAD_MS = 30_000;

interface Suspicion {
  why: string[];
  /** Its console brings news: only SSH speaks against it. */
  live: boolean;
  /** Its SSH greets: only a command that hangs speaks against it. */
  greets: boolean;
}

/**
 * Why a guest should be looked at, or null. Two independent signals are needed: SSH and the console. Silence alone
 * accuses nobody: a healthy guest at its login prompt is silent for ever. Where SSH cannot be judged, silence only
 * buys a look, and the dumps alone decide.
 */
export function suspicion(state: GuestState, settings: GuestSettings, at: Mono): Suspicion | null {
  const { detect } = settings;
  if (state.console.unread !== null) return ofUnread(state, settings, at);
  const quiet = at - state.console.quietSince;
  const silent = silence(state, quiet);
  if (!sshCanBeJudged(state, settings)) {
    const limit = Math.max(quietLimit(state.phase.name, state.learned, settings), detect.bootSilence);
    return quiet >= limit ? { why: [silent, sshUnknown(state, settings)], live: false, greets: false } : null;
  }
  const flaps = flappingSince(state);
  if (flaps !== null) return ofFlapping(state, settings, { at, since: flaps });
  if (state.ssh.failures < settings.ssh.failures) return ofCommand(state, settings, at);
  if (quiet >= quietLimit(phaseOf(state), state.learned, settings))
    return { why: [sshLost(state, at), silent], live: false, greets: false };
  if (state.ssh.lastOkAt === null || at - state.ssh.lastOkAt < LIVE_MS) return null;
  const goesOn = `its console goes on all the while${lastNews(state)}`;
  return { why: [sshLost(state, at), goesOn], live: true, greets: false };
}

/** SSH alone speaks, and only of a guest that was up. */
function ofUnread(state: GuestState, settings: GuestSettings, at: Mono): Suspicion | null {
  const { ssh, console } = state;
  const lost =
    ssh.failures >= settings.ssh.failures && ssh.lastOkAt !== null && at - ssh.lastOkAt >= UNREAD_MS;
  if (!lost || console.unread === null || !sshCanBeJudged(state, settings)) return null;
  return { why: [sshLost(state, at), unreadText(console.unread)], live: false, greets: false };
}

/** That it answers now and then proves no more than that it is not dead. */
function ofFlapping(
  state: GuestState,
  settings: GuestSettings,
  { at, since }: { at: Mono; since: Mono },
): Suspicion | null {
  const quiet = at - state.console.quietSince;
  const silent = quiet >= quietLimit('up', state.learned, settings);
  if (!silent && at - since < LIVE_MS) return null;
  const second = silent ? silence(state, quiet) : `its console goes on all the while${lastNews(state)}`;
  return { why: [flapsText(state, at), second], live: !silent, greets: false };
}

/** A server greets for ever out of memory; that a command hangs tells more, and with a silent console enough to look. */
function ofCommand(state: GuestState, settings: GuestSettings, at: Mono): Suspicion | null {
  const since = commandHangsSince(state);
  if (since === null) return null;
  const quiet = at - state.console.quietSince;
  const silent = quiet >= quietLimit('up', state.learned, settings);
  if (!silent && at - since < LIVE_MS) return null;
  const second = silent ? silence(state, quiet) : `its console goes on all the while${lastNews(state)}`;
  return { why: [`ssh: ${stepsText(sshSteps(state, settings, at))}`, second], live: true, greets: true };
}

/** A guest whose SSH is lost is in no phase of a boot. */
const phaseOf = ({ ssh, phase }: GuestState): Phase => (ssh.lastOkAt === null ? phase.name : 'up');

/** SSH says something about this guest: it is on, and the last probe was not stopped by the host's own fault. */
export function sshCanBeJudged({ ssh }: GuestState, settings: GuestSettings): boolean {
  return settings.ssh.enabled && ssh.last?.kind !== 'host-fault';
}

function sshLost({ ssh }: GuestState, at: Mono): string {
  const detail = `${ssh.failures} failed probes in a row, last ${ssh.last?.kind ?? 'none'}: ${ssh.last?.detail ?? ''}`;
  if (ssh.lastOkAt === null) return `SSH has not answered in this boot (${detail})`;
  return `SSH answered last ${seconds(at - ssh.lastOkAt)} ago (${detail})`;
}

function sshUnknown({ ssh }: GuestState, settings: GuestSettings): string {
  return settings.ssh.enabled
    ? `SSH cannot be judged: ${ssh.last?.detail ?? ''}`
    : 'SSH is off for this guest';
}

const lastNews = ({ console: { lastProgress } }: GuestState): string =>
  lastProgress === null ? '' : `, last: ${lastProgress.text}`;

function silence(state: GuestState, quiet: number): string {
  const { awaiting } = state.console;
  const where = state.ssh.lastOkAt === null && state.phase.quiet !== null ? `, in ${state.phase.name}` : '';
  const waits = awaiting === null ? '' : `; it waits for ${awaiting}`;
  return `no news on the console for ${seconds(quiet)}${where}${lastNews(state)}${waits}`;
}
