import { expect, it } from 'vitest';
import { styled, table } from '../../src/cli/print.js';

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
