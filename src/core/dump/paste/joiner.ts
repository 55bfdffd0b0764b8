/** Puts lines together again that a mailer, a bug tracker or a terminal has broken. */
import { findKernelLine } from '../../kernel-lines/find.js';
import type { Part, Prefixes } from './prefixes.js';
import {
  awaitsFlags,
  awaitsFrame,
  awaitsModule,
  isRestOfFrame,
  isRestOfHeader,
  isUnfinished,
  standsAlone,
} from './shapes.js';
import { isFull, type Wrapping } from './wrapping.js';

/** More than the longest line of a kernel, HELP, has at 40 columns. */
const ROWS_MAX = 40;
/** So many rows are tried before a line without an end is left as it is: what is tried again is bounded by them. */
const TRIED_MAX = 6;
const LINE_MAX = 2000;
/** Quoted-printable ends a row of 76 columns so where its line goes on. */
const SOFT_BREAK = /^.{72,76}=$/;

interface Held {
  rows: Part[];
  /** What the rows are together, `text` without its prefixes. */
  body: string;
  text: string;
  /** So many of the rows surely belong together, and make `sure`. */
  count: number;
  sure: string;
}

/** Takes the lines of one log in the order of its file; memory is that of one line. */
export class Joiner {
  private held: Held | null = null;

  constructor(
    private readonly prefixes: Prefixes,
    private readonly wrapping: Wrapping | null,
  ) {}

  /** Lines that this one completes. */
  push(line: string): string[] {
    return this.take([this.prefixes.part(line)]);
  }

  /** What is left at the end. */
  end(): string[] {
    const out: string[] = [];
    while (this.held) {
      const { sure, rest } = this.release(this.held);
      out.push(sure, ...this.take(rest));
    }
    return out;
  }

  private take(waiting: Part[]): string[] {
    const out: string[] = [];
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      if (this.held) {
        if (this.extend(this.held, next)) continue;
        const { sure, rest } = this.release(this.held);
        out.push(sure);
        waiting.unshift(...rest, next);
      } else if (this.mayGoOn(next)) this.held = hold(next);
      else out.push(next.body);
    }
    return out;
  }

  private release({ sure, rows, count }: Held): { sure: string; rest: Part[] } {
    this.held = null;
    return { sure, rest: rows.slice(count) };
  }

  private mayGoOn({ text, stamped, raw }: Part): boolean {
    return (
      (this.wrapping !== null && stamped) ||
      awaitsFrame(text) ||
      awaitsModule(text) ||
      awaitsFlags(text) ||
      isUnfinished(text) ||
      SOFT_BREAK.test(raw)
    );
  }

  private extend(held: Held, next: Part): boolean {
    const last = held.rows.at(-1);
    if (!last || next.stamped || held.rows.length >= ROWS_MAX || held.body.length > LINE_MAX) return false;
    if (SOFT_BREAK.test(last.raw)) return append(held, next, 0, true, 1);
    if (this.wrapping && held.rows[0]?.stamped === true && isFull(last.columns, next, this.wrapping))
      return findKernelLine(next.text) === null && this.refill(held, last, next, this.wrapping);
    if (isRestOfFrame(held.text, next.text) || isRestOfHeader(held.text, next.text))
      return append(held, next, 1, true);
    return this.attempt(held, next);
  }

  /** Only what becomes a whole line in the end stays together. */
  private attempt(held: Held, next: Part): boolean {
    if (!isUnfinished(held.text) || standsAlone(next.text)) return false;
    if (held.rows.length - held.count >= TRIED_MAX) return false;
    const apart = !isUnfinished(`${held.text} ${next.text}`);
    const together = !apart && !isUnfinished(held.text + next.text);
    return append(held, next, together ? 0 : 1, apart || together);
  }

  private refill(held: Held, last: Part, next: Part, { hard, columns }: Wrapping): boolean {
    if (!hard) return append(held, next, 1, true);
    // Blanks at the end of a row were cut off, those at the beginning of the next are its own.
    const blanks = ' '.repeat(Math.max(0, columns - last.columns));
    return append(held, { ...next, text: blanks + next.raw }, 0, true);
  }
}

const hold = (part: Part): Held => ({
  rows: [part],
  body: part.body,
  text: part.text,
  count: 1,
  sure: part.body,
});

/** `cut`: characters at the end that only said that the line goes on. */
function append(held: Held, next: Part, blanks: number, sure: boolean, cut = 0): true {
  const between = ' '.repeat(blanks);
  // A mail that may be wrapped anew (format=flowed) keeps a blank at the end of its first row.
  const flowed = blanks === 1 && held.rows.length === 1 && held.rows[0]?.raw.endsWith(' ') === true;
  const body = flowed ? held.body.trimEnd() : held.body;
  held.rows.push(next);
  held.body = body.slice(0, body.length - cut) + between + next.text;
  held.text = held.text.slice(0, held.text.length - cut) + between + next.text;
  if (sure) {
    held.count = held.rows.length;
    held.sure = held.body;
  }
  return true;
}
