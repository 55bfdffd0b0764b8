/**
 * Learns what loggers of any kind and language put in front of a kernel's lines: wherever a phrase of the kernel
 * stands behind something unknown, that is a prefix, and lines that begin alike have it too. For logs that people
 * paste; a live console is read strictly, since its guest must not choose what is overlooked.
 */
import { stripPrefix } from '../../console/prefix.js';

/** Words that hardly anybody but a kernel writes. */
const PHRASE = new RegExp(
  [
    'INFO: task \\S.{0,63}?:\\d{1,10} (?:<\\w+> )?(?:is )?blocked\\b',
    '(?:rcu: )?INFO: rcu_\\w+ (?:self-)?detected ',
    '(?:(?:NMI )?watchdog: )?BUG: soft lockup - CPU#\\d',
    '(?:(?:NMI )?watchdog: )?Watchdog detected hard LOCKUP on cpu',
    'BUG: workqueue lockup - pool',
    'Kernel panic - not syncing: ',
    'Call [Tt]race:$',
    'task:\\S.{0,14} *state:[A-Z]\\b',
    'sysrq: Show (?:Blocked )?State',
    'SysRq : Show (?:Blocked )?State',
    'CPU: \\d{1,5} (?:UID: \\d+ )?PID: \\d{1,10} Comm: ',
  ].join('|'),
);
const MAY_HOLD = /INFO: |BUG: |LOCKUP|panic|race:$|task:|ys[rR]q ?: |Comm: /;

const CLOCK = /^.*?\d{1,2}:\d\d(?::\d\d)?(?:[.,]\d+)?/;
const TOKENS = /\d+|\p{L}+\.?|\s+|[^\d\p{L}\s]/gu;
const PREFIX_MAX = 120;
const KEPT = 8;
const QUOTE = /^(?:> ?)+/;

/** Prose that quotes a phrase, which is no line of a log. */
const QUOTED = /(?:^|[\s(])["'`“‘]$/;

interface Shape {
  source: string;
  pattern: RegExp;
  /** A number is in it: a time, most likely, which a line has once. */
  counts: boolean;
}

/** A line without what was put in front of it. */
export interface Part {
  /** Without quotes and learned prefixes; what `stripPrefix` knows is still there. */
  body: string;
  /** Without that as well. */
  text: string;
  /** It has a time or another logger's mark of its own, so that a record begins here. */
  stamped: boolean;
  /** Columns of the line as it came. */
  columns: number;
  raw: string;
}

export class Prefixes {
  private shapes: Shape[] = [];

  /** Takes the line apart, and learns from it. */
  part(line: string): Part {
    // Web pages and mailers pad columns with blanks that do not break.
    const raw = line.includes('\u00a0') ? line.replaceAll('\u00a0', ' ') : line;
    const quoted = raw.startsWith('>') ? raw.replace(QUOTE, '') : raw;
    const known = this.known(quoted);
    const told = read(quoted, known);
    if (!MAY_HOLD.test(told.text)) return { ...told, columns: raw.length, raw };
    const at = PHRASE.exec(told.text)?.index ?? 0;
    if (at === 0 || QUOTED.test(told.text.slice(0, at))) return { ...told, columns: raw.length, raw };
    const end = quoted.trimEnd().length - told.text.length + at;
    this.learn(quoted.slice(0, end));
    return { ...read(quoted, this.known(quoted)), columns: raw.length, raw };
  }

  private known(line: string): { length: number; counts: boolean } {
    for (const [index, { pattern, counts }] of this.shapes.entries()) {
      const length = pattern.exec(line)?.[0].length ?? 0;
      if (length === 0) continue;
      // Neighbours have the same, most likely.
      if (index > 0) this.shapes.unshift(...this.shapes.splice(index, 1));
      return { length, counts };
    }
    return { length: 0, counts: false };
  }

  private learn(prefix: string): void {
    if (prefix.length > PREFIX_MAX) return;
    const source = shapeOf(prefix);
    if (this.shapes.some((shape) => shape.source === source)) return;
    const shape = { source, pattern: new RegExp(source, 'u'), counts: /\d/.test(prefix) };
    this.shapes = [shape, ...this.shapes].slice(0, KEPT);
  }
}

function read(line: string, { length, counts }: { length: number; counts: boolean }) {
  const body = length === 0 ? line : line.slice(length);
  const { text } = stripPrefix(body);
  return { body, text, stamped: counts || text.length < body.trim().length };
}

/** Any number for a number; any word for one before or within a time of the day, which are names of days and months. */
function shapeOf(prefix: string): string {
  const dated = CLOCK.exec(prefix)?.[0].length ?? 0;
  let source = '^';
  for (const { 0: token, index } of prefix.matchAll(TOKENS)) {
    if (/^\d/.test(token))
      source += token.startsWith('0') ? `\\d{${token.length},${Math.max(token.length, 20)}}` : '\\d{1,20}';
    else if (/^\s/.test(token)) source += index + token.length === prefix.length ? '(?:\\s+|$)' : '\\s+';
    else if (/^\p{L}/u.test(token) && index < dated) source += '\\p{L}{1,20}\\.?';
    else source += token.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  }
  return source;
}
