import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanRow } from '../../../src/core/console/clean.js';

const clean = (text: string) => cleanRow(Buffer.from(text, 'utf8'));
const STAMPED = '[   12.345678] EXT4-fs (vda1): mounted filesystem';

describe('cleanRow', () => {
  it.each([
    [
      'a status line',
      '[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mfoo\x1b[0m.\r',
      ['[  OK  ] Started foo.'],
    ],
    [
      'a spinner and its redraws',
      '\x1bM\r\x1b[K[\x1b[0;31m*     \x1b[0m] A start job\r\x1b[K[ *] A start job',
      ['[*     ] A start job', '[ *] A start job'],
    ],
    ['NUL and other controls', 'a\0b\x07c\x7fd\u0085e', ['abcde']],
    ['tabs', 'a\tb', ['a b']],
    ['8-bit CSI', 'a\u009b31mb', ['ab']],
    [
      'window titles and hyperlinks',
      '\x1b]0;root@vm\x07$ \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\',
      ['$ link'],
    ],
    ['an unfinished title', '\x1b]0;root@vm', ['0;root@vm']],
    ['an unfinished colour', 'done\x1b[0;1', ['done']],
    ['marks that reorder text', 'a\u202eb\u2066c', ['abc']],
    ['blank rows', ' \x1b[0m \r \r', []],
    [
      'the indentation of a frame',
      '[   12.345678]  __schedule+0x1/0x2 [mod]',
      ['[   12.345678]  __schedule+0x1/0x2 [mod]'],
    ],
  ])('cleans %s', (_what, row, lines) => {
    expect(clean(row)).toEqual(lines);
  });

  it('replaces bad UTF-8', () => {
    expect(cleanRow(Uint8Array.from([0x61, 0xff, 0xc3, 0x62]))).toEqual(['a\ufffd\ufffdb']);
  });

  it.each([
    ['a status line', '[  OK  ] Finis', '[  OK  ] Finis'],
    ['a prompt', 'vm login: ', 'vm login:'],
    ['another kernel line', '[    1.000000][  T12] foo', '[    1.000000][  T12] foo'],
    ['an unfinished colour', 'ok\x1b[0;1', 'ok'],
    ['an unfinished title', 'ok\x1b]0;vm', 'ok0;vm'],
    ['a lone escape', 'ok\x1b', 'ok'],
  ])('splits a kernel line off %s', (_what, head, kept) => {
    expect(clean(head + STAMPED)).toEqual([kept, STAMPED]);
  });

  it.each([
    'took [1.234567] s',
    'foo+0x1/0x2 [12345.678901]',
    'Nov  4 03:15:02 host kernel: [   12.345678] Call Trace:',
    '2025-01-16T17:24:58.365Z [   12.345678] Call Trace:',
    '<6>[   12.345678] Call Trace:',
    '[   12.345678] [drm] ready',
  ])('leaves %s whole', (line) => {
    expect(clean(line)).toEqual([line]);
  });

  it('splits at a stamp with a caller', () => {
    expect(clean('abc[   12.345678][    T1] foo')).toEqual(['abc', '[   12.345678][    T1] foo']);
  });

  it('bounds a line and says so', () => {
    const [line] = clean('x'.repeat(48 << 10));
    expect(line).toHaveLength(4096);
    expect(line?.endsWith('…')).toBe(true);
  });

  it('lets no control character through and loses no kernel line, whatever is around it', () => {
    const noise = fc
      .array(
        fc.constantFrom(
          '\x1b',
          '[',
          ']',
          '0;1',
          'm',
          '\x07',
          '\r',
          '\x9b',
          '\0',
          'P',
          ' ',
          'é',
          '\u202e',
          '\x1b[',
          '\x1b]',
        ),
        { maxLength: 12 },
      )
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(noise, noise, (before, after) => {
        const lines = clean(`${before}${STAMPED}\r${after}`);
        expect(lines.join('\n')).not.toMatch(/(?!\n)\p{Cc}|\u202e/u);
        expect(lines).toContain(STAMPED);
      }),
      { numRuns: 2000 },
    );
  });

  it.each(['\x1b]', '\x1b[', '\x1b[0;', '[    1', '[    1.000000] ', '\r', '\x9d', '[[', '] ['])(
    'takes no time over 48 KiB of %j',
    (unit) => {
      const row = Buffer.from(unit.repeat((48 << 10) / unit.length));
      const from = performance.now();
      cleanRow(row);
      expect(performance.now() - from).toBeLessThan(250);
    },
  );
});
