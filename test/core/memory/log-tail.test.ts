import { describe, expect, it } from 'vitest';
import { addedLines } from '../../../src/core/memory/log-tail.js';

const line = (seconds: number, text: string) => `[${seconds.toFixed(6).padStart(12)}] ${text}\n`;
const many = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => line(from + i, `line ${from + i}`)).join('');

describe('what a log says that it did not say before', () => {
  it.each([
    ['all, at first', '', many(0, 3), many(0, 3), false],
    ['nothing', many(0, 3), many(0, 3), '', false],
    ['new lines', many(0, 500), many(0, 503), many(500, 503), false],
    [
      'new lines behind a beginning that was overwritten',
      many(0, 500),
      many(200, 503),
      many(500, 503),
      false,
    ],
    [
      'the same words at another time',
      line(1, 'tick'),
      line(1, 'tick') + line(2, 'tick'),
      line(2, 'tick'),
      false,
    ],
    [
      'a record that grew, whole',
      many(0, 3) + line(3, 'probing …'),
      many(0, 3) + line(3, 'probing … done'),
      line(3, 'probing … done'),
      false,
    ],
    [
      'a first record that grew',
      line(3, 'probing …'),
      line(3, 'probing … done'),
      line(3, 'probing … done'),
      true,
    ],
    ['all of another boot', many(100, 500), many(0, 3), many(0, 3), true],
  ])('%s', (_what, before, now, text, gap) => {
    expect(addedLines(before, now)).toEqual({ text, gap });
  });
});
