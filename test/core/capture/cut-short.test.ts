import { describe, expect, it } from 'vitest';
import { CaptureTail, DumpRecorder } from '../../../src/core/capture/cut-short.js';

const limits = { calm: 5_000, silence: 5_000, dump: 60_000 };
const W = '[   10.000000] sysrq: Show Blocked State';
const T = '[   11.000000] sysrq: Show State';
const HELP = '[   12.000000] sysrq: HELP : loglevel(0-9) reboot(b)';
const TASK = '[   11.100000] task:chroot          state:D stack:0     pid:441   ppid:1      flags:0x00000002';

describe('the end of a capture whose watchdog was killed', () => {
  it('is the fence, and what follows it soon', () => {
    const tail = new CaptureTail(0, limits);
    expect(tail.take([W], 1_000, true)).toBe(true);
    expect(tail.take([TASK], 1_100, true)).toBe(true);
    expect(tail.take([TASK], 1_200, false)).toBe(true);
    expect(tail.take([HELP], 1_300, false)).toBe(true);
    expect(tail.take([T], 1_400, false)).toBe(true);
    expect(tail.reaches(6_000)).toBe(true);
    expect(tail.take([TASK], 6_000, false)).toBe(true);
    expect(tail.take([HELP], 10_000, false)).toBe(true);
    expect(tail.take(['login: '], 14_000, false)).toBe(true);
    expect(tail.take(['hours later'], 16_000, false)).toBe(false);
  });

  it('is silence within a dump, and a dump without end', () => {
    const silent = new CaptureTail(0, limits);
    silent.take([T], 1_000, true);
    expect(silent.take([TASK], 7_000, false)).toBe(false);
    const endless = new CaptureTail(0, limits);
    endless.take([T], 1_000, true);
    for (let at = 2_000; at <= 61_000; at += 1_000) expect(endless.take([TASK], at, false)).toBe(true);
    expect(endless.take([TASK], 62_000, false)).toBe(false);
  });

  it('is not put off by a spinner, on a source with times and without', () => {
    for (const time of [(row: number) => row * 333, () => null]) {
      const tail = new CaptureTail(0, limits);
      tail.take([W, HELP], 0, true);
      let row = 0;
      while (row < 1_000 && tail.take(['[*    ] A start job is running'], time(row), false)) row += 1;
      expect(row).toBeLessThanOrEqual(200);
      expect(row).toBeGreaterThan(10);
    }
  });

  it('comes after all that was archived', () => {
    const tail = new CaptureTail(0, limits);
    expect(tail.take(['x'], 100_000, true)).toBe(true);
    expect(tail.take(['y'], 104_000, false)).toBe(true);
  });
});

const recorded = (lines: readonly string[]) => {
  const recorder = new DumpRecorder();
  for (const line of lines) recorder.push(line);
  return { dumps: recorder.dumps, raised: recorder.raised };
};

describe('the dumps in its lines', () => {
  it('have the names of a capture, and end with their fence or with the lines', () => {
    const level = '[    9.000000] sysrq: Loglevel set to 8';
    const { dumps, raised } = recorded([level, W, TASK, HELP, 'between', W, HELP, T, TASK]);
    expect(raised).toBe(true);
    expect(dumps.map(({ name, fenced, lines }) => [name, fenced, lines.length])).toEqual([
      ['sysrq-w.1', true, 3],
      ['sysrq-w.2', true, 2],
      ['sysrq-t', false, 2],
    ]);
  });

  it('have no fence from before', () => {
    const old = '[    2.000000] sysrq: HELP : loglevel(0-9)';
    expect(recorded([W, old, TASK]).dumps).toMatchObject([{ fenced: false, lines: { length: 3 } }]);
    expect(recorded([HELP, 'x'])).toEqual({ dumps: [], raised: false });
  });
});
