/**
 * Logs as people paste them: with prefixes of any logger, broken by mailers and terminals, the newest line first. What
 * a log is like is told by its beginning; then its lines stream by.
 */
import { Joiner } from './joiner.js';
import { isNewestFirst } from './order.js';
import { Prefixes } from './prefixes.js';
import { type Wrapping, wrappingOf } from './wrapping.js';

/** So much of a log tells what it is like. */
export const SAMPLE_LINES = 5_000;
export const SAMPLE_CHARS = 1 << 20;

export interface PasteNature {
  newestFirst: boolean;
  wrapping: Wrapping | null;
  prefixes: Prefixes;
}

/** What a log is like that begins with these lines. */
export function natureOf(sample: readonly string[]): PasteNature {
  const prefixes = new Prefixes();
  // What is in front of a phrase further down may be in front of the first line as well.
  for (const line of sample) prefixes.part(line);
  const parts = sample.map((line) => prefixes.part(line));
  return { newestFirst: isNewestFirst(parts), wrapping: wrappingOf(parts), prefixes };
}

/** For the lines in the order of the file; see Joiner. */
export const joinerFor = ({ prefixes, wrapping }: PasteNature): Joiner => new Joiner(prefixes, wrapping);

/** A whole log that fits into memory: its lines as the kernel printed them, oldest first. */
export function readPaste(lines: readonly string[]): string[] {
  const nature = natureOf(lines.slice(0, SAMPLE_LINES));
  const joiner = joinerFor(nature);
  const joined = [...lines.flatMap((line) => joiner.push(line)), ...joiner.end()];
  return nature.newestFirst ? joined.reverse() : joined;
}
