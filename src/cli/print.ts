/** How verbs speak to people: tables that fit, and colour only where it is wanted. */
import { styleText } from 'node:util';
import { cutTo, displayWidth } from './width.js';

/** Where a verb writes to. */
export interface Terminal {
  out: (text: string) => void;
  err: (text: string) => void;
  /** Null where the output is no terminal: nothing is cut then. */
  columns: number | null;
  colour: boolean;
}

/** Standard output and error. NO_COLOR, if not empty, turns colour off (https://no-color.org). */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    columns: stdout.isTTY ? stdout.columns || 80 : null,
    colour: stdout.isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
  };
}

export type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green';

export function styled({ colour }: Pick<Terminal, 'colour'>, style: Style, text: string): string {
  return colour ? styleText(style, text, { validateStream: false }) : text;
}

export interface Column {
  title: string;
  align?: 'right';
  /** The least to which it may be cut; columns without it keep their width. */
  min?: number;
}

export interface Cell {
  text: string;
  style?: Style;
}

const GAP = 2;

/** A table without borders; the texts must be printable. In a terminal the widest cuttable columns give way. */
export function table(terminal: Terminal, columns: readonly Column[], rows: readonly Cell[][]): string {
  const widths = fitting(columns, rows, terminal.columns ?? Infinity);
  const head = columns.map(({ title }): Cell => ({ text: title, style: 'bold' }));
  const padded = ({ text, style }: Cell, index: number): string => {
    const width = widths[index] ?? 0;
    const shown = cutTo(text, width);
    const blanks = ' '.repeat(width - displayWidth(shown));
    const inked = style === undefined ? shown : styled(terminal, style, shown);
    return columns[index]?.align === 'right' ? blanks + inked : inked + blanks;
  };
  return [head, ...rows].map((row) => `${row.map(padded).join(' '.repeat(GAP)).trimEnd()}\n`).join('');
}

/** How wide each column is: as its widest text, or less where the room does not suffice. */
function fitting(columns: readonly Column[], rows: readonly Cell[][], room: number): number[] {
  const widths = columns.map(({ title }, index) =>
    Math.max(displayWidth(title), ...rows.map((row) => displayWidth(row[index]?.text ?? ''))),
  );
  let excess = widths.reduce((sum, width) => sum + width + GAP, -GAP) - room;
  while (excess > 0) {
    const spare = columns.map(({ min }, index) => (min === undefined ? 0 : (widths[index] ?? 0) - min));
    const most = Math.max(...spare);
    if (most <= 0) break;
    const widest = spare.indexOf(most);
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}
