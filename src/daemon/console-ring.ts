/** The newest console rows of a guest, byte for byte. */
import { cleanText } from '../core/console/clean.js';
import type { Rows } from '../core/console/rows.js';

const MAX_BYTES = 1 << 20;
const NEWLINE = 10;

export class ConsoleRing {
  private parts: Rows[] = [];
  private rows = 0;
  private bytes = 0;
  private pushed = 0;

  constructor(private readonly maxRows: number) {}

  /** Keeps them as they are: they must not be views of a larger buffer. */
  push(rows: Rows): void {
    this.parts.push(rows);
    this.rows += rows.count;
    this.pushed += rows.count;
    this.bytes += rows.bytes.length;
    if (this.rows < 2 * this.maxRows && this.bytes < 2 * MAX_BYTES) return;
    const bytes = this.raw();
    this.parts = [{ bytes, count: Math.min(this.rows, this.maxRows) }];
    this.rows = Math.min(this.rows, this.maxRows);
    this.bytes = bytes.length;
  }

  /** Not all that was pushed is kept. */
  get isCut(): boolean {
    return this.raw().reduce((rows, byte) => rows + Number(byte === NEWLINE), 0) < this.pushed;
  }

  /** The rows with their newlines. */
  raw(): Buffer {
    const all = Buffer.concat(this.parts.map(({ bytes }) => bytes));
    // The newline of the row before the first that is kept.
    let start = all.length - 1;
    for (let rows = 0; rows < this.maxRows && start >= 0; rows += 1) {
      const before = start === 0 ? -1 : all.lastIndexOf(NEWLINE, start - 1);
      if (all.length - before - 1 > MAX_BYTES) break;
      start = before;
    }
    return all.subarray(start + 1);
  }

  lines(): string[] {
    return this.raw().toString('utf8').split('\n').flatMap(cleanText);
  }
}
