import type { Dump, OnCpu, Verdict } from '../model.js';

type Hog = OnCpu & { running: NonNullable<OnCpu['running']> };

/** Longer than the kernel's usual limit for real-time tasks lets one run: 0.95 of each second. */
const STRETCH_MS = 1000;
/**
 * What that limit, and from 6.12 on the fair server, leave a loop: it is put off the CPU for 5 % of each second, and
 * no task that ever waits for anything comes near. It must have gone on for a while to prove that.
 */
const RATIONED_MS = 500;
const RATIONED_FOR_MS = 10_000;
const MOST_NAMED = 3;

/** The tasks that run on every CPU, where each is a real-time one and others could run; else empty. */
function holders(dumps: readonly Dump[]): { hogs: Hog[]; waiting: number } {
  const cpus = dumps.findLast(({ key }) => key === 't')?.onCpu ?? [];
  const hogs = cpus.filter(isRealTime);
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
  return `${first.running.comm}:${first.running.pid}${more} just then held every CPU at real-time priority`;
}

/**
 * Every CPU runs a real-time task that has not let go of it, while others could run: by the scheduler's table, whose run
 * times and switches prove it from one dump. Null where a single CPU is free of such a task.
 */
export function starvedVerdict(dumps: readonly Dump[]): Verdict | null {
  const { hogs, waiting } = holders(dumps);
  if (hogs.length === 0 || !hogs.every(heldLong)) return null;
  const names = hogs.slice(0, MOST_NAMED).map(({ running }) => `${running.comm}:${running.pid}`);
  const more = hogs.length > names.length ? ' …' : '';
  const reasons = hogs
    .slice(0, MOST_NAMED)
    .map(
      ({ cpu, running: { comm, pid, priority, switches, ranMs } }) =>
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

const isRealTime = (one: OnCpu): one is Hog => one.running !== null && one.running.priority < 99;

const stretchMs = ({ running: { ranMs, switches } }: Hog): number => ranMs / (switches + 1);

const heldLong = (hog: Hog): boolean => stretchMs(hog) >= STRETCH_MS || isRationed(hog);

const isRationed = (hog: Hog): boolean =>
  stretchMs(hog) >= RATIONED_MS && stretchMs(hog) < STRETCH_MS && hog.running.ranMs >= RATIONED_FOR_MS;
