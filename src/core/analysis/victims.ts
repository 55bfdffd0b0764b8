/** Whether stuck tasks are the victims of a CPU, or of the timer, that the kernel reported as well. */
import type { Dump, Verdict } from '../model.js';
import { firmSymbols, operations } from './frames.js';
import { jiffiesPerSecond } from './jiffies.js';
import type { Root } from './roots.js';
import { ageSeconds } from './stall-words.js';
import { subjectOf, subjectOfSymbol } from './subjects.js';
import { lockWaited, waitOf } from './wait-kinds.js';

/** Whether what `spin` tells comes before the tasks that lead to `root`. */
export function isVictim(root: Root, spin: Verdict, dumps: readonly Dump[]): boolean {
  if (isCulprit(root, spin)) return true;
  if (spin.class === 'starved') return starvedOfGrace(root, dumps);
  const seen = spin.class === 'spinning' || spin.class === 'blocked';
  if (!seen || spin.frame === null) return false;
  const first = !cameFirst(root, dumps) && (waitsForCpu(root) || stoodBefore(root, dumps));
  return first || outlasts(root, spin, dumps);
}

/** No grace period ends while the thread that ends them does not run. */
const starvedOfGrace = ({ task }: Root, dumps: readonly Dump[]): boolean =>
  waitOf(task)?.kind === 'rcu' && dumps.some(({ stall }) => stall?.starved !== undefined);

/**
 * A CPU that loops for longer than a task waits for a lock of nobody knows whom, in the code of that very part of the
 * kernel. The stall may be the later report: a loop that reschedules now and then stalls nobody for long.
 */
function outlasts({ task, edges, members }: Root, { culprit }: Verdict, dumps: readonly Dump[]): boolean {
  const subject = subjectOf(task.frames);
  if (lockWaited(task) === null || edges.length > 0 || subject === null || subject.general === true)
    return false;
  const hz = jiffiesPerSecond(dumps);
  const waited = Math.max(
    ...members.map(({ hungSeconds, ageSeconds: age }) => hungSeconds ?? age ?? Infinity),
  );
  return dumps.some((dump) => {
    const { cpus, stall } = dump;
    const loops = cpus.find(({ pid }) => stall !== undefined && pid !== null && pid === culprit?.pid);
    return (
      loops !== undefined &&
      (ageSeconds(dump, hz) ?? 0) > waited &&
      firmSymbols(loops.frames).some((name) => subjectOfSymbol(name)?.name === subject.name)
    );
  });
}

/** The chain ends in the very task that the kernel accuses. */
const isCulprit = ({ task }: Root, { culprit }: Verdict): boolean =>
  culprit !== null && task.pid !== null && culprit.pid === task.pid;

/**
 * hung_task waits for minutes, the watchdogs of CPUs for seconds: a task that was reported first does not wait for a CPU
 * that was reported later.
 */
function cameFirst({ members }: Root, dumps: readonly Dump[]): boolean {
  const ofCpu = dumps.findIndex(({ key }) => key === 'lockup' || key === 'rcu_stall');
  return members.some(({ hungSeconds, still, dump }) => hungSeconds !== null && (still[0] ?? dump) < ofCpu);
}

/**
 * A CPU that loops waits for no task: where it stood before the tasks did, and still, they are its victims. Out of a hard
 * lockup no CPU comes back.
 */
function stoodBefore({ members }: Root, dumps: readonly Dump[]): boolean {
  const hard = dumps.findIndex(({ key, headline }) => key === 'lockup' && HARD_LOCKUP.test(headline ?? ''));
  const shown = members.map(({ still, dump }) => still[0] ?? dump);
  if (hard >= 0 && shown.every((index) => hard < index)) return true;
  const times = dumps.flatMap(({ key, stall, bootSeconds }) =>
    key === 'lockup' && typeof stall?.seconds === 'number' && bootSeconds !== undefined
      ? [{ since: bootSeconds - stall.seconds, at: bootSeconds }]
      : [],
  );
  return members.every(({ dump, hungSeconds }) => {
    const at = dumps[dump]?.bootSeconds;
    const began = at === undefined || hungSeconds === null ? null : at - hungSeconds;
    return began !== null && times.some((cpu) => cpu.since <= began && cpu.at >= began);
  });
}

const HARD_LOCKUP = /hard LOCKUP/i;

/** A task that waits for a lock or a grace period is likely the victim of a CPU that does not come back. */
function waitsForCpu(root: Root): boolean {
  return (
    lockWaited(root.task) !== null ||
    operations(root.task.frames, 2).some((name) => /rcu|stop_machine|smp_call/.test(name))
  );
}
