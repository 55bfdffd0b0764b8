/** Cuts a stream of console bytes into rows. */

/** As long as journald lets a row grow (LineMax=). */
const MAX_ROW = 48 << 10;
const MAX_ROWS = 1024;
const NEWLINE = 10;
/** A call out of JavaScript finds the end of a long row sooner, a loop that of a short one. */
const NEAR = 16;

/** Whole rows, each with its newline behind it; at most 1024. One object for all: a row may be a single byte. */
export interface Rows {
  bytes: Uint8Array;
  count: number;
}

/** Rows end at `\n`, or after 48 KiB. Memory is bounded by one row. */
export class RowSplitter {
  private readonly partial = new Uint8Array(MAX_ROW);
  private filled = 0;

  /** Rows that this chunk completes, as copies. */
  take(chunk: Uint8Array): Rows[] {
    const taken: Rows[] = [];
    let [given, at, count] = [0, 0, 0];
    // Of the row under way, from the chunks before.
    let held = this.filled;
    const give = (end: number, cut: boolean) => {
      taken.push({ bytes: this.joined(chunk.subarray(given, end), cut), count });
      given = end;
      count = 0;
    };
    for (;;) {
      const newline = nextNewline(chunk, at);
      const length = (newline === -1 ? chunk.length : newline) - at;
      const room = MAX_ROW - held;
      const cut = length > room || (newline === -1 && length === room);
      if (!cut && newline === -1) break;
      at = cut ? at + room : newline + 1;
      held = 0;
      count += 1;
      if (cut || count === MAX_ROWS) give(at, cut);
    }
    if (count > 0) give(at, false);
    this.partial.set(chunk.subarray(at), this.filled);
    this.filled += chunk.length - at;
    return taken;
  }

  /** The same, a row each, without their newlines. */
  push(chunk: Uint8Array): Uint8Array[] {
    return this.take(chunk).flatMap(({ bytes }) => rowsIn(bytes));
  }

  /** Bytes of the row under way. */
  get pending(): number {
    return this.filled;
  }

  /** The row under way, at the end of the stream; null where there is none. */
  flush(): Uint8Array | null {
    if (this.filled === 0) return null;
    return this.joined(new Uint8Array(0), false);
  }

  private joined(more: Uint8Array, cut: boolean): Uint8Array {
    const bytes = new Uint8Array(this.filled + more.length + Number(cut));
    bytes.set(this.partial.subarray(0, this.filled));
    bytes.set(more, this.filled);
    if (cut) bytes[bytes.length - 1] = NEWLINE;
    this.filled = 0;
    return bytes;
  }
}

/** A row of its own, as `Rows`. */
export function asRows(row: Uint8Array): Rows {
  const bytes = new Uint8Array(row.length + 1);
  bytes.set(row);
  bytes[row.length] = NEWLINE;
  return { bytes, count: 1 };
}

function rowsIn(bytes: Uint8Array): Uint8Array[] {
  const rows: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const newline = nextNewline(bytes, at);
    rows.push(bytes.subarray(at, newline));
    at = newline + 1;
  }
  return rows;
}

function nextNewline(bytes: Uint8Array, from: number): number {
  const near = Math.min(from + NEAR, bytes.length);
  for (let at = from; at < near; at += 1) if (bytes[at] === NEWLINE) return at;
  return near === bytes.length ? -1 : bytes.indexOf(NEWLINE, near);
}
