/** RAM in many pieces, as in a crash dump that leaves out what is free. */
import { expect, it } from 'vitest';
import { inRam } from '../../../src/core/memory/address-space.js';
import { scanForNote } from '../../../src/core/memory/vmcoreinfo.js';

const addresses = Array.from({ length: 25 }, (_, gpa) => gpa);

it.each<[pairs: [number, number][]]>([
  [[]],
  [[[10, 20]]],
  [
    [
      [0, 4],
      [4, 6],
      [10, 11],
    ],
  ],
  [[1, 3, 5, 7, 9, 12].map((first) => [first, first + 1])],
])('the ranges %j hold what lies in one of them', (pairs) => {
  const ranges = pairs.map(([first, end]) => ({ first, end }));
  const inOne = (gpa: number) => pairs.some(([first, end]) => gpa >= first && gpa < end);
  expect(addresses.filter((gpa) => inRam({ ranges }, gpa))).toEqual(addresses.filter(inOne));
});

it('is searched without a buffer of a megabyte for each page', () => {
  const held: number[] = [];
  const ram = {
    ranges: [],
    read: (_gpa: number, { buffer }: Uint8Array) => held.push(buffer.byteLength) > 0,
  };
  for (const size of [4096, 3 * 2 ** 20]) scanForNote(ram, { first: 0, end: size }, () => null);
  expect(held).toEqual([4096, 2 ** 20, 2 ** 20, 2 ** 20]);
});
