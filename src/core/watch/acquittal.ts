/** Why a finished capture is no incident: what was seen may be work, a slow disk, or nothing at all. */
import { heldNow, starvedVerdict } from '../analysis/starved.js';
import { standstillKey, unchangedTasks } from '../analysis/unchanged.js';
import type { GuestSettings } from '../config/schema.js';
import type { Analysis, VerdictClass } from '../model.js';
import type { Mono } from '../time.js';
import { seconds } from '../words.js';
import { gaveUpFor, userspaceAfter } from './busy.js';
import type { Context } from './case.js';
import { commandHangsSince } from './command.js';
import type { Finding } from './events.js';
import { flappingSince } from './flapping.js';
import {
  allBusy,
  allLoop,
  backendIsDead,
  backendIsUnknown,
  keptWaiting,
  movedSince,
  serverStirs,
} from './from-looks.js';
import { hostStarves } from './host.js';
import type { Case, GuestState } from './state.js';
import { sshCanBeJudged } from './suspicion.js';

/** How long SSH may be lost before a guest that cannot be looked into is accused by that alone. */
const BLIND_MAX_MS = 30_000;
/** How long a guest may seem busy or slow before that counts as a hang all the same. */
const SLOW_MAX_MS = 60_000;
/** The same where every vCPU is seen to loop, or held by a real-time task. */
const LOOP_MAX_MS = 12_000;
/** Two captures so far apart that show a task with the same stack prove that it stood still. */
const PROOF_MS = 20_000;
const AGAIN_MS = 25_000;
const PAIR_MS = 60_000;
const SERVER = /^(?:sshd|dropbear)\b/;

/** `until`: when it is looked at again at the latest, whatever the cooldown says. */
interface Acquittal {
  why: string;
  until: Mono;
  /** Something stood still, perhaps only for a while: the guest stays suspect, and the next second look takes longer. */
  slow?: true;
  /** What it is instead. */
  class?: VerdictClass;
}

/** Null where it is an incident. Remembers a task that could not be proven to be stuck. */
export function acquitted(context: Context, current: Case, finding: Finding): Acquittal | null {
  const { state, settings, at } = context;
  if (speaksForItself(state, current)) return null;
  if (flappingSince(state) === null && answersAgain(state, current))
    return { why: 'SSH answers again', until: Infinity };
  const { verdict } = finding.analysis;
  const { looks } = current;
  if (verdict.class === 'none') return nothingStuck(context, current, finding.analysis);
  if (verdict.class === 'userspace' && (gaveUpFor(state, settings) !== null || !allBusy(looks))) return null;
  if (allBusy(looks) && verdict.culprit === null) return busy(context, current, finding.analysis);
  if (verdict.class === 'unknown') {
    const why = `cannot look into it (${finding.incompleteBecause[0] ?? verdict.title})`;
    return sshCanBeJudged(state, settings)
      ? unless(lostFor(state, BLIND_MAX_MS, settings), at, why)
      : { why, until: Infinity };
  }
  return unproven(context, current, finding);
}

/** The kernel answers its keys, and no task of it is stuck. */
function nothingStuck(
  { state, settings, at }: Context,
  current: Case,
  { dumps, verdict }: Analysis,
): Acquittal {
  const held = heldNow(dumps);
  if (held !== null) return { why: `looked: ${held}`, until: at + AGAIN_MS, slow: true };
  const boots = state.ssh.lastOkAt === null && state.console.awaiting !== null;
  const until = boots ? userspaceAfter(state, settings) : Infinity;
  const why = `looked: ${verdict.reasons[0] ?? verdict.title}`;
  // The kernel answers its keys and nothing in it is stuck: what is lost is the way to it.
  const unreached = state.ssh.lastOkAt !== null && !current.greets;
  return unreached ? { why, until, class: 'network-only' } : { why, until };
}

/** What its dumps showed is over: it was slow. */
function answersAgain({ ssh }: GuestState, { greets, startedAt }: Case): boolean {
  return !greets && ssh.failures === 0 && ssh.lastOkAt !== null && ssh.lastOkAt > startedAt;
}

/** Work takes all vCPUs too: that it loops, or goes on and on without a sign of life, tells it from a hang. */
function busy({ state, settings, at }: Context, current: Case, analysis: Analysis): Acquittal | null {
  const why = `busy, perhaps with work: ${analysis.verdict.title}`;
  if (!sshCanBeJudged(state, settings)) return { why, until: Infinity };
  // The scheduler's own table proves it, and a server that waits for a packet is starved as well.
  if (starvedVerdict(analysis.dumps) !== null) return unless(lostFor(state, LOOP_MAX_MS, settings), at, why);
  if (current.greets) return { why: `${why}, and its SSH greets`, until: Infinity };
  if (flappingSince(state) !== null)
    return { why: `${why}, and its SSH answers now and then`, until: Infinity };
  if (current.live) return { why: `${why}, and its console goes on`, until: Infinity, class: 'network-only' };
  if (serverSleeps(analysis))
    return {
      why: `${why}, and its SSH server sleeps: nothing reaches it`,
      until: Infinity,
      class: 'network-only',
    };
  // A boot that reads and writes goes on, however busy it is.
  if (state.ssh.lastOkAt === null && movedSince(current.looks) !== null) return { why, until: Infinity };
  const limit = allLoop(current.looks) ? LOOP_MAX_MS : SLOW_MAX_MS;
  return unless(lostFor(state, limit, settings), at, why);
}

/** An SSH server that is kept from running is in R or D; one in S waits for a connection that does not come. */
function serverSleeps({ dumps }: Analysis): boolean {
  const tasks = dumps.findLast(({ key, complete }) => key === 't' && complete)?.tasks ?? [];
  const servers = tasks.filter(({ comm }) => SERVER.test(comm));
  return servers.length > 0 && servers.every(({ state }) => state === 'S');
}

function unproven(context: Context, current: Case, finding: Finding): Acquittal | null {
  const { state, settings, at } = context;
  const { title } = finding.analysis.verdict;
  const stood = standsSince(state, finding.analysis, at);
  const proven = stood !== null && at - stood >= PROOF_MS;
  if (proven) tellAge(finding, at - stood);
  if (!sshCanBeJudged(state, settings)) {
    // Silence would be the only other witness, and a healthy guest is silent too.
    if (proven || stoodStill(finding.analysis)) return null;
    return { why: `SSH does not tell, and no task stood still in two looks: ${title}`, until: at + AGAIN_MS };
  }
  if (current.live || flappingSince(state) !== null) return aliveStill(context, current, finding, proven);
  if (!proven && isFresh(finding.analysis))
    return { why: `nothing was blocked yet in the first look: ${title}`, until: at + AGAIN_MS, slow: true };
  const mayEnd = proven ? null : waitMayEnd(current, finding.analysis);
  if (mayEnd !== null)
    return {
      why: `seen once only, in a wait that may end${mayEnd}: ${title}`,
      until: at + AGAIN_MS,
      slow: true,
    };
  return stillWorks(context, current, finding, proven);
}

/** Why once is not enough, as the rest of a sentence. Null where nothing can end the wait, or nobody has to. */
function waitMayEnd({ looks }: Case, { verdict }: Analysis): string | null {
  if (backendIsDead(looks)) return null;
  if (verdict.culprit?.state === 'S') return '';
  // Whether its server still works would tell a slow wait in D from one without end.
  const unknown = verdict.inferred.length > 0 ? backendIsUnknown(looks) : null;
  return unknown && ` (${unknown})`;
}

/** Where something of the guest goes on, only what is proven to stand still counts, or waits for a server that is dead. */
function aliveStill(
  { state, at }: Context,
  current: Case,
  finding: Finding,
  proven: boolean,
): Acquittal | null {
  const { analysis } = finding;
  const flaps = flappingSince(state) !== null;
  const hopeless = (current.greets || flaps) && backendIsDead(current.looks) && !isFresh(analysis);
  if ((proven || hopeless) && movedSince(current.looks) === null) return null;
  const alive = flaps ? 'SSH answers now and then' : current.greets ? 'SSH greets' : 'console goes on';
  const why = `its ${alive}, and that it is stuck is not proven: ${analysis.verdict.title}`;
  // Of a guest that goes on like that for hours, two looks on end are enough.
  const pair = flaps && state.judged !== null && at - state.judged.at < PAIR_MS;
  return { why, until: pair ? Infinity : at + AGAIN_MS };
}

/** Where disks move or the host itself is short of time, only long standing proof counts. */
function stillWorks(context: Context, current: Case, finding: Finding, proven: boolean): Acquittal | null {
  const { state, settings, at } = context;
  // Who waits for a dead server is not helped by time, nor by what moves elsewhere.
  const onShare = finding.analysis.verdict.inferred.length > 0;
  const dead = onShare && backendIsDead(current.looks);
  const moved = dead ? null : (movedSince(current.looks) ?? (onShare ? serverStirs(current.looks) : null));
  const starves = hostStarves(state, at) ?? (dead ? null : keptWaiting(current.looks));
  if (moved === null && starves === null) return null;
  const until = lostFor(state, SLOW_MAX_MS, settings);
  if (proven && at >= until && state.doubted?.ran !== true) return null;
  const because = moved ?? `the host is short of time itself (${starves ?? ''})`;
  return {
    why: `slow, not stuck: ${finding.analysis.verdict.title}, but ${because}`,
    until: Math.max(at + AGAIN_MS, until),
    slow: true,
  };
}

/**
 * Since when captures have shown the culprit with exactly this stack, this one included. Whether it ran in between is
 * remembered beside it.
 */
function standsSince(state: GuestState, { dumps, verdict: { culprit } }: Analysis, at: Mono): Mono | null {
  const task = dumps
    .flatMap(({ tasks }) => tasks)
    .findLast(({ pid, comm }) => culprit !== null && pid === culprit.pid && comm === culprit.comm);
  const key = task === undefined ? null : standstillKey(task);
  if (key === null) {
    state.doubted = null;
    return null;
  }
  const before = state.doubted?.key === key ? state.doubted : null;
  const switches = task?.switches ?? null;
  const ran = switches !== null && typeof before?.switches === 'number' && switches > before.switches;
  state.doubted = { key, since: before?.since ?? at, switches, ran };
  return state.doubted.since;
}

function tellAge({ analysis: { verdict } }: Finding, forMs: number): void {
  const { culprit } = verdict;
  verdict.reasons = [
    `A capture ${seconds(forMs)} before showed ${culprit?.comm ?? ''}:${culprit?.pid ?? '?'} with exactly the same stack.`,
    ...verdict.reasons,
  ];
}

/** A task was blocked at the same place in both dumps of blocked tasks. */
function stoodStill({ dumps }: Analysis): boolean {
  const [first, second] = dumps.filter(({ key }) => key === 'w');
  return first !== undefined && second !== undefined && unchangedTasks(first, second).length > 0;
}

/** Blocked since the second look only: the dump of all tasks, a moment later, proves no more than that. */
function isFresh(analysis: Analysis): boolean {
  const { dumps, verdict } = analysis;
  const looks = dumps.filter(({ key, complete }) => key === 'w' && complete);
  return looks.length > 1 && verdict.culprit?.state === 'D' && !stoodStill(analysis);
}

/** When a guest will have given no sign of life for so long; one that never was up is given the time of a boot. */
function lostFor(state: GuestState, ms: number, { detect }: GuestSettings): Mono {
  const { ssh, console } = state;
  const flaps = flappingSince(state);
  if (flaps !== null) return flaps + ms;
  const hangs = commandHangsSince(state);
  if (hangs !== null) return hangs + detect.blindBoot;
  return ssh.lastOkAt === null ? console.quietSince + detect.blindBoot : ssh.lastOkAt + ms;
}

const unless = (until: Mono, at: Mono, why: string): Acquittal | null => (at < until ? { why, until } : null);

/** Filed whatever the dumps show: the kernel or QEMU said it, or somebody asked. */
function speaksForItself(state: GuestState, { manual, complaint }: Case): boolean {
  if (manual || state.name === 'panicked' || state.name === 'qemu-stuck') return true;
  return complaint !== null && complaint.kind !== 'emergency';
}

/** Whether the case would be dropped now if it showed nothing. */
export function mayBeDropped({ state, settings, at }: Context, current: Case): boolean {
  if (speaksForItself(state, current)) return false;
  return !sshCanBeJudged(state, settings) || at < lostFor(state, BLIND_MAX_MS, settings);
}
