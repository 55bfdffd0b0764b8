/**
 * Console rows of one guest that were read and not decided on yet. Limited by rows and objects as well as by bytes: what
 * is beyond is left out in the middle, and counted.
 */
import { isKernelLine } from './kernel-line.js';
import type { Rows } from './rows.js';
import type { Mono } from '../time.js';
import { cleanText } from './clean.js';

export interface Piece extends Rows {
  /** When it was printed, as far as its source knows. */
  at: Mono;
  /** The wall clock of the same moment, in milliseconds since 1970. */
  wallMs: number;
  replayed: boolean;
}

/** Rows that nobody decides on. `repeated`: the row before them came again and again, so nothing is lost. */
export interface LeftOut {
  at: Mono;
  rows: number;
  bytes: number;
  repeated: boolean;
}

export type Item<Mark> =
  | { type: 'line'; piece: Piece; text: string }
  | ({ type: 'left-out' } & LeftOut)
  | { type: 'mark'; mark: Mark };

type Entry<Mark> =
  | { type: 'piece'; piece: Piece; /** Only what the kernel may have said is left of it. */ sifted: boolean }
  | ({ type: 'left-out' } & LeftOut)
  | { type: 'mark'; mark: Mark };

const MAX_ROWS = 65_536;
const MAX_BYTES = 4 << 20;
const MAX_ENTRIES = 16_384;
/** What a kernel may have said of a dump of ours has more room. */
const PRIORITY = 4;
/** Equal rows in succession that are decided on one by one: more than any kernel prints. */
const MAX_EQUAL = 100;
/** In units of `read`: a line costs one and this share of its length; an equal row next to nothing. */
const PER_CHARACTER = 1 / 256;
const PER_EQUAL = 1 / 32;

const NEWLINE = 10;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class Backlog<Mark> {
  rows = 0;
  bytes = 0;
  private entries: Entry<Mark>[] = [];
  private head = 0;
  /** What was left after it was thinned: it is not thinned again for each row. */
  private floor = 0;
  private reading: { piece: Piece; text: string; at: number } | null = null;
  /** Lines of a row that has many, in reverse. */
  private lines: string[] = [];
  private last = { row: '', blank: true, times: 0 };
  private equal = { rows: 0, bytes: 0, at: 0 };

  get empty(): boolean {
    return this.reading === null && this.lines.length === 0 && this.head === this.entries.length;
  }

  push(piece: Piece): void {
    this.entries.push({ type: 'piece', piece, sifted: false });
    this.rows += piece.count;
    this.bytes += piece.bytes.length;
  }

  /** Comes back between the rows before and behind it. */
  mark(mark: Mark): void {
    this.entries.push({ type: 'mark', mark });
  }

  /**
   * Leaves out the middle of what is too much; `first` keeps there what the kernel may have said. Returns how much that
   * is.
   */
  thin(first: 'kernel' | 'any'): { rows: number; bytes: number } {
    const before = { rows: this.rows, bytes: this.bytes };
    if (this.excess > Math.max(1, this.floor)) {
      this.leaveOut(first === 'kernel' && this.excess <= PRIORITY);
      this.floor = this.excess + 1 / PRIORITY;
    }
    return { rows: before.rows - this.rows, bytes: before.bytes - this.bytes };
  }

  /** Reads on, for about so many units: a short line costs one. */
  read(units: number): { items: Item<Mark>[]; spent: number } {
    const items: Item<Mark>[] = [];
    let spent = 0;
    while (spent < units) {
      const line = this.lines.pop();
      if (line !== undefined && this.reading !== null) {
        items.push({ type: 'line', piece: this.reading.piece, text: line });
        spent += 1 + line.length * PER_CHARACTER;
      } else if (this.reading !== null) spent += this.nextRow(items);
      else if (!this.nextEntry(items)) break;
    }
    this.endEqual(items);
    if (this.empty) this.floor = 0;
    return { items, spent };
  }

  /** How often its limits it holds. */
  private get excess(): number {
    const entries = this.entries.length - this.head;
    return Math.max(this.rows / MAX_ROWS, this.bytes / MAX_BYTES, entries / MAX_ENTRIES);
  }

  private nextEntry(items: Item<Mark>[]): boolean {
    const entry = this.entries[this.head];
    if (entry === undefined) return false;
    this.head += 1;
    if (this.head === this.entries.length || this.head > MAX_ENTRIES) {
      this.entries.splice(0, this.head);
      this.head = 0;
    }
    if (entry.type === 'piece') {
      this.rows -= entry.piece.count;
      this.bytes -= entry.piece.bytes.length;
      this.reading = { piece: entry.piece, text: decoder.decode(entry.piece.bytes), at: 0 };
    } else {
      this.endEqual(items);
      items.push(entry);
    }
    return true;
  }

  /** Reads one row, as a line or many. Returns what that cost. */
  private nextRow(items: Item<Mark>[]): number {
    const { reading, last } = this;
    if (reading === null) return 0;
    const { text, at } = reading;
    if (at >= text.length) {
      this.reading = null;
      return 0;
    }
    if (isNext(text, at, last.row)) {
      if (last.blank || last.times >= MAX_EQUAL) return this.skipEqual(reading);
      reading.at += last.row.length + 1;
      last.times += 1;
    } else {
      this.endEqual(items);
      const newline = text.indexOf('\n', at);
      last.row = text.slice(at, newline === -1 ? text.length : newline);
      last.times = 1;
      reading.at += last.row.length + 1;
    }
    const lines = cleanText(last.row);
    last.blank = lines.length === 0;
    if (lines.length === 1 && lines[0] !== undefined)
      items.push({ type: 'line', piece: reading.piece, text: lines[0] });
    else this.lines = lines.reverse();
    return 1 + last.row.length * PER_CHARACTER;
  }

  /** Passes over the rows that are equal to the last. */
  private skipEqual(reading: { piece: Piece; text: string; at: number }): number {
    const { row, blank } = this.last;
    const from = reading.at;
    while (isNext(reading.text, reading.at, row)) reading.at += row.length + 1;
    const bytes = reading.at - from;
    const rows = bytes / (row.length + 1);
    if (!blank) {
      this.equal.rows += rows;
      this.equal.bytes += bytes;
      this.equal.at = reading.piece.at;
    }
    return rows * PER_EQUAL;
  }

  private endEqual(items: Item<Mark>[]): void {
    const { rows, bytes, at } = this.equal;
    if (rows === 0) return;
    items.push({ type: 'left-out', at, rows, bytes, repeated: true });
    this.equal.rows = this.equal.bytes = 0;
  }

  private leaveOut(sift: boolean): void {
    const entries = this.entries.slice(this.head);
    const first = edge(entries);
    const last = entries.length - edge(entries.slice(first).reverse());
    const thinned = entries.slice(0, first);
    for (const entry of entries.slice(first, last)) {
      if (entry.type === 'mark' || (sift && entry.type === 'piece' && entry.sifted)) thinned.push(entry);
      else if (entry.type === 'left-out') add(thinned, entry);
      else this.sift(thinned, entry.piece, sift);
    }
    this.entries = [...thinned, ...entries.slice(last)];
    this.head = 0;
  }

  private sift(thinned: Entry<Mark>[], piece: Piece, keep: boolean): void {
    const kept = keep ? kernelRows(piece) : { bytes: new Uint8Array(0), count: 0 };
    const [rows, bytes] = [piece.count - kept.count, piece.bytes.length - kept.bytes.length];
    this.rows -= rows;
    this.bytes -= bytes;
    if (rows > 0) add(thinned, { type: 'left-out', at: piece.at, rows, bytes, repeated: false });
    if (kept.count > 0) thinned.push({ type: 'piece', piece: { ...piece, ...kept }, sifted: true });
  }
}

const isNext = (text: string, at: number, row: string): boolean =>
  text.charCodeAt(at + row.length) === NEWLINE && text.startsWith(row, at);

/** How many entries from its beginning are kept: a quarter of what there is room for. */
function edge(entries: readonly Entry<unknown>[]): number {
  let [rows, bytes] = [0, 0];
  const end = entries.findIndex((entry, index) => {
    if (entry.type === 'piece') {
      rows += entry.piece.count;
      bytes += entry.piece.bytes.length;
    }
    return rows > MAX_ROWS / 4 || bytes > MAX_BYTES / 4 || index >= MAX_ENTRIES / 4;
  });
  return end === -1 ? entries.length : end;
}

function add<Mark>(entries: Entry<Mark>[], more: { type: 'left-out' } & LeftOut): void {
  const last = entries.at(-1);
  if (last?.type !== 'left-out' || last.repeated !== more.repeated) entries.push({ ...more });
  else {
    last.rows += more.rows;
    last.bytes += more.bytes;
    last.at = more.at;
  }
}

function kernelRows({ bytes }: Piece): Rows {
  const rows = decoder.decode(bytes).split('\n').filter(isKernelLine);
  return { bytes: encoder.encode(rows.map((row) => `${row}\n`).join('')), count: rows.length };
}

const encoder = new TextEncoder();
