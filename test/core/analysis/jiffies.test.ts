import { describe, expect, it } from 'vitest';
import { atLeastSeconds, jiffiesPerSecond } from '../../../src/core/analysis/jiffies.js';
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

describe('an age in seconds, at least', () => {
  it.each<[string, number, number | null, number | null]>([
    ['at a known rate', 5250, 100, 52],
    ['of a first report at 250', 5252, null, 21],
    ['of a first report at 1000', 21_004, null, 21],
    ['of a first report after a minute', 15_001, null, 60],
    ['of any other', 84_010, null, 84],
    ['of less than a second', 400, null, null],
  ])('%s', (_case, jiffies, hz, seconds) => {
    expect(atLeastSeconds(jiffies, hz)).toBe(seconds);
  });
});
