import { expect, it } from 'vitest';
import { folded, styled, table } from '../../src/cli/print.js';

const columns = [
  { title: 'VM', min: 4 },
  { title: 'N', align: 'right' as const },
  { title: 'TEXT', min: 8 },
];
const rows = [
  [{ text: 'store' }, { text: '7' }, { text: 'a rather long text about nothing' }],
  [{ text: 'b' }, { text: '123' }, { text: 'short', style: 'red' as const }],
];
const wide = { columns: null, colour: false, out: () => undefined, err: () => undefined };

it('aligns without borders, padding or blanks at the end', () => {
  expect(table(wide, columns, rows)).toBe(
    'VM       N  TEXT\nstore    7  a rather long text about nothing\nb      123  short\n',
  );
});

it('cuts the widest columns first, and not below their least', () => {
  expect(table({ ...wide, columns: 24 }, columns, rows)).toBe(
    'VM       N  TEXT\nstore    7  a rather lo…\nb      123  short\n',
  );
  expect(table({ ...wide, columns: 5 }, columns, rows)).toBe(
    'VM      N  TEXT\nsto…    7  a rathe…\nb     123  short\n',
  );
});

it('leaves out columns before it cuts one below what it wants', () => {
  const some = [
    { title: 'A', drop: 2 },
    { title: 'TEXT', min: 4, want: 20 },
    { title: 'B', drop: 1 },
  ];
  const cells = [[{ text: '1' }, { text: 'x'.repeat(30) }, { text: '2' }]];
  const head = (room: number) => table({ ...wide, columns: room }, some, cells).split('\n')[0];
  expect(head(26)).toMatch(/^A {2}TEXT +B$/);
  expect(head(25)).toBe('A  TEXT');
  expect(head(22)).toBe('TEXT');
  expect(table({ ...wide, columns: 10 }, some, cells)).toBe('TEXT\nxxxxxxxxx…\n');
});

it('folds what is longer than the terminal below where it begins', () => {
  const at = (columns: number | null, text: string) => folded({ columns }, text);
  const line = '  - one two three four five six seven eight nine ten';
  expect(at(40, line)).toBe('  - one two three four five six seven\n    eight nine ten');
  expect(at(40, 'Note:          one two three four five six')).toBe(
    'Note:          one two three four five\n               six',
  );
  expect(at(40, `  ${'x'.repeat(60)} y`)).toBe(`  ${'x'.repeat(60)}\n  y`);
  expect(at(null, line)).toBe(line);
});

it('counts what stands on two columns as two', () => {
  const text = '漢字'.repeat(10);
  const lines = table(
    { ...wide, columns: 30 },
    [{ title: 'TEXT', min: 8 }, { title: 'ID' }],
    [[{ text }, { text: 'x' }]],
  );
  expect(lines).toMatch(/^TEXT.*\n(?:漢字)+…? +x\n$/);
});

it('colours only where colour is wanted', () => {
  expect(styled(wide, 'red', 'x')).toBe('x');
  expect(styled({ colour: true }, 'red', 'x')).toBe('\u001b[31mx\u001b[39m');
  expect(table({ ...wide, colour: true }, columns, rows)).toContain('\u001b[31mshort\u001b[39m');
});
