import type { Dump, OnCpu, Verdict } from '../model.js';

type Hog = OnCpu & { running: NonNullable<OnCpu['running']> };

/** Longer than the kernel's usual limit for real-time tasks lets one run: 0.95 of each second. */
const STRETCH_MS = 1000;
const MOST_NAMED = 3;

/**
 * Every CPU runs a real-time task that has not let go of it, while others could run: by the scheduler's table, whose run
 * times and switches prove it from one dump. Null where a single CPU is free of such a task.
 */
export function starvedVerdict(dumps: readonly Dump[]): Verdict | null {
  const cpus = dumps.findLast(({ key }) => key === 't')?.onCpu ?? [];
  const hogs = cpus.filter(isHog);
  const waiting = cpus.reduce((sum, one) => sum + one.waiting, 0);
  if (hogs.length === 0 || hogs.length < cpus.length || waiting === 0) return null;
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
    reasons: [...reasons, 'No task is blocked.'],
    inferred: [],
  };
}

function isHog(one: OnCpu): one is Hog {
  const { running } = one;
  return running !== null && running.priority < 99 && running.ranMs / (running.switches + 1) >= STRETCH_MS;
}
