import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanRow } from '../../src/core/console/clean.js';
import { printable } from '../../src/core/printable.js';
import { escapeUnsafe, safeJson } from '../../src/core/report/json.js';

/** First and last of each range that a terminal obeys, or that reorders or hides text. */
const UNSAFE = [
  ['\u0000', '\u001f'],
  ['\u007f', '\u009f'],
  ['\u00ad', '\u00ad'],
  ['\u061c', '\u061c'],
  ['\u115f', '\u1160'],
  ['\u180b', '\u180f'],
  ['\u200b', '\u200f'],
  ['\u2028', '\u202e'],
  ['\u2060', '\u206f'],
  ['\u3164', '\u3164'],
  ['\ud800', '\udbff'],
  ['\udc00', '\udfff'],
  ['\ufe00', '\ufe0f'],
  ['\ufeff', '\ufeff'],
  ['\ufff0', '\ufffb'],
  ['\ufffe', '\uffff'],
  ['\u{1d173}', '\u{1d17a}'],
  ['\u{e0000}', '\u{e0fff}'],
].flat();
const BESIDE_THEM = [
  ...[' ', '~', '\u00a0', '\u00ac', '\u00ae', '\u061b', '\u061d', '\u200a', '\u2010', '\u2027', '\u202f'],
  ...['\u205f', '\u2070', '\ue000', '\ufdff', '\ufe10', '\ufffd', '\u{1f600}', '\u{dffff}', '\u{e1000}'],
];

describe('each character that could make a terminal lie', () => {
  it.each(UNSAFE)('%j is a blank for people and an escape in JSON', (mark) => {
    expect(printable(`a${mark}b`, 9)).toBe('a b');
    expect(safeJson(`a${mark}b`)).toMatch(/^"a(?:\\u[0-9a-f]{4}){1,2}b"$|^"a\\[bfnrt]b"$/);
    expect(JSON.parse(safeJson(`a${mark}b`))).toBe(`a${mark}b`);
    expect(cleanRow(Buffer.from(`a${mark}b`)).join('')).not.toContain(mark);
  });

  it.each(BESIDE_THEM)('%j is none', (mark) => {
    expect(printable(`a${mark}b`, 9)).toBe(`a${mark}b`);
    expect(safeJson(`a${mark}b`)).toBe(`"a${mark}b"`);
    expect(cleanRow(Buffer.from(`a${mark}b`))).toEqual([`a${mark}b`]);
  });
});

it('cuts what is too long, and no character in two', () => {
  expect(printable('abcdef', 4)).toBe('abc…');
  expect(printable('ab\u{1f600}cd', 4)).toBe('ab …');
  expect(cleanRow(Buffer.from(`${'a'.repeat(4094)}\u{1f600}${'b'.repeat(9)}`))).toEqual([
    `${'a'.repeat(4094)}…`,
  ]);
});

it('leaves the blanks of JSON, and any value as it is', () => {
  expect(escapeUnsafe('{\n\t"a": 1\r\n}')).toBe('{\n\t"a": 1\r\n}');
  fc.assert(
    fc.property(fc.json(), fc.string({ unit: 'binary' }), (json, text) => {
      expect(JSON.parse(escapeUnsafe(json))).toEqual(JSON.parse(json));
      expect(JSON.parse(safeJson({ [text]: text }, 2))).toEqual({ [text]: text });
    }),
  );
});
