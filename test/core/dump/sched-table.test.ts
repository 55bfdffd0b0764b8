import { expect, test } from 'vitest';
import { SchedTable } from '../../../src/core/dump/sched-table.js';

/** As a guest of 7.3 printed it: the weight, a whole number, precedes the first time. The parser gets it without the blanks around. */
const rows = [
  'cpu#0, 2445.457 MHz',
  ' S            init     1    1048576      4201.316122   E        4202.716122           1.400000      3014.141176       406     120         0.000000         0.000000         0.000000   0      0        /',
  ' S   idle_inject/1    24    1048576        -1.005815   E           0.700000           0.700000         0.067565         3      49         0.000000         0.000000         0.000000   0      0        /',
  '>R             hog   141    1048576      7988.697428   E           0.316928           1.400000     11410.851449        20       0         0.000000         0.000000         0.000000   0      0        /',
  'cpu#1, 2445.457 MHz',
  ' R             hog   138     524544      7045.501939   E           0.497684           1.400000     11373.655044        42       0         0.000000         0.000000         0.000000   0      0        /',
  '>R        dropbear   145    1048576      7316.517844   N        7317.828598           1.400000       136.927004        31     120         0.000000         0.000000         0.000000   0      0        /',
];

function tableOf(lines: readonly string[]): SchedTable {
  const table = new SchedTable();
  for (const line of lines) table.push(line.trim());
  return table;
}

test('reads what runs on each CPU of 7.3, and what had to make room there', () => {
  const hog = { comm: 'hog', priority: 0 };
  expect(tableOf(rows).onCpu).toEqual([
    { cpu: 0, running: { ...hog, pid: 141, switches: 20, ranMs: 11_410 }, waiting: 0 },
    {
      cpu: 1,
      running: { comm: 'dropbear', pid: 145, priority: 120, switches: 31, ranMs: 136 },
      preempted: { ...hog, pid: 138, switches: 42, ranMs: 11_373 },
      waiting: 1,
    },
  ]);
});

test('knows each task of it', () => {
  const table = tableOf(rows);
  expect(table.switchesOf(1)).toBe(406);
  expect(table.missingFrom([{ pid: 1 }, { pid: 145 }])).toBe(3);
});
