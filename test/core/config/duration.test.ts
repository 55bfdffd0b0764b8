import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { durationMs, formatDuration } from '../../../src/core/config/duration.js';

describe('durations', () => {
  it.each([
    ['500ms', 500],
    ['3s', 3000],
    ['3 sec', 3000],
    ['2min', 120_000],
    ['1h 30min', 5_400_000],
    ['1h30min', 5_400_000],
    ['1.5h', 5_400_000],
    ['0.1s', 100],
    ['90d', 7_776_000_000],
    [' 3s ', 3000],
  ])('%s', (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });

  it.each(['', '3', '-3s', '3s ago', 'soon', '3m', '3us', '3S', '1 0s', 's', `${'9'.repeat(30)}d`])(
    'refuses %j',
    (text) => {
      expect(durationMs(text)).toEqual({ problem: expect.stringContaining('such as 500ms, 3s') as string });
    },
  );

  it('says what a bare number and an ambiguous unit should be', () => {
    expect(durationMs('3')).toEqual({ problem: expect.stringMatching(/; write 3s for seconds$/) as string });
    expect(durationMs('2m')).toEqual({
      problem: expect.stringMatching(/; write 2min for minutes$/) as string,
    });
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 * 86_400_000 }), (ms) => {
        expect(durationMs(formatDuration(ms))).toBe(ms);
      }),
    );
  });

  it('writes the largest units that fit', () => {
    expect([0, 999, 8000, 90_000, 86_400_000].map(formatDuration)).toEqual([
      '0s',
      '999ms',
      '8s',
      '1min 30s',
      '1d',
    ]);
  });
});
