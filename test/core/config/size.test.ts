import fc from 'fast-check';
import { expect, it } from 'vitest';
import { roundSize, sizeBytes, writtenSize } from '../../../src/core/config/size.js';

it.each([
  ['1KiB', 1024],
  ['500MiB', 524_288_000],
  [' 10 GiB ', 10_737_418_240],
  ['2TiB', 2_199_023_255_552],
])('%s', (text, bytes) => expect(sizeBytes(text)).toBe(bytes));

it.each(['', '10', '10G', '10GB', '1.5GiB', '-1GiB', '10gib', '9999999GiB'])('refuses %j', (text) =>
  expect(sizeBytes(text)).toBeNull(),
);

it('reads back what it writes', () => {
  const units = fc.constantFrom('KiB', 'MiB', 'GiB', 'TiB');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 999_999 }), units, (count, unit) => {
      const bytes = sizeBytes(`${count}${unit}`) ?? 0;
      expect(sizeBytes(writtenSize(bytes))).toBe(bytes);
    }),
  );
});

it('rounds for people', () => {
  expect([0, 300, 1500, 12_000, 1.4 * 2 ** 20].map(roundSize)).toEqual([
    '0.0 KiB',
    '0.3 KiB',
    '1.5 KiB',
    '12 KiB',
    '1.4 MiB',
  ]);
});
