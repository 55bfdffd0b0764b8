import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { fence, stacks, task } from '../../support/stacks.js';

/** The scheduler's table as 6.1 prints it, as 6.12 does, and as 7.3 does. */
const old = (mark: string, comm: string, pid: number, switches: number, prio: number, ran: number) =>
  `${mark} ${comm.padStart(15)} ${String(pid).padStart(5)}         0.000000 ${String(switches).padStart(9)} ${String(prio).padStart(5)}         0.000000 ${String(ran).padStart(9)}.551559         0.000000         0.000000 0 0 /`;
const recent = (mark: string, comm: string, pid: number, switches: number, prio: number, ran: number) =>
  `${mark} ${comm.padStart(15)} ${String(pid).padStart(5)}         0.000000   E         0.000000           3.000000 ${String(ran).padStart(9)}.551559 ${String(switches).padStart(9)} ${String(prio).padStart(5)}         0.000000         0.000000         0.000000   0      0   /`;
const weighted = (...[mark, comm, pid, ...rest]: Parameters<typeof recent>) =>
  recent(mark, comm, pid, ...rest).replace(` ${pid} `, ` ${pid}    1048576 `);

const kind = (...rows: string[]) =>
  analyze(
    parseDumps(['sysrq: Show State', ...task('init', 1, 'S', stacks.shell), ...task('hog', 2, 'R', []), 'Sched Debug Version: v0.11, 6.1', ...rows.map((row) => `[   32.133087] ${row}`), fence]),
    { secondsBetweenLooks: null, shares: [], kernelCommandLine: null },
  ).verdict; // prettier-ignore

describe('real-time tasks that hold every CPU', () => {
  const sleeps = old(' S', 'init', 1, 9, 120, 10);
  const waits = old(' R', 'sleep', 1, 9, 120, 10);
  const hog = old('>R', 'hog', 2, 4, 0, 17391);

  it.each<[string, string[], string]>([
    ['the only CPU', ['cpu#0, 2445 MHz', sleeps, waits, hog], 'starved'],
    ['as 6.12 prints it', ['cpu#0, 2445 MHz', recent(' R', 'sleep', 1, 9, 120, 10), recent('>R', 'hog', 2, 4, 0, 17391)], 'starved'],
    ['as 7.3 prints it', ['cpu#0, 2445 MHz', weighted(' R', 'sleep', 1, 9, 120, 10), weighted('>R', 'hog', 2, 4, 0, 17391)], 'starved'],
    ['an ordinary task has its share just now', ['cpu#0, 2445 MHz', weighted('>R', 'sleep', 1, 9, 120, 10), weighted(' R', 'hog', 2, 42, 0, 11373)], 'starved'],
    ['it was interrupted by such shares', ['cpu#0, 2445 MHz', weighted(' R', 'sleep', 1, 9, 120, 10), weighted('>R', 'hog', 2, 98, 0, 23839)], 'starved'],
    ['the keyboard of PREEMPT_RT, which prints the dump', ['cpu#0, 2445 MHz', weighted(' R', 'sleep', 1, 9, 120, 10), weighted('>R', 'irq/1-i8042', 2, 4, 49, 17391)], 'none'],
    ['it waits for that keyboard', ['cpu#0, 2445 MHz', weighted(' R', 'hog', 2, 42, 40, 11373), weighted('>R', 'irq/1-i8042', 3, 4, 49, 17391)], 'starved'],
    ['it has only begun', ['cpu#0, 2445 MHz', waits, old('>R', 'hog', 2, 0, 0, 999)], 'none'],
    ['nobody waits', ['cpu#0, 2445 MHz', sleeps, hog], 'none'],
    ['one of two CPUs', ['cpu#0, 2445 MHz', waits, hog, 'cpu#1, 2445 MHz', sleeps], 'none'],
    ['it lets go of the CPU', ['cpu#0, 2445 MHz', waits, old('>R', 'hog', 2, 4000, 0, 17391)], 'none'],
    ['at no real-time priority', ['cpu#0, 2445 MHz', waits, old('>R', 'hog', 2, 4, 120, 17391)], 'none'],
  ])('%s', (_case, rows, verdict) => {
    expect(kind(...rows).class).toBe(verdict);
  }); // prettier-ignore

  it('are named, with what proves it', () => {
    const found = kind('cpu#0, 2445 MHz', waits, hog);
    expect(found.title).toBe('hog:2 holds every CPU at real-time priority; 1 runnable task waits in vain');
    expect(found.reasons[0]).toBe('CPU 0 runs hog:2 at real-time priority 99: 17 s in at most 5 stretches.');
  });
});
