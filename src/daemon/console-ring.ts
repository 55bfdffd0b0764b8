/** The newest console rows of a guest, byte for byte. */
import { cleanRow } from '../core/console/clean.js';

const MAX_BYTES = 1 << 20;

export class ConsoleRing {
  private rows: Uint8Array[] = [];
  private bytes = 0;
  private pushed = 0;

  constructor(private readonly maxRows: number) {}

  /** Keeps a copy: the row may be a view of a much larger buffer. */
  push(row: Uint8Array): void {
    this.rows.push(row.slice());
    this.bytes += row.length;
    this.pushed += 1;
    if (this.rows.length < 2 * this.maxRows && this.bytes < 2 * MAX_BYTES) return;
    this.rows = this.newest();
    this.bytes = this.rows.reduce((sum, { length }) => sum + length, 0);
  }

  /** The rows with their newlines back. */
  raw(): Uint8Array {
    return Buffer.concat(this.newest().flatMap((row) => [row, NEWLINE]));
  }

  /** Not all that was pushed is kept. */
  get isCut(): boolean {
    return this.newest().length < this.pushed;
  }

  clear(): void {
    this.rows = [];
    this.bytes = 0;
    this.pushed = 0;
  }

  lines(): string[] {
    return this.newest().flatMap((row) => cleanRow(row));
  }

  private newest(): Uint8Array[] {
    let start = Math.max(0, this.rows.length - this.maxRows);
    let bytes = this.rows.slice(start).reduce((sum, { length }) => sum + length, 0);
    while (bytes > MAX_BYTES) bytes -= this.rows[start++]?.length ?? bytes;
    return this.rows.slice(start);
  }
}

const NEWLINE = Uint8Array.of(10);
