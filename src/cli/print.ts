/** How verbs speak to people: tables that fit, and colour only where it is wanted. */
import { styleText } from 'node:util';
import { page, pagerOf } from './pager.js';
import { cutTo, displayWidth } from './width.js';

/** Where a verb writes to. */
export interface Terminal {
  out: (text: string) => void;
  err: (text: string) => void;
  /** Null where the output is no terminal: nothing is cut then. */
  columns: number | null;
  colour: boolean;
  /** Shows what may be longer than the screen; where there is no screen it is absent. */
  page?: (text: string) => Promise<void>;
}

/** Standard output and error. NO_COLOR, if not empty, turns colour off (https://no-color.org). */
export function processTerminal(): Terminal {
  const { stdout, stderr, env } = process;
  const out = (text: string) => void stdout.write(text);
  const pager = stdout.isTTY ? pagerOf(env) : null;
  return {
    out,
    err: (text) => void stderr.write(text),
    columns: stdout.isTTY ? stdout.columns || 80 : null,
    colour: stdout.isTTY && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb',
    ...(pager !== null && {
      page: async (text) => {
        const fits = text.split('\n').length <= stdout.rows;
        if (fits || !(await page(text, pager, env))) out(text);
      },
    }),
  };
}

/** Through the pager where there is one. */
export async function paged({ out, page }: Terminal, text: string): Promise<void> {
  if (page === undefined) out(text);
  else await page(text);
}

/** Lines that are longer than the terminal are folded at blanks, below where their text begins. */
export function folded({ columns }: Pick<Terminal, 'columns'>, text: string): string {
  if (columns === null) return text;
  return text
    .split('\n')
    .flatMap((line) => foldLine(line, Math.max(columns, LEAST_FOLD)))
    .join('\n');
}

const LEAST_FOLD = 40;
/** `  - `, or a name with its colon: what follows lines up behind it. */
const LEAD = /^ *(?:- |[A-Z][A-Za-z ]{0,16}: +)?/;

function foldLine(line: string, columns: number): string[] {
  if (displayWidth(line) <= columns) return [line];
  const lead = LEAD.exec(line)?.[0] ?? '';
  const indent = ' '.repeat(Math.min(lead.length, columns / 2));
  const lines: string[] = [];
  let current = lead;
  for (const word of line.slice(lead.length).split(' ')) {
    const longer = current === lead || current === indent ? current + word : `${current} ${word}`;
    if (displayWidth(longer) <= columns || current === lead || current === indent) current = longer;
    else {
      lines.push(current);
      current = indent + word;
    }
  }
  return [...lines, current];
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
  /** The least that it wants while others can be left out; what has it gives way last. `min` without it. */
  want?: number;
  /** Where the terminal is too narrow it may be left out: the one with the lowest number first. */
  drop?: number;
}

export interface Cell {
  text: string;
  style?: Style;
}

const GAP = 2;

/**
 * A table without borders; the texts must be printable. In a terminal that is too narrow columns are left out, then the
 * widest cuttable ones give way.
 */
export function table(terminal: Terminal, columns: readonly Column[], rows: readonly Cell[][]): string {
  const shown = keptColumns(columns, rows, terminal.columns ?? Infinity);
  const kept = shown.map((index) => columns[index]).filter((column) => column !== undefined);
  const cells = rows.map((row) => shown.map((index) => row[index] ?? { text: '' }));
  const widths = fitting(kept, cells, terminal.columns ?? Infinity);
  const head = kept.map(({ title }): Cell => ({ text: title, style: 'bold' }));
  const padded = ({ text, style }: Cell, index: number): string => {
    const width = widths[index] ?? 0;
    const fits = cutTo(text, width);
    const blanks = ' '.repeat(width - displayWidth(fits));
    const inked = style === undefined ? fits : styled(terminal, style, fits);
    return kept[index]?.align === 'right' ? blanks + inked : inked + blanks;
  };
  return [head, ...cells].map((row) => `${row.map(padded).join(' '.repeat(GAP)).trimEnd()}\n`).join('');
}

const widest = ({ title }: Column, index: number, rows: readonly Cell[][]): number =>
  rows.reduce((most, row) => Math.max(most, displayWidth(row[index]?.text ?? '')), displayWidth(title));

/** Which columns there is room for, by their place. */
function keptColumns(columns: readonly Column[], rows: readonly Cell[][], room: number): number[] {
  const wanted = columns.map((column, index) => {
    const { min, want = min } = column;
    const whole = widest(column, index, rows);
    return want === undefined ? whole : Math.min(whole, want);
  });
  let kept = columns.map((_, index) => index);
  const dropped = kept
    .filter((index) => columns[index]?.drop !== undefined)
    .sort((a, b) => (columns[a]?.drop ?? 0) - (columns[b]?.drop ?? 0));
  for (const index of dropped) {
    if (kept.reduce((sum, one) => sum + (wanted[one] ?? 0) + GAP, -GAP) <= room) break;
    kept = kept.filter((one) => one !== index);
  }
  return kept;
}

/** How wide each column is: as its widest text, or less where the room does not suffice. */
function fitting(columns: readonly Column[], rows: readonly Cell[][], room: number): number[] {
  const widths = columns.map((column, index) => widest(column, index, rows));
  let excess = widths.reduce((sum, width) => sum + width + GAP, -GAP) - room;
  for (const last of [false, true]) {
    while (excess > 0) {
      const spare = columns.map(({ min, want }, index) =>
        min === undefined || (want !== undefined) !== last ? 0 : (widths[index] ?? 0) - min,
      );
      const most = Math.max(...spare);
      if (most <= 0) break;
      const giving = spare.indexOf(most);
      widths[giving] = (widths[giving] ?? 0) - 1;
      excess -= 1;
    }
  }
  return widths;
}
