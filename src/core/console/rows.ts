/** Cuts a stream of console bytes into rows. */

/** As long as journald lets a row grow (LineMax=). */
const MAX_ROW = 48 << 10;
const NEWLINE = 10;

/** Rows end at `\n`, which they do not include, or after 48 KiB. Memory is bounded by one row. */
export class RowSplitter {
  private readonly partial = new Uint8Array(MAX_ROW);
  private filled = 0;

  /** Rows that this chunk completes, as copies. */
  push(chunk: Uint8Array): Uint8Array[] {
    const rows: Uint8Array[] = [];
    for (let at = 0; at < chunk.length;) {
      const newline = chunk.indexOf(NEWLINE, at);
      const room = at + MAX_ROW - this.filled;
      const end = Math.min(newline === -1 ? chunk.length : newline, room);
      this.partial.set(chunk.subarray(at, end), this.filled);
      this.filled += end - at;
      at = end;
      if (at === newline) at += 1;
      else if (this.filled < MAX_ROW) break;
      rows.push(this.take());
    }
    return rows;
  }

  /** Bytes of the row under way. */
  get pending(): number {
    return this.filled;
  }

  /** The row under way, at the end of the stream; null where there is none. */
  flush(): Uint8Array | null {
    return this.filled === 0 ? null : this.take();
  }

  private take(): Uint8Array {
    const row = this.partial.slice(0, this.filled);
    this.filled = 0;
    return row;
  }
}
