/** What a finished capture shows, computed once: the doubts and what lies over a verdict are decided by it alone. */
import { heldNow, starvedVerdict } from '../../analysis/starved.js';
import { standstillKey, unchangedTasks } from '../../analysis/unchanged.js';
import type { GuestSettings } from '../../config/schema.js';
import type { Analysis, Verdict } from '../../model.js';
import type { Mono } from '../../time.js';
import { lossOf } from '../accuse.js';
import type { Context } from '../context.js';
import { isSameCulprit } from '../slices/filings.js';
import { hostStarves } from '../slices/host.js';
import type { Stood } from '../slices/restraint.js';
import { countsFrom, flappingSince, sshCanBeJudged } from '../slices/ssh.js';
import {
  allBusy,
  allDeaf,
  allLoop,
  backendIsUnknown,
  keptWaiting,
  movedSince,
  serverStirs,
} from '../looks.js';
import type { GuestState } from '../state.js';
import { seconds } from '../../words.js';
import { type Accusation, besideAnswers, goesOn, type Loss } from './accusation.js';
import type { Case } from './case.js';
import {
  culpritStood,
  culpritWasFiled,
  DISK_PROOF_MS,
  itsServerIsDead,
  stoodLong,
  waitsOnDisk,
  waitsOnShare,
} from './memory.js';
import { secondSignal } from './second-signal.js';

/** How long SSH may be lost before a guest that cannot be looked into is accused by that alone. */
const BLIND_MAX_MS = 30_000;
/** How long a guest may seem busy or slow before that counts as a hang all the same. */
const SLOW_MAX_MS = 60_000;
/** The same if every vCPU is seen to loop, or held by a real-time task. */
const LOOP_MAX_MS = 12_000;
/** Two captures so far apart that show a task with the same stack prove that it stood still. */
export const PROOF_MS = 20_000;
const PAIR_MS = 60_000;
/** So many times what a boot may take. */
const USERSPACE_FACTOR = 3;
const SERVER = /^(?:sshd|dropbear)\b/;

export interface Facts {
  at: Mono;
  by: Accusation['by'];
  /** Filed whatever the dumps show: QEMU is stuck or stopped, somebody asked, or a second signal says what the kernel said. */
  speaks: boolean;
  /** hung_task speaks of a hang whose culprit was in an incident, and has stood at the same place since. */
  filedBefore: boolean;
  /** What the console says of the kernel, where SSH answered a probe that began later; in words. */
  contradicted: string | null;
  /** SSH says something about this guest. */
  sshTells: boolean;
  /** What it no longer does: the accusation may be older than the newest sign of life. */
  loss: Loss;
  /** SSH answers now and then. */
  flaps: boolean;
  /** SSH has answered since the case began, and answers now. */
  answersAgain: boolean;
  /** SSH answered in this boot. */
  wasUp: boolean;
  /** Its console goes on, or its SSH greets. */
  goesOn: boolean;
  /** In which words the boot gave up; null if it did not, or SSH answers all the same. */
  gaveUp: string | null;
  /** The start job that the console waits for. */
  awaiting: string | null;
  /** Every vCPU ran all the time, or waited for the host; and each within one page of code. */
  busy: boolean;
  loops: boolean;
  /** Every vCPU stays where it is in the kernel and takes no interrupts, however rarely the host lets it run. */
  deaf: boolean;
  /** A real-time task holds a CPU now; every CPU is held, and ordinary tasks wait. */
  held: string | null;
  starved: boolean;
  /** The SSH server waits for a connection that does not come. */
  serverSleeps: boolean;
  /** What was done for the guest between the looks, in words. */
  moved: string | null;
  /** The same for the server of the share that the culprit waits for, however little. */
  stirs: string | null;
  /** Why the host itself is slow; and who of the guest and its servers it did not run when they wanted. */
  hostStarves: string | null;
  keptWaiting: string | null;
  /** No wait for files or blocks can end; and why it is not known whether one can. */
  backendDead: boolean;
  backendUnknown: string | null;
  /** The culprit waits for a server. */
  onShare: boolean;
  /** It waits for a disk of the guest's own, as memory shows, and not for so long that a slow one would have come to it. */
  diskMayCome: boolean;
  culprit: Verdict['culprit'];
  /** A task was blocked at the same place in both dumps of blocked tasks. */
  stoodStill: boolean;
  /** Blocked since the second look only: the dump of all tasks, a moment later, proves no more than that. */
  fresh: boolean;
  /** Since when captures have shown the culprit with exactly this stack, and for how long. */
  stood: Stood | null;
  stoodMs: number;
  /** For how long the culprit had not run when memory was read; null where that does not tell. */
  byMemoryMs: number | null;
  /** For long enough. */
  proven: boolean;
  /** The newest capture before this one was moments ago. */
  pair: boolean;
  /** The moments at which the guest will have given no sign of life for so long that a doubt ends. */
  lost: { blind: Mono; loop: Mono; slow: Mono; startJob: Mono };
  /** Why the evidence is not whole, in one phrase; null if it is. */
  unseen: string | null;
}

export function factsOf(
  context: Context,
  current: Case,
  { dumps, verdict }: Analysis,
  incompleteBecause: readonly string[],
  /** The verdict of the dumps that were asked for, without what the console said by itself. */
  shown: Verdict = verdict,
): Facts {
  const { state, settings, at } = context;
  const { looks, accusation } = current;
  const stood = stoodUntilNow(state.restraint.stood, { dumps, verdict }, at);
  const byMemoryMs = culpritStood(current, verdict);
  const still = stoodStill(dumps) || stoodLong(context, current).length > 0;
  const flaps = flappingSince(state.ssh) !== null;
  const stoodMs = stood === null ? 0 : at - stood.since;
  const longest = Math.max(stoodMs, byMemoryMs ?? 0);
  const proven = longest >= PROOF_MS;
  const diskMayCome = waitsOnDisk(current, verdict) && longest < DISK_PROOF_MS;
  const seen = { shown, still, proven, diskMayCome, fresh: isFresh(dumps, shown, still), dumps };
  return {
    at,
    by: accusation.by,
    speaks: speaksForItself(state, current) || secondSignal(context, current, seen) !== null,
    ...whatKernelSaid(context, current, verdict, stood),
    sshTells: sshCanBeJudged(state.ssh, settings),
    loss: lossOf(state, at),
    flaps,
    answersAgain: !flaps && goesDespiteSsh(accusation) && answersSince(state, accusation.suspectAt),
    wasUp: state.ssh.lastOkAt !== null,
    goesOn: goesOn(accusation),
    gaveUp: gaveUpFor(state, settings),
    awaiting: state.console.awaiting,
    ...fromLooks(looks),
    held: heldNow(dumps),
    starved: starvedVerdict(dumps) !== null,
    serverSleeps: serverSleeps(dumps),
    hostStarves: hostStarves(state.host, at),
    ...{ onShare: waitsOnShare(current, verdict), backendDead: itsServerIsDead(current, verdict) },
    culprit: verdict.culprit,
    ...{ stoodStill: still, fresh: isFresh(dumps, verdict, still) },
    ...{ stood, stoodMs, byMemoryMs, proven, diskMayCome },
    pair: at - (state.restraint.judged?.at ?? -Infinity) < PAIR_MS,
    lost: {
      blind: lostFor(context, BLIND_MAX_MS),
      loop: lostFor(context, LOOP_MAX_MS),
      slow: lostFor(context, SLOW_MAX_MS),
      startJob: state.console.quietSince + USERSPACE_FACTOR * settings.detect.blindBoot,
    },
    unseen: incompleteBecause[0] ?? null,
  };
}

function fromLooks(looks: Case['looks']) {
  return {
    busy: allBusy(looks),
    loops: allLoop(looks),
    deaf: allDeaf(looks),
    moved: movedSince(looks),
    stirs: serverStirs(looks),
    keptWaiting: keptWaiting(looks),
    backendUnknown: backendIsUnknown(looks),
  };
}

/** Who answers SSH does not stand, unless it is accused although it does. */
const goesDespiteSsh = ({ by }: Accusation): boolean => by !== 'command' && !besideAnswers(by);

const speaksForItself = ({ name }: GuestState, { accusation: { by }, stopped }: Case): boolean =>
  by === 'hand' || name === 'panicked' || name === 'qemu-stuck' || stopped !== undefined;

function whatKernelSaid(context: Context, current: Case, verdict: Verdict, stood: Stood | null) {
  const { state, at } = context;
  // A guest that has panicked meanwhile, or whose QEMU is stuck, is another matter than the hang before.
  const isHungTask = current.accusation.complaint?.kind === 'hung_task' && !speaksForItself(state, current);
  const stands = stood !== null && isSameCulprit(state.filings, stood, at);
  return {
    filedBefore: isHungTask && (stands || culpritWasFiled(context, current, verdict)),
    contradicted: contradictedBy(state, current),
  };
}

/** SSH has answered a probe that began after what the console said of the kernel. */
function contradictedBy({ ssh }: GuestState, { accusation: { complaint } }: Case): string | null {
  const from = ssh.lastOkFrom;
  if (complaint === null || complaint.kind === 'emergency' || from === null || from <= complaint.at)
    return null;
  return `the console says "${complaint.text}", and SSH answered a probe that began ${seconds(from - complaint.at)} later`;
}

/** Whether the case would be dropped now if it showed nothing. */
export function mayBeDropped(context: Context, current: Case): boolean {
  return !speaksForItself(context.state, current) && !isLost(context);
}

/** It has given no sign of life for so long that this alone accuses it. */
export const isLost = (context: Context): boolean =>
  sshCanBeJudged(context.state.ssh, context.settings) && context.at >= lostFor(context, BLIND_MAX_MS);

/** A loop on every CPU would accuse nobody yet when the second look has shown it. */
export const loopIsYoung = (context: Context): boolean =>
  context.at + context.settings.detect.secondLook < lostFor(context, LOOP_MAX_MS);

/** When a guest will have been seen to give no sign of life for so long; one that never was up is given the time of a boot. */
function lostFor({ state, settings, at }: Context, ms: number): Mono {
  const { of, since } = lossOf(state, at);
  return countsFrom(state.ssh, since) + (of === 'news' || of === 'commands' ? settings.detect.blindBoot : ms);
}

const answersSince = ({ ssh }: GuestState, at: Mono): boolean =>
  ssh.failures === 0 && ssh.lastOkAt !== null && ssh.lastOkAt > at;

/** The words of a boot that gave up, unless SSH goes on answering: then somebody only quoted them. */
function gaveUpFor({ console, ssh }: GuestState, settings: GuestSettings): string | null {
  return ssh.lastOkAt === null || ssh.failures >= settings.ssh.failures ? console.gaveUp : null;
}

/** An SSH server that is kept from running is in R or D; one in S waits for a connection that does not come. */
function serverSleeps(dumps: Analysis['dumps']): boolean {
  const tasks = dumps.findLast(({ key, complete }) => key === 't' && complete)?.tasks ?? [];
  const servers = tasks.filter(({ comm }) => SERVER.test(comm));
  return servers.length > 0 && servers.every(({ state }) => state === 'S');
}

/**
 * Since when captures have shown the culprit with exactly this stack, this one included. One that saw nothing says
 * nothing of it.
 */
function stoodUntilNow(
  before: Stood | null,
  { dumps, verdict }: Pick<Analysis, 'dumps' | 'verdict'>,
  at: Mono,
): Stood | null {
  if (verdict.class === 'unknown') return before;
  const { culprit } = verdict;
  const task = dumps
    .flatMap(({ tasks }) => tasks)
    .findLast(({ pid, comm }) => culprit !== null && pid === culprit.pid && comm === culprit.comm);
  const key = task === undefined ? null : standstillKey(task);
  if (key === null) return null;
  const same = before?.key === key && !wasAway(dumps, culprit) ? before : null;
  const switches = task?.switches ?? null;
  const ran = switches !== null && typeof same?.switches === 'number' && switches > same.switches;
  return { key, since: same?.since ?? at, switches, ran };
}

/** A whole dump of blocked tasks does not show it: whatever its stack is, it did not stand still. */
const wasAway = (dumps: Analysis['dumps'], culprit: Verdict['culprit']): boolean =>
  culprit?.state === 'D' &&
  dumps.some(
    ({ key, complete, tasks }) => key === 'w' && complete && !tasks.some(({ pid }) => pid === culprit.pid),
  );

function stoodStill(dumps: Analysis['dumps']): boolean {
  const [first, second] = dumps.filter(({ key }) => key === 'w');
  return first !== undefined && second !== undefined && unchangedTasks(first, second).length > 0;
}

function isFresh(dumps: Analysis['dumps'], { culprit }: Verdict, still: boolean): boolean {
  const looks = dumps.filter(({ key, complete }) => key === 'w' && complete);
  return looks.length > 1 && culprit?.state === 'D' && !still;
}
