/** Lines within a dump that are part of none: what the reader did not understand, or other writers' text. */
import { isUnreadLine } from '../console/report-lines.js';
import type { Dump } from '../model.js';

const EXAMPLES = 5;
const EXAMPLE_MAX = 160;
const ANNOUNCES =
  /^[^[\]+]{3,100}\b(?:stack|trace|thread|task|process|worker|holder|owner)\b[^[\]+]{0,100}:$/i;

/** Counts them; what follows the last line that is surely part of the dump is left out, unless a fence comes. */
export class Unplaced {
  private lines = 0;
  private pending: string[] = [];
  private more = 0;
  private readonly examples: string[] = [];

  /** The line before announced a stack, in somebody's own words. */
  announces = false;

  /** A line that nothing wanted; somebody's own words only where `prose`. */
  add(text: string, prose: boolean): void {
    this.announces = prose && ANNOUNCES.test(text);
    if (text === '' || isUnreadLine(text)) return;
    if (this.pending.length < EXAMPLES) this.pending.push(text.slice(0, EXAMPLE_MAX));
    else this.more += 1;
  }

  /** The dump went on behind it. */
  settle(): void {
    this.announces = false;
    if (this.pending.length === 0) return;
    this.lines += this.pending.length + this.more;
    this.examples.push(...this.pending.slice(0, EXAMPLES - this.examples.length));
    this.pending = [];
    this.more = 0;
  }

  get found(): Dump['unplaced'] {
    return this.lines === 0 ? undefined : { lines: this.lines, examples: this.examples };
  }
}
