/**
 * What says the same as a complaint on the console, which any program can print: the dumps that were asked for, the
 * registers of a vCPU, or that SSH no longer answers.
 */
import { unchangedTasks } from '../../analysis/unchanged.js';
import type { ComplaintKind } from '../../console/complaints.js';
import { stripPrintk } from '../../console/printk.js';
import { findKernelLine } from '../../kernel-lines/find.js';
import type { Analysis, Task, Verdict } from '../../model.js';
import type { Context } from '../context.js';
import { keptWaiting, movedSince, someInKernel } from '../looks.js';
import { hostStarves, hostStirs } from '../slices/host.js';
import { sshCanBeJudged } from '../slices/ssh.js';
import type { Case } from './case.js';
import { itsServerIsDead, stoodLong, waitsOnShare } from './memory.js';

const STALLS: ReadonlySet<ComplaintKind> = new Set([
  'rcu_stall',
  'soft_lockup',
  'hard_lockup',
  'workqueue_lockup',
] as const);

/** By then a complaint that has to wait for no other is looked into. */
const SOON_MS = 30_000;

interface Seen {
  /** The verdict of the dumps that were asked for. */
  shown: Verdict;
  /** A task was blocked at the same place in both dumps of blocked tasks. */
  still: boolean;
  /** Two captures, long enough apart, show it with the same stack. */
  proven: boolean;
  /** As in the facts. */
  diskMayCome: boolean;
  /** The culprit was not blocked yet in the first dump. */
  fresh: boolean;
  dumps: Analysis['dumps'];
}

/** In words; null where there is none, or nothing was complained of. */
export function secondSignal(context: Context, current: Case, seen: Seen): string | null {
  const { complaint } = current.accusation;
  // A panic has its own (panic.ts), and a boot that gave up is judged by what else it does.
  if (complaint === null || complaint.kind === 'panic' || complaint.kind === 'emergency') return null;
  if (complaint.alone === true) return 'nobody else can be asked';
  const { class: kind } = seen.shown;
  if (kind !== 'none' && kind !== 'unknown' && dumpsProve(context, current, seen)) return 'its dumps show it';
  if (STALLS.has(complaint.kind) && someInKernel(current.looks)) return 'a vCPU does not leave the kernel';
  // Whoever oopsed is dead, and in no dump; and where no dump came, the dumps say nothing.
  const alone = complaint.kind === 'oops' || kind === 'unknown';
  return alone && sshLostSince(context, complaint.at) ? 'SSH no longer answers' : null;
}

function dumpsProve(context: Context, current: Case, seen: Seen): boolean {
  const { shown, fresh, dumps } = seen;
  if (shown.class === 'starved' || shown.class === 'panicked') return true;
  const named = pidIn(current.accusation.complaint?.text ?? '');
  if (seen.still && standsIn(context, current, dumps, named)) return true;
  if (!isAbsent(current, dumps, named) && provesAnybody(context, current, seen)) return true;
  return !fresh && waitsOnShare(current, shown) && itsServerIsDead(current, shown);
}

function provesAnybody(
  { state, at }: Context,
  { looks, accusation }: Case,
  { still, proven, diskMayCome }: Seen,
): boolean {
  // What stands on a host that is short of time may do so for that.
  if (diskMayCome || hostStarves(state.host, at) !== null) return false;
  if (proven) return true;
  // Whoever is blocked for seconds, minutes after it was said, may be so by chance.
  const { complaint, suspectAt } = accusation;
  if (complaint !== null && suspectAt - complaint.at > SOON_MS) return false;
  return still && (movedSince(looks) ?? keptWaiting(looks) ?? hostStirs(state.host, at)) === null;
}

const standsIn = (context: Context, current: Case, dumps: Analysis['dumps'], named: number | null): boolean =>
  [...standing(dumps), ...stoodLong(context, current)].some(({ pid }) => pid === named);

/** Whom hung_task names is in no dump though one is whole: whoever else is blocked there may be so by chance. */
function isAbsent({ accusation }: Case, dumps: Analysis['dumps'], named: number | null): boolean {
  if (accusation.complaint?.kind !== 'hung_task' || named === null) return false;
  // The kernel's own report names it, of course.
  const asked = dumps.filter(({ key }) => key === 'w' || key === 't');
  const shows = asked.some(({ tasks }) => tasks.some(({ pid, state }) => pid === named && state === 'D'));
  return !shows && asked.some(({ complete }) => complete);
}

/** Tasks at the same place in both dumps of blocked tasks. */
function standing(dumps: Analysis['dumps']): Task[] {
  const [first, second] = dumps.filter(({ key }) => key === 'w');
  return first === undefined || second === undefined ? [] : unchangedTasks(first, second);
}

/** Whom the kernel's words name. */
export function pidIn(text: string): number | null {
  const pid = findKernelLine(stripPrintk(text).text)?.groups['pid'];
  return pid === undefined ? null : Number(pid);
}

/** Of a guest that was up: it failed time and again, and no probe that began later was answered. */
function sshLostSince({ state: { ssh }, settings }: Context, at: number): boolean {
  if (ssh.lastOkAt === null || ssh.lastOkFrom === null || !sshCanBeJudged(ssh, settings)) return false;
  return ssh.failures >= settings.ssh.failures && ssh.lastOkFrom <= at;
}
