import type { Dump, OnCpu, Verdict } from '../model.js';
import { schedulerTable } from './whole-dump.js';

type Hog = OnCpu & { hog: NonNullable<OnCpu['running']> };

/** Longer than the kernel's usual limit for real-time tasks lets one run: 0.95 of each second. */
const STRETCH_MS = 1000;
/**
 * What that limit leaves a loop, and from 6.12 on the fair server (kernel/sched/deadline.c): ordinary tasks get 0.05 of
 * each second, in a few pieces; on 7.3 loops ran 137 to 540 ms between two of them. What serves a device or a clock runs
 * for less.
 */
const RATIONED_MS = 50;
const RATIONED_FOR_MS = 5_000;
const MOST_NAMED = 3;
/** With PREEMPT_RT the keyboard's interrupt, which prints the dump, is a real-time task, and so are timers. */
const OF_THE_DUMP = /^(?:irq\/\d+-|ktimers\/\d)/;

/** The tasks that run on every CPU, where each is a real-time one and others could run; else empty. */
function holders(dumps: readonly Dump[]): { hogs: Hog[]; waiting: number } {
  const cpus = schedulerTable(dumps);
  const hogs = cpus.flatMap((one): Hog[] => {
    const hog = [one.running, one.preempted].find(
      (task) => task && task.priority < 99 && !OF_THE_DUMP.test(task.comm),
    );
    return hog ? [{ ...one, hog }] : [];
  });
  const waiting = cpus.reduce((sum, one) => sum + one.waiting, 0);
  return { hogs: hogs.length < cpus.length || waiting === 0 ? [] : hogs, waiting };
}

/**
 * Real-time tasks run on every CPU while others could run: at this moment, which one dump need not prove to last.
 * Null where a single CPU is free of such a task.
 */
export function heldNow(dumps: readonly Dump[]): string | null {
  const [first, ...others] = holders(dumps).hogs;
  if (first === undefined) return null;
  const more = others.length === 0 ? '' : ' and others';
  return `${first.hog.comm}:${first.hog.pid}${more} just then held every CPU at real-time priority`;
}

/**
 * Every CPU runs a real-time task that has not let go of it, while others could run: by the scheduler's table, whose run
 * times and switches prove it from one dump. Null where a single CPU is free of such a task.
 */
export function starvedVerdict(dumps: readonly Dump[]): Verdict | null {
  const { hogs, waiting } = holders(dumps);
  if (hogs.length === 0 || !hogs.every(heldLong)) return null;
  const names = hogs.slice(0, MOST_NAMED).map(({ hog }) => `${hog.comm}:${hog.pid}`);
  const more = hogs.length > names.length ? ' …' : '';
  const reasons = hogs
    .slice(0, MOST_NAMED)
    .map(
      ({ cpu, hog: { comm, pid, priority, switches, ranMs } }) =>
        `CPU ${cpu} runs ${comm}:${pid} at ${priority < 0 ? 'a deadline' : `real-time priority ${99 - priority}`}: ${Math.floor(ranMs / 1000)} s in at most ${switches + 1} stretches.`,
    );
  return {
    title: `${names.join(', ')}${more} ${hogs.length === 1 ? 'holds' : 'hold'} every CPU at real-time priority; ${waiting} runnable ${waiting === 1 ? 'task waits' : 'tasks wait'} in vain`,
    class: 'starved',
    frame: null,
    confidence: 'medium',
    culprit: null,
    reasons: [
      ...reasons,
      ...(hogs.some(isRationed) ? ['The kernel leaves all other tasks 5 % of such a CPU at most.'] : []),
      'No task is blocked.',
    ],
    inferred: [],
  };
}

const stretchMs = ({ hog: { ranMs, switches } }: Hog): number => ranMs / (switches + 1);

const heldLong = (one: Hog): boolean => stretchMs(one) >= STRETCH_MS || isRationed(one);

const isRationed = (one: Hog): boolean =>
  stretchMs(one) >= RATIONED_MS && stretchMs(one) < STRETCH_MS && one.hog.ranMs >= RATIONED_FOR_MS;
