/**
 * What loggers, mailers and dmesg put in front of a kernel line, in any order and number: quotes, dates, host and tag,
 * priorities, printk's own time and caller.
 */
import { stripPrintk } from './printk.js';

const CLOCK = '\\d\\d:\\d\\d:\\d\\d(?:[.,]\\d{1,9})?';
const ISO = `\\d{4}-\\d\\d-\\d\\d[T ]${CLOCK}(?: ?(?:Z|UTC|[+-]\\d\\d:?\\d\\d))?`;
const SYSLOG = `[A-Z][a-z]{2} [ \\d]?\\d (?:\\d{4} )?${CLOCK}(?: \\d{4})?`;
const DATE = `(?:[A-Z][a-z]{2},? )?(?:${ISO}|${SYSLOG}|${CLOCK}|\\d{10}\\.\\d{3,6})`;
/** `host kernel: `, `host qemu-system@vm[12]: `, and RFC 5424's `host kernel - - - `. */
const TAG = '(?:\\S{1,128} )?(?:kernel(?: - - -|:)|[\\w@.\\\\-]{1,128}\\[\\d{1,10}\\]:) ?';
/** `host 6,1234,56789,-;`: what a netconsole sent, in the file of a syslog. */
const SENT = '\\S{1,128} (?=\\d{1,3},\\d{1,20},\\d{1,18},)';
const DATED = new RegExp(`^(?:\\[${DATE}\\]:?|${DATE}:?)(?: +|$)(?:${TAG}|${SENT})?`);

const OTHERS: readonly RegExp[] = [
  // syslog's priority, with the version of RFC 5424
  /^<\d{1,3}>(?:1 (?=\d{4}-))?/,
  // dmesg -x
  /^(?:kern|user|mail|daemon|auth|syslog|lpr|news|uucp|cron|authpriv|ftp|local\d) *:(?:emerg|alert|crit|err|warn|notice|info|debug) *: ?/,
  // dmesg -d and -e
  /^\[ *(?:\d{1,10}\.\d{6} )?[<+] *\d{1,10}\.\d{6}>?\] ?/,
  // journalctl -o short-monotonic behind the time, and what wall prints
  /^(?:[\w.-]{1,64} )?kernel: ?/,
  // vendors of phones: the CPU and the task that printed it
  /^(?:[.~-]?\(\d\) ?)?\[ *\d{1,5}: *[^\][]{1,32}\] ?/,
];
/** Netconsole's extended form and /dev/kmsg: priority, number, microseconds, flags. */
const KMSG = /^\d{1,3},\d{1,20},(\d{1,18}),[^;]{1,40};/;
const QUOTE = /^(?:> ?)+/;
/** A kernel line glued behind another writer's text: only the full form, so that prose is not cut. */
const GLUED = /\[ *(\d{1,10}\.\d{6})\](?: ?\[ *[TC]\d{1,10}\])? /;
/** More than any logger stacks up. */
const MAX_PREFIXES = 6;

interface Stripped {
  text: string;
  /** Printk time in seconds since the kernel started, where the line has one. */
  seconds: number | null;
}

/** Takes all known prefixes off a console line, and any other writer's text in front of them. */
export function stripPrefix(line: string): Stripped {
  let text = line.trim();
  let seconds: number | null = null;
  if (text.startsWith('>')) text = text.replace(QUOTE, '').trimStart();
  for (let round = 0; round < MAX_PREFIXES; round += 1) {
    const own = stripPrintk(text);
    seconds ??= own.time;
    const bare = own.text.trimStart();
    const rest = withoutLogger(bare);
    seconds ??= rest.seconds;
    text = rest.text;
    // Behind printk's own prefix comes the line, unless something was in between.
    if (rest.text.length === bare.length) break;
  }
  if (seconds !== null || !text.includes('[')) return { text, seconds };
  const glued = GLUED.exec(text);
  if (!glued) return { text, seconds };
  return { text: text.slice(glued.index + glued[0].length).trim(), seconds: Number(glued[1]) };
}

/** What a logger's prefix begins with; few frames do. */
const MAY_BEGIN = /^(?:[[<(.~\d-]|[A-Z][a-z]{2}[ ,]|[a-z]{3,8}\d? *:)/;

function withoutLogger(text: string): Stripped {
  if (text.startsWith('[<') || !(MAY_BEGIN.test(text) || text.includes('kernel:')))
    return { text, seconds: null };
  const dated = DATED.exec(text);
  if (dated) return { text: text.slice(dated[0].length).trimStart(), seconds: null };
  const kmsg = KMSG.exec(text);
  if (kmsg) return { text: text.slice(kmsg[0].length).trimStart(), seconds: Number(kmsg[1]) / 1e6 };
  for (const other of OTHERS) {
    const found = other.exec(text);
    if (found) return { text: text.slice(found[0].length).trimStart(), seconds: null };
  }
  return { text, seconds: null };
}
