import { expect, it } from 'vitest';
import { Stamps } from '../../../src/core/console/stamps.js';

const read = (lines: string[]) => {
  const stamps = new Stamps(2026);
  return lines.map((line) => stamps.read(line));
};

it('takes the date of a logger, whose prefix is no part of the line', () => {
  expect(
    read([
      '2026-09-18T10:15:02+00:00 host qemu-system@vm1[12]: [    1.5] Linux version 6.1.0',
      'a line without a time',
      '2026-09-18T10:15:03.250Z host kernel: x',
      '[2026-09-18 10:15:04 UTC] [    9.0] y',
    ]),
  ).toEqual([
    { at: Date.UTC(2026, 8, 18, 10, 15, 2), text: '[    1.5] Linux version 6.1.0' },
    { at: Date.UTC(2026, 8, 18, 10, 15, 2), text: 'a line without a time' },
    { at: Date.UTC(2026, 8, 18, 10, 15, 3, 250), text: 'x' },
    { at: Date.UTC(2026, 8, 18, 10, 15, 4), text: '[    9.0] y' },
  ]);
});

it('knows the dates of syslog, of this year', () => {
  const [line] = read(['Sep  8 10:15:02 host qemu[1]: x']);
  expect(line).toEqual({ at: new Date(2026, 8, 8, 10, 15, 2).getTime(), text: 'x' });
});

it('else takes the time of the kernel, which goes on with the next boot', () => {
  const times = read(['firmware', '[    0.0] a', '[   20.5] b', '[    0.0] Linux version', '[    1.0] c']);
  expect(times.map(({ at }) => at)).toEqual([null, 0, 20_500, 20_500, 21_500]);
});

it('never goes back', () => {
  const times = read(['2026-09-18T10:15:02Z a', '2026-09-18T10:15:01Z b']);
  expect(times[1]?.at).toBe(times[0]?.at);
});
