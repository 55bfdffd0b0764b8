/**
 * From the bytes of one console row to lines that are safe to show, store and parse. Several writers share a console,
 * so that one row may hold a status line, its redraws, and a kernel line stuck to their end.
 */
import stripAnsi from 'strip-ansi';
import { replaceUnsafe } from '../printable.js';

/** A kernel record is about 1 KiB at most; what is longer comes from programs and is cut. */
const MAX_LINE = 4096;

/**
 * The start of a kernel line within a row: the seconds of a printk stamp are padded to five columns, and a blank or
 * a caller id follows. Prose (`took [1.234567] s`) and a frame's `[module]` are no such thing.
 */
const STAMP = /\[(?=[ \d]{5,10}\.) *\d{1,10}\.\d{6}\](?=(?: ?\[ *[TC]\d+\])? )/g;

/** What loggers put before a stamp; the line is theirs as a whole. */
const LOGGER = /(?:^|\s)kernel:\s*$|^\s*<\d{1,3}>$|^\s*\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d\S{0,16}\s*$/;

/** Not printable ASCII. */
const SUSPECT = /[^ -~]/;
/** An escape sequence that the end of the text, or a kernel line cutting in, left without its end. */
// eslint-disable-next-line no-control-regex -- removing control characters is the purpose
const TORN_ESCAPE = /(?:\u001b\[|\u009b)[0-?]*[ -/]*$/;
/** The opener of a string (title, hyperlink) that is never closed: only the opener goes, the rest may be a message. */
// eslint-disable-next-line no-control-regex -- as above
const OPEN_STRING = /\u001b[\]PX^_k]/g;

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * The logical lines in one row (without its newline): bad UTF-8 replaced, escape sequences and control characters
 * removed, split where a carriage return starts over and where a kernel line was glued on. Blank ones are left out.
 * A line ends after 4096 characters with `…`.
 */
export function cleanRow(row: Uint8Array): string[] {
  return cleanText(decoder.decode(row));
}

/** The same of a row that is decoded already. */
export function cleanText(text: string): string[] {
  const lines: string[] = [];
  if (!SUSPECT.test(text)) {
    addParts(lines, text);
    return lines;
  }
  for (const segment of text.replaceAll('\0', '').split(/[\r\n]+/)) {
    // A row may be made of nothing but redraws of a few bytes each.
    if (!SUSPECT.test(segment)) addParts(lines, segment);
    else for (const part of splitStamps(segment)) add(lines, plain(part));
  }
  return lines;
}

function addParts(lines: string[], text: string): void {
  if (!mayHoldStamp(text)) add(lines, text);
  else for (const part of splitStamps(text)) add(lines, part);
}

function splitStamps(text: string): string[] {
  if (!mayHoldStamp(text)) return [text];
  const parts: string[] = [];
  let start = 0;
  for (const { index } of text.matchAll(STAMP)) {
    const head = text.slice(start, index);
    if (head === '' || (head.length < 256 && LOGGER.test(head))) continue;
    parts.push(head);
    start = index;
  }
  parts.push(text.slice(start));
  return parts;
}

/** Behind the line's first character a bracket with a blank or a digit in it; a frame's `[module]` has neither. */
function mayHoldStamp(text: string): boolean {
  for (let at = text.indexOf('[', 1); at !== -1; at = text.indexOf('[', at + 1)) {
    const next = text.charCodeAt(at + 1);
    if (next === 0x20 || (next >= 0x30 && next <= 0x39)) return true;
  }
  return false;
}

function plain(text: string): string {
  const bare = stripAnsi(text).replace(TORN_ESCAPE, '').replace(OPEN_STRING, '').replaceAll('\t', ' ');
  return replaceUnsafe(bare, () => '');
}

function add(lines: string[], line: string): void {
  const cut = line.length > MAX_LINE ? `${whole(line.slice(0, MAX_LINE - 1))}…` : line.trimEnd();
  if (cut.trim() !== '') lines.push(cut);
}

/** Without half a pair at its end. */
const whole = (cut: string): string => cut.replace(/[\ud800-\udbff]$/, '');
