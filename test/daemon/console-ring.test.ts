import { expect, it } from 'vitest';
import { asRows, RowSplitter } from '../../src/core/console/rows.js';
import { ConsoleRing } from '../../src/daemon/console-ring.js';

const text = (ring: ConsoleRing) => Buffer.from(ring.raw()).toString();

it('keeps the newest rows, byte for byte', () => {
  const ring = new ConsoleRing(3);
  for (const row of ['one', '', 'two\r', '\xff']) ring.push(asRows(Buffer.from(row, 'latin1')));
  expect(Buffer.from(ring.raw()).toString('latin1')).toBe('\ntwo\r\n\xff\n');
  for (let n = 0; n < 100; n += 1) ring.push(asRows(Buffer.from(`row ${n}`)));
  expect(text(ring)).toBe('row 97\nrow 98\nrow 99\n');
  expect(ring.lines()).toEqual(['row 97', 'row 98', 'row 99']);
});

it('keeps as many of a block', () => {
  const ring = new ConsoleRing(3);
  for (const rows of new RowSplitter().take(Buffer.from('a\n'.repeat(10_000)))) ring.push(rows);
  expect(text(ring)).toBe('a\na\na\n');
});

it('keeps whole rows of a megabyte at most', () => {
  const ring = new ConsoleRing(100_000);
  for (let n = 0; n < 1_000; n += 1) ring.push(asRows(Buffer.from('x'.repeat(4_095))));
  expect(ring.raw()).toHaveLength(1 << 20);
});
