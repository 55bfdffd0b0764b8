/** What the frequent probe finds: connect and banner, no login. Only these functions write to it. */
import type { GuestSettings } from '../../config/schema.js';
import type { SshProbe } from '../../model.js';
import type { Mono } from '../../time.js';
import { answersRarely, type Flapping, probed, steady } from './flapping.js';

export interface SshState {
  last: SshProbe | null;
  lastAt: Mono | null;
  lastStartedAt: Mono | null;
  /** Probes under way: a second one begins beside one that is slow. */
  inFlight: number;
  /** When the oldest of them began; null while none is. */
  waitsSince: Mono | null;
  /** It answered in this boot, last at that time. */
  lastOkAt: Mono | null;
  /** When the probe began that it answered last. */
  lastOkFrom: Mono | null;
  failures: number;
  firstFailureAt: Mono | null;
  /** When the first of the probes that failed in a row began. */
  firstStartedAt: Mono | null;
  /** Since when the host's own fault stops the probes; null if it does not. */
  faultSince: Mono | null;
  /** It answers now and then. */
  flapping: Flapping;
  /** Until then nobody watched, or the guest did not run; null if neither was ever so. */
  voidUntil: Mono | null;
}

/** What one probe tells. `null`: the host's own fault, and nothing of the guest. */
export type ProbeFacts =
  | null
  /** `faultSince`: since when the host's own fault had stopped the probes before; null if it had not. */
  | { answers: false; lostForGood: boolean; faultSince: Mono | null }
  /** `first`: in this boot. `letsIn`: only now ssh knows how to log in. */
  | { answers: true; first: boolean; letsIn: boolean };

/** So many failures on end are a loss, of a guest that answered rarely. */
const LOST = 3;

export const notAsked = (): SshState => ({
  last: null,
  lastAt: null,
  lastStartedAt: null,
  inFlight: 0,
  waitsSince: null,
  lastOkAt: null,
  lastOkFrom: null,
  failures: 0,
  firstFailureAt: null,
  firstStartedAt: null,
  faultSince: null,
  flapping: steady(),
  voidUntil: null,
});

/** Probes of the boot before may still be under way. */
export function sshBoots(ssh: SshState): void {
  const { lastAt, lastStartedAt, inFlight, waitsSince } = ssh;
  Object.assign(ssh, notAsked(), { lastAt, lastStartedAt, inFlight, waitsSince });
}

/** True, and counted as sent, if it is time for another probe. `claimedAt`: one that begins later is wanted at once. */
export function takeProbe(
  ssh: SshState,
  { interval, timeout }: GuestSettings['ssh'],
  { at, claimedAt }: { at: Mono; claimedAt: Mono | null },
): boolean {
  if (ssh.inFlight > 1) return false;
  // A guest that was up answers at once: when it first does not, it is asked again beside it, not after it. One that
  // boots, or is known to be lost, must not be loaded with more.
  const first = ssh.lastOkAt !== null && ssh.failures === 0;
  if (ssh.inFlight === 1 && !first) return false;
  // What the console says of the kernel is checked at once.
  const urgent = claimedAt !== null && (ssh.lastStartedAt ?? -Infinity) < claimedAt;
  const pause = urgent ? 0 : ssh.inFlight === 0 ? interval : timeout / 3;
  if (ssh.lastStartedAt !== null && at - ssh.lastStartedAt < pause) return false;
  ssh.inFlight += 1;
  ssh.waitsSince ??= at;
  ssh.lastStartedAt = at;
  return true;
}

/** It was given up because this host was late: it tells nothing of the guest. */
export function probeVoid(ssh: SshState): void {
  oneLess(ssh);
}

function oneLess(ssh: SshState): void {
  ssh.inFlight = Math.max(0, ssh.inFlight - 1);
  // Of two the one that began later is left.
  ssh.waitsSince = ssh.inFlight === 0 ? null : ssh.lastStartedAt;
}

/**
 * Since when a guest that was up has owed its banner: the first of the probes in a row that failed, or are out. Null for
 * one that answers, or never did.
 */
export function owesBanner({ lastOkAt, failures, firstStartedAt, waitsSince }: SshState): Mono | null {
  if (lastOkAt === null) return null;
  return failures > 0 ? firstStartedAt : waitsSince;
}

export function probeCame(
  ssh: SshState,
  probe: SshProbe,
  { at, from }: { at: Mono; from: Mono },
): ProbeFacts {
  oneLess(ssh);
  const before = ssh.last;
  ssh.last = probe;
  ssh.lastAt = at;
  const { faultSince } = ssh;
  ssh.faultSince = probe.kind === 'host-fault' ? (faultSince ?? at) : null;
  if (probe.kind === 'host-fault') return null;
  ssh.flapping = probed(ssh.flapping, at, probe.kind === 'ok');
  if (probe.kind !== 'ok') {
    ssh.failures += 1;
    ssh.firstFailureAt ??= at;
    ssh.firstStartedAt ??= from;
    const lostForGood = ssh.failures === LOST && ssh.flapping.since !== null;
    return { answers: false, lostForGood, faultSince };
  }
  const first = ssh.lastOkAt === null;
  ssh.lastOkAt = at;
  ssh.lastOkFrom = from;
  ssh.failures = 0;
  ssh.firstFailureAt = ssh.firstStartedAt = null;
  return { answers: true, first, letsIn: before?.way !== undefined && probe.way === undefined };
}

/** Nobody watched, or the guest did not run: failures until now count for nothing. */
export function failuresAreVoid(ssh: SshState, at: Mono): void {
  ssh.failures = 0;
  ssh.firstFailureAt = ssh.firstStartedAt = null;
  ssh.flapping = steady();
  ssh.voidUntil = at;
}

/** From when on a loss counts that began at `since`. */
export const countsFrom = ({ voidUntil }: SshState, since: Mono): Mono => Math.max(since, voidUntil ?? since);

/** Since when it answers rarely; null if it does not, or has now been silent for so long that it is lost. */
export const flappingSince = ({ failures, flapping }: SshState): Mono | null =>
  failures < LOST ? flapping.since : null;

/** It answered in this boot, and does now. */
export const sshAnswers = ({ lastOkAt, failures }: SshState): boolean => lastOkAt !== null && failures === 0;

/** `SSH answers rarely: 4 of 13 probes in 58 s`. */
export const flapsText = ({ flapping }: SshState, at: Mono): string => answersRarely(flapping, at);

/** SSH says something about this guest: it is on, and the last probe was not stopped by the host's own fault. */
export const sshCanBeJudged = ({ last }: SshState, settings: GuestSettings): boolean =>
  settings.ssh.enabled && last?.kind !== 'host-fault';
