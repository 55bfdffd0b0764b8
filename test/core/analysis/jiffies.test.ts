import { describe, expect, it } from 'vitest';
import { ageOf, jiffiesPerSecond } from '../../../src/core/analysis/jiffies.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';

const report = (at: number, age: number, gracePeriod: number) => [
  `[${at.toFixed(6)}] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:`,
  `[${at.toFixed(6)}] rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-3): P77/1:b..l`,
  `[${at.toFixed(6)}] rcu: \t(detected by 0, t=${age} jiffies, g=${gracePeriod}, q=3 ncpus=4)`,
];

describe('jiffies a second', () => {
  it.each([
    ['a kernel of 250 Hz', [report(100, 5252, 9), report(163, 21005, 9)], 250],
    ['one of 1000 Hz that prints late', [report(100, 21003, 9), report(163.4, 84015, 9)], 1000],
    ['negative numbers, early in a boot', [report(21, 2102, -1190), report(84, 8405, -1190)], 100],
    ['one report', [report(100, 5252, 9)], null],
    ['two grace periods', [report(100, 5252, 9), report(163, 5252, 10)], null],
    ['stamps that tell nothing', [report(100, 5252, 9), report(100.2, 5302, 9)], null],
    ['a rate that no kernel has', [report(100, 5000, 9), report(110, 7000, 9), report(120, 12000, 9)], null],
  ])('%s', (_case, reports, hz) => {
    expect(jiffiesPerSecond(parseDumps(reports.flat()))).toBe(hz);
  });
});

describe('the age of one report', () => {
  const of = (jiffies: number, at: number | null, pause: number | null, known: number | null = null) => {
    const stamp = at === null ? '' : `[${at.toFixed(6)}] `;
    const [dump] = parseDumps([
      `${stamp}rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:`,
      `${stamp}rcu: \t(detected by 0, t=${jiffies} jiffies, g=9, q=3)`,
      ...(pause === null
        ? []
        : [
            `${stamp}rcu: All QSes seen, last rcu_preempt kthread activity ${jiffies} (9-1), jiffies_till_next_fqs=${pause}, root ->qsmask 0x0`,
          ]),
    ]);
    return dump && ageOf(dump, jiffies, known);
  };
  it.each([
    ['the limit of 21 s at 250 Hz', of(5252, null, null), 21, 250],
    ['the limit of 60 s at 1000 Hz', of(60_002, null, null), 60, 1000],
    ['the pause says 300 Hz', of(18_002, null, 2), 60, 300],
    ['no limit: the highest rate, so that it is not too old', of(40_000, null, null), 40, 1000],
    ['not older than the kernel', of(10_502, 20, null), 10, 1000],
    ['two reports told the rate', of(5252, null, null, 100), 52, 100],
  ])('%s', (_case, age, seconds, hz) => {
    expect(age).toMatchObject({ seconds, hz });
  });
});
