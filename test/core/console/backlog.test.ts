import { expect, it } from 'vitest';
import { Backlog, type Item } from '../../../src/core/console/backlog.js';
import { RowSplitter } from '../../../src/core/console/rows.js';

const OTHER = { at: 7, wallMs: 0, replayed: false };

function holding(...texts: string[]): Backlog<string> {
  const backlog = new Backlog<string>();
  for (const text of texts)
    for (const rows of new RowSplitter().take(Buffer.from(text))) backlog.push({ ...rows, ...OTHER });
  return backlog;
}

function readAll(backlog: Backlog<string>): Item<string>[] {
  const items: Item<string>[] = [];
  while (!backlog.empty) items.push(...backlog.read(256).items);
  return items;
}

const linesIn = (items: readonly Item<string>[]) =>
  items.flatMap((item) => (item.type === 'line' ? [item.text] : []));
const leftOutIn = (items: readonly Item<string>[], repeated: boolean) =>
  items.reduce(
    (sum, one) => (one.type === 'left-out' && one.repeated === repeated ? sum + one.rows : sum),
    0,
  );
const numbered = (count: number) => Array.from({ length: count }, (_, n) => `line ${n}\n`).join('');

it('gives the cleaned lines in their order, and marks between them', () => {
  const backlog = holding('one\n\x1b[0;32mtwo\x1b[0m\r\n\n[    1.000000] three\n');
  backlog.mark('a new QEMU');
  for (const rows of new RowSplitter().take(Buffer.from('four\n'))) backlog.push({ ...rows, ...OTHER });
  const items = readAll(backlog);
  expect(items.map((item) => (item.type === 'line' ? item.text : item.type))).toEqual([
    'one',
    'two',
    '[    1.000000] three',
    'mark',
    'four',
  ]);
  expect(backlog).toMatchObject({ rows: 0, bytes: 0 });
});

it('counts equal rows beyond the hundredth, of which nothing is lost', () => {
  const items = readAll(holding(`begin\n${'a\n'.repeat(30_000)}end\n${'b\n'.repeat(100)}`));
  const lines = linesIn(items);
  expect(lines.filter((line) => line === 'a')).toHaveLength(100);
  expect(lines.filter((line) => line === 'b')).toHaveLength(100);
  expect(lines[101]).toBe('end');
  expect(leftOutIn(items, true)).toBe(29_900);
  expect(leftOutIn(items, false)).toBe(0);
});

it('says nothing of blank rows', () => {
  expect(readAll(holding('\n'.repeat(30_000)))).toEqual([]);
});

it('is not thinned while it holds little', () => {
  const backlog = holding(numbered(60_000));
  expect(backlog.thin('any')).toEqual({ rows: 0, bytes: 0 });
  expect(linesIn(readAll(backlog))).toHaveLength(60_000);
});

it('leaves out the middle of what is too much, and counts it', () => {
  const backlog = holding(numbered(200_000));
  const { rows, bytes } = backlog.thin('any');
  expect(rows).toBeGreaterThan(150_000);
  expect(bytes).toBeGreaterThan(rows);
  const items = readAll(backlog);
  const lines = linesIn(items);
  expect([lines[0], lines.at(-1)]).toEqual(['line 0', 'line 199999']);
  expect(lines.length + rows).toBe(200_000);
  expect(leftOutIn(items, false)).toBe(rows);
});

it('keeps what a kernel may have said where that comes first', () => {
  const noise = (from: number) => Array.from({ length: 50_000 }, (_, n) => `${from + n}\n`).join('');
  const dump = Array.from({ length: 2_000 }, (_, n) => `[  12.${String(n).padStart(6, '0')}] task:job${n}\n`);
  const stack = ' folio_wait_bit_common+0x10/0x20\n';
  const flood = `${noise(0)}${dump.join('')}${stack}${noise(50_000)}${noise(100_000)}`;
  const kernel = (backlog: Backlog<string>) =>
    linesIn(readAll(backlog)).filter((line) => !/^\d+$/.test(line));
  const [sifted, thinned] = [holding(flood), holding(flood)];
  expect(sifted.thin('kernel').rows).toBeGreaterThan(100_000);
  expect(kernel(sifted)).toHaveLength(2_001);
  thinned.thin('any');
  expect(kernel(thinned).length).toBeLessThan(1_500);
});

it('stays small whatever comes, also of what a kernel may have said', () => {
  const backlog = new Backlog<string>();
  const [rows] = new RowSplitter().take(Buffer.from('[    1.000000] x\n'.repeat(1_024)));
  let left = 0;
  for (let n = 0; n < 2_000 && rows !== undefined; n += 1) {
    backlog.push({ ...rows, ...OTHER });
    left += backlog.thin('kernel').rows;
  }
  expect(backlog.rows).toBeLessThan(350_000);
  expect(backlog.rows + left).toBe(2_000 * 1_024);
});

it('reads a row of nothing but carriage returns in many parts', () => {
  const backlog = holding(`${'a\r'.repeat(20_000)}\n`);
  expect(backlog.read(256).items.length).toBeLessThan(300);
  expect(linesIn(readAll(backlog)).length).toBeGreaterThan(19_000);
});

it('holds a few megabytes of long rows, however many rows there is room for', () => {
  const backlog = new Backlog<string>();
  for (let n = 0; n < 500; n += 1) {
    for (const rows of new RowSplitter().take(Buffer.from(`${'x'.repeat(40_000)}\n`)))
      backlog.push({ ...rows, ...OTHER });
    backlog.thin('any');
  }
  expect(backlog.bytes).toBeLessThan(6 << 20);
});
