import { describe, expect, it } from 'vitest';
import { cleanRow } from '../../src/core/console/clean.js';
import { printable } from '../../src/core/printable.js';
import { escapeUnsafe, safeJson } from '../../src/core/report/json.js';

/** First and last of each range that a terminal obeys, or that reorders or hides text. */
const UNSAFE = [
  ['\u0000', '\u001f'],
  ['\u007f', '\u009f'],
  ['\u061c', '\u061c'],
  ['\u200b', '\u200f'],
  ['\u2028', '\u202e'],
  ['\u2060', '\u2069'],
  ['\ufeff', '\ufeff'],
].flat();
const BESIDE_THEM = [
  ' ',
  '~',
  '\u00a0',
  '\u061b',
  '\u061d',
  '\u200a',
  '\u2010',
  '\u2027',
  '\u202f',
  '\u206a',
];

describe('each character that could make a terminal lie', () => {
  it.each(UNSAFE)('%j is a blank for people and an escape in JSON', (mark) => {
    expect(printable(`a${mark}b`, 9)).toBe('a b');
    expect(safeJson(`a${mark}b`)).toMatch(/^"a\\(?:u[0-9a-f]{4}|[bfnrt])b"$/);
    expect(JSON.parse(safeJson(`a${mark}b`))).toBe(`a${mark}b`);
    expect(cleanRow(Buffer.from(`a${mark}b`)).join('')).not.toContain(mark);
  });

  it.each(BESIDE_THEM)('%j is none', (mark) => {
    expect(printable(`a${mark}b`, 9)).toBe(`a${mark}b`);
    expect(safeJson(`a${mark}b`)).toBe(`"a${mark}b"`);
    expect(cleanRow(Buffer.from(`a${mark}b`))).toEqual([`a${mark}b`]);
  });
});

it('cuts what is too long', () => {
  expect(printable('abcdef', 4)).toBe('abc…');
});

it('leaves the blanks of JSON', () => {
  expect(escapeUnsafe('{\n\t"a": 1\r\n}')).toBe('{\n\t"a": 1\r\n}');
});
