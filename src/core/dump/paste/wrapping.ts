/** At which column a text was broken into lines, told from the lines that begin without a time of their own. */
import type { Part } from './prefixes.js';

export interface Wrapping {
  /** No line is longer, but for words that are. */
  columns: number;
  /** As a terminal does, in the middle of a word; else at a blank, which is lost. */
  hard: boolean;
}

const NARROWEST = 30;
const WIDEST = 200;
const PAIRS_MIN = 3;
/** Of lines without a time, so many must be explained by one width. */
const EXPLAINED = 0.7;
/** So many may be longer. */
const LONGER = 0.05;
/** So many rows end exactly at the last column only where words are broken as well. */
const EXACT = 0.7;
/** Blanks at the end of a line are cut off: as many as pad the longest field of a kernel's line. */
const PADDING = 16;

const firstWord = (text: string): number => {
  const word = text.trimStart();
  const end = word.search(/\s/);
  return end < 0 ? word.length : end;
};

/** Whether a line ends so near to the last column that the next may be its rest. */
export const isFull = (columns: number, next: Part, wrapping: Wrapping): boolean =>
  columns <= wrapping.columns &&
  columns + PADDING + (wrapping.hard ? 0 : firstWord(next.text)) > wrapping.columns;

interface Pair {
  columns: number;
  /** The widest text in which the next line's first word did not fit. */
  reach: number;
}

/** The ends of continued lines may show a column more. */
function widest(parts: readonly Part[], known: number): number {
  let columns = known;
  for (const part of parts) if (part.columns > columns && part.columns <= known + 4) columns = part.columns;
  return columns;
}

/** Told by the rows that pad nothing, for blanks at the end of a row are cut off. */
function isHard(parts: readonly Part[], columns: number): boolean {
  const full = parts.filter(
    (part, index) =>
      parts[index + 1]?.stamped === false &&
      part.columns > columns - PADDING &&
      part.columns <= columns &&
      !/\s{2}/.test(part.text),
  );
  const exact = full.filter((part) => part.columns >= columns - 1).length;
  return exact >= PAIRS_MIN && exact > EXACT * full.length;
}

/** Null for a text that was not broken, or of which too little shows. */
export function wrappingOf(parts: readonly Part[]): Wrapping | null {
  const pairs = parts.flatMap((next, index): Pair[] => {
    const last = parts[index - 1];
    return last?.stamped === true && !next.stamped
      ? [{ columns: last.columns, reach: last.columns + PADDING + firstWord(next.text) - 1 }]
      : [];
  });
  if (pairs.length < PAIRS_MIN) return null;
  let best: { columns: number; explained: number } | null = null;
  const ends = [...new Set(pairs.map(({ columns }) => columns))].sort((a, b) => a - b);
  for (const columns of ends) {
    if (columns < NARROWEST || columns > WIDEST) continue;
    const explained = pairs.filter((pair) => pair.columns <= columns && pair.reach >= columns).length;
    if (explained > (best?.explained ?? 0)) best = { columns, explained };
  }
  if (best === null || best.explained < Math.max(PAIRS_MIN, EXPLAINED * pairs.length)) return null;
  const columns = widest(parts, best.columns);
  const stamped = parts.filter((part) => part.stamped);
  const longer = stamped.filter((part) => part.columns > columns).length;
  if (longer > LONGER * stamped.length) return null;
  return { columns, hard: isHard(parts, columns) };
}
