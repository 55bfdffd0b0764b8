import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RowSplitter } from '../../../src/core/console/rows.js';

const MAX = 48 << 10;

it('gives the same rows wherever the stream is cut', () => {
  const byte = fc.constantFrom(10, 13, 0, 65, 255);
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 60 }), fc.array(fc.nat(60), { maxLength: 5 }), (bytes, cuts) => {
      const splitter = new RowSplitter();
      const edges = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
      const rows = edges
        .slice(1)
        .flatMap((end, i) => splitter.push(Uint8Array.from(bytes.slice(edges[i], end))));
      const rest = splitter.flush();
      const all = Buffer.from(bytes).toString('latin1').split('\n');
      expect([...rows, rest ?? new Uint8Array(0)].map((row) => Buffer.from(row).toString('latin1'))).toEqual(
        all,
      );
    }),
  );
});

it('cuts a row without end after 48 KiB', () => {
  const splitter = new RowSplitter();
  const rows = splitter.push(new Uint8Array(2 * MAX + 5).fill(65));
  expect(rows.map((row) => row.length)).toEqual([MAX, MAX]);
  expect(splitter.flush()).toHaveLength(5);
  expect(splitter.flush()).toBeNull();
});

it('keeps a row of exactly 48 KiB as one', () => {
  const splitter = new RowSplitter();
  const row = new Uint8Array(MAX + 1).fill(65);
  row[MAX] = 10;
  expect(splitter.push(row).map((one) => one.length)).toEqual([MAX]);
  expect(splitter.flush()).toBeNull();
});
