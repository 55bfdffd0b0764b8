/** How verbs speak to people: tables that fit, and colour only where it is wanted. */
import { styleText } from 'node:util';
import Table from 'cli-table3';

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
const NO_BORDERS = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
  ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
  ...{
    left: '',
    'left-mid': '',
    mid: '',
    'mid-mid': '',
    right: '',
    'right-mid': '',
    middle: ' '.repeat(GAP),
  },
};

/** A table without borders; the texts must be printable. In a terminal the widest cuttable columns give way. */
export function table(terminal: Terminal, columns: readonly Column[], rows: readonly Cell[][]): string {
  const widths = fitting(columns, rows, terminal.columns ?? Infinity);
  const made = new Table({
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colWidths: widths,
    colAligns: columns.map(({ align }) => align ?? 'left'),
    head: columns.map(({ title }) => styled(terminal, 'bold', title)),
  });
  for (const row of rows) {
    made.push(row.map(({ text, style }) => (style === undefined ? text : styled(terminal, style, text))));
  }
  return `${made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')}\n`;
}

/** None where all fits: cli-table3 then measures for itself. */
function fitting(columns: readonly Column[], rows: readonly Cell[][], room: number): number[] {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]?.text.length ?? 0)),
  );
  let excess = widths.reduce((sum, width) => sum + width + GAP, -GAP) - room;
  if (excess <= 0) return [];
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
