/**
 * The journal's export format, as systemd documents it (Journal Export Formats): `NAME=value\n`, or for a value with
 * bytes that are not printable text `NAME\n`, 8 bytes of little-endian length, the value, `\n`. An empty line ends
 * an entry. Fields come in any order, and names that begin with `__` are about the entry: systemd 254 added
 * `__SEQNUM` and `__SEQNUM_ID`, and later ones may add more.
 */
import { type EntryHead, missingIn, readHead, readHeadField } from './entry-head.js';

export interface JournalEntry extends EntryHead {
  /** Every other field but MESSAGE, without those that begin with `__`. */
  fields: ReadonlyMap<string, string>;
  /** Byte for byte what was logged; empty where the entry has no MESSAGE. */
  message: Uint8Array;
}

/** Console rows end at 48 KiB; this leaves room for what else may log into a watched unit. */
const MAX_ENTRY = 16 << 20;
/** journald stores no longer field (DATA_SIZE_MAX of its journal-file.h). */
const MAX_VALUE = 768 << 20;
/** The fields that place an entry come first, and are short. */
const MAX_HEAD = 64 << 10;
/** As many as journald itself takes (ENTRY_FIELD_COUNT_MAX); a field of a byte costs an object all the same. */
const MAX_FIELDS = 1_024;
const NEWLINE = 10;
const EQUALS = 61;
const MESSAGE = 'MESSAGE';
const NOTHING = new Uint8Array(0);

/** Turns chunks, cut anywhere, into entries. After it has thrown it must not be used again. */
export class ExportParser {
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  private readonly common = new CommonFields();
  private buffer = new Uint8Array(256 << 10);
  private filled = 0;
  /** What is filled: behind it are bytes of earlier chunks, through which a search would go for nothing. */
  private held = this.buffer.subarray(0, 0);
  /** Where the entry under way starts, its next field, and up to where that field holds no newline. */
  private entryAt = 0;
  private fieldAt = 0;
  private searched = 0;
  /** Where text fields start that are not decoded yet: one decode for a run of them is what makes this fast. */
  private textAt = 0;
  private text = '';
  private binaries: [name: string, value: string][] = [];
  private fields = 0;
  private message: Uint8Array | null = null;
  /** So many bytes to come are dropped; Infinity: up to a newline. */
  private dropping = 0;
  /** How often something beyond 16 MiB was left out of an entry, which comes without it. */
  leftOut = 0;

  /** Entries that this chunk completes. Throws when the bytes are no export format. */
  push(chunk: Uint8Array): JournalEntry[] {
    this.append(this.dropping === 0 ? chunk : this.behindDropped(chunk));
    const entries: JournalEntry[] = [];
    while (this.fieldAt < this.filled && this.field(entries));
    if (this.filled - this.entryAt > MAX_ENTRY) this.shed();
    return entries;
  }

  /** Keeps of an entry that is too long what it began with: without its cursor, reading would come back to it for ever. */
  private shed(): void {
    this.takeText(this.fieldAt);
    this.text = this.text.slice(0, this.text.lastIndexOf('\n', MAX_HEAD) + 1);
    this.binaries = [];
    this.entryAt = this.textAt = this.fieldAt;
    this.leftOut += 1;
    if (this.filled - this.fieldAt > MAX_ENTRY) this.drop(Infinity);
  }

  /** Drops the field under way, and so many bytes that are still to come of it. */
  private drop(bytes: number): void {
    this.dropping = bytes;
    this.filled = this.textAt = this.fieldAt;
    this.next(this.fieldAt);
  }

  private behindDropped(chunk: Uint8Array): Uint8Array {
    const newline = this.dropping === Infinity ? chunk.indexOf(NEWLINE) : -1;
    if (newline !== -1) this.dropping = newline + 1;
    const dropped = Math.min(this.dropping, chunk.length);
    this.dropping -= dropped;
    return chunk.subarray(dropped);
  }

  /** Reads one field or the end of an entry; false where more bytes are needed. */
  private field(entries: JournalEntry[]): boolean {
    const { buffer, fieldAt: start } = this;
    const newline = this.find(NEWLINE, Math.max(start, this.searched));
    if (newline === -1) {
      this.searched = this.filled;
      return false;
    }
    if (newline === start) {
      this.takeText(start);
      this.finish(entries);
      this.next(start + 1);
      this.fields = 0;
      this.entryAt = this.textAt = start + 1;
      return true;
    }
    if (startsWithMessage(buffer, start) && buffer[start + MESSAGE.length] === EQUALS) {
      this.takeText(start);
      this.message = copy(buffer, start + MESSAGE.length + 1, newline);
      this.next(newline + 1);
      this.textAt = newline + 1;
      return true;
    }
    if (!hasEquals(buffer, start, newline)) return this.binary(start, newline);
    this.next(newline + 1);
    if (this.fields > MAX_FIELDS) {
      this.takeText(start);
      this.textAt = newline + 1;
    }
    return true;
  }

  private binary(start: number, newline: number): boolean {
    const valueAt = newline + 9;
    if (this.filled < valueAt) return false;
    const view = new DataView(this.buffer.buffer, newline + 1, 8);
    const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
    const name = this.decoder.decode(this.buffer.subarray(start, newline));
    if (length > MAX_VALUE)
      throw new Error(`journalctl prints a ${name} field of ${length} bytes, or no export format`);
    const end = valueAt + length;
    if (end - this.entryAt > MAX_ENTRY && this.filled <= end) {
      this.takeText(start);
      this.leftOut += 1;
      this.drop(end + 1 - this.filled);
      return false;
    }
    if (this.filled <= end) return false;
    if (this.buffer[end] !== NEWLINE)
      throw new Error(`journalctl's output is not in export format near field ${name}`);
    this.takeText(start);
    if (name === MESSAGE) this.message = copy(this.buffer, valueAt, end);
    else if (this.fields <= MAX_FIELDS)
      this.binaries.push([name, this.decoder.decode(this.buffer.subarray(valueAt, end))]);
    this.next(end + 1);
    this.textAt = end + 1;
    return true;
  }

  private takeText(end: number): void {
    if (end === this.textAt) return;
    const text = this.decoder.decode(this.buffer.subarray(this.textAt, end));
    this.text = this.text === '' ? text : this.text + text;
    this.textAt = end;
  }

  private finish(entries: JournalEntry[]): void {
    const { text, binaries, message } = this;
    if (text === '' && binaries.length === 0 && message === null) return;
    const entry: JournalEntry = {
      cursor: '',
      realtimeMs: Number.NaN,
      monotonicMs: Number.NaN,
      bootId: '',
      fields: NO_FIELDS,
      message: message ?? NOTHING,
    };
    const others = binaries.filter(([name, value]) => !readHeadField(entry, name, value));
    const fields = this.common.of(text.slice(readHead(entry, text)), entry);
    entry.fields = others.length === 0 ? fields : new Map([...fields, ...others]);
    const lacks = missingIn(entry);
    if (lacks !== null)
      throw new Error(`journalctl prints an entry without ${lacks}, in a format that is not known here`);
    entries.push(entry);
    this.text = '';
    this.binaries = [];
    this.message = null;
  }

  private next(at: number): void {
    this.fieldAt = at;
    this.searched = at;
    this.fields += 1;
  }

  private find(byte: number, from: number): number {
    return this.held.indexOf(byte, from);
  }

  /** Moves what is left of the last chunk to the front; the buffer doubles only for an entry that needs it. */
  private append(chunk: Uint8Array): void {
    const kept = this.filled - this.entryAt;
    const room = this.buffer.length;
    if (kept + chunk.length > room) {
      const larger = new Uint8Array(Math.max(room * 2, kept + chunk.length));
      larger.set(this.buffer.subarray(this.entryAt, this.filled));
      this.buffer = larger;
    } else if (this.entryAt > 0) {
      this.buffer.copyWithin(0, this.entryAt, this.filled);
    }
    this.fieldAt -= this.entryAt;
    this.searched -= this.entryAt;
    this.textAt -= this.entryAt;
    this.entryAt = 0;
    this.buffer.set(chunk, kept);
    this.filled = kept + chunk.length;
    this.held = this.buffer.subarray(0, this.filled);
  }
}

const NO_FIELDS: ReadonlyMap<string, string> = new Map();

/** The fields in lines that are none of the entry's own; what are its own goes into it. */
function fieldsIn(lines: string, entry: JournalEntry): { fields: Map<string, string>; text: string } {
  const fields = new Map<string, string>();
  let text = '';
  for (let at = 0; at < lines.length;) {
    const newline = lines.indexOf('\n', at);
    const equals = lines.indexOf('=', at);
    const [name, value] = [lines.slice(at, equals), lines.slice(equals + 1, newline)];
    if (!readHeadField(entry, name, value)) {
      fields.set(name, value);
      text += lines.slice(at, newline + 1);
    }
    at = newline + 1;
  }
  return { fields, text };
}

/** All rows of a guest share unit, process and transport: they are parsed once, and the entries share one Map. */
class CommonFields {
  /** Only texts without a field of the entry itself. */
  private readonly known = new Map<string, ReadonlyMap<string, string>>();
  /** A guest that talks much talks in many entries on end; to compare is faster than to hash. */
  private last: [text: string, fields: ReadonlyMap<string, string>] = ['', NO_FIELDS];

  /** The fields in these lines; the entry's own among them go into the entry. */
  of(lines: string, entry: JournalEntry): ReadonlyMap<string, string> {
    if (lines === this.last[0]) return this.last[1];
    const known = this.known.get(lines);
    if (known !== undefined) {
      this.last = [lines, known];
      return known;
    }
    const { fields, text } = fieldsIn(lines, entry);
    return this.shared(text, fields);
  }

  private shared(text: string, fields: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
    const known = this.known.get(text);
    if (known !== undefined) return known;
    if (text.length > 1024) return fields;
    if (this.known.size >= 1024) this.known.clear();
    this.known.set(text, fields);
    return fields;
  }
}

/** Names are short: a loop is faster than a call out of JavaScript. */
function hasEquals(buffer: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at += 1) if (buffer[at] === EQUALS) return true;
  return false;
}

function startsWithMessage(buffer: Uint8Array, at: number): boolean {
  for (let i = 0; i < MESSAGE.length; i += 1) if (buffer[at + i] !== MESSAGE.charCodeAt(i)) return false;
  return true;
}

/** A view would keep the whole buffer alive for as long as anyone keeps the line. */
function copy(buffer: Uint8Array, from: number, to: number): Uint8Array {
  return buffer.slice(from, to);
}
