/**
 * Progress is not output. A guest that waits for a start job animates a spinner for hours, a wedged one repeats its
 * complaints, and a dump is the watchdog's own doing: only a line of a kind not seen before is news.
 */
import { findKernelLine } from '../kernel-lines/find.js';
import type { KernelLine } from '../kernel-lines/line.js';
import type { Mono } from '../time.js';
import { complaintIn } from './complaints.js';
import { type PrintkLine, stripPrintk } from './printk.js';
import { isReportLine } from './report-lines.js';

/** Plain JSON, part of a recorded state. */
export interface ProgressState {
  /** Hashes of the kinds of line seen, oldest first. */
  known: number[];
  /** A SysRq dump that is still printing. `stamped`: its lines carry a printk prefix. */
  dump: { since: Mono; last: Mono; stamped: boolean } | null;
}

interface Reading {
  news: boolean;
  /** What a start or stop job waits for and how long, as systemd words it: `NAME (1h 18min / no limit)`. */
  awaiting: string | null;
}

const MAX_KNOWN = 4096;
/** So much of a line tells its kind; a guest that floods prints lines of any length. */
const KIND_MAX = 400;
/** A dump without its fence ends in silence, or when it outlasts any real one. */
const DUMP_QUIET_MS = 5_000;
const DUMP_MAX_MS = 60_000;

/** In the words of systemd, with a unit's name or description; Debian 12 shows the former as `Job UNIT/start running`. */
const JOB =
  /^(?:\[[ *]{1,10}\] ?)?(?:\(\d+ of \d+\) )?(?:A [a-z-]{1,20} job is running for |Job (?=\S{1,200}\/[a-z-]{1,20} running \())(.+)$/;
const JOB_AGE = /^(.+ \([^()]{1,60} \/ [^()]{1,60}\))/;
const STATUS = /^(?:\[ *[A-Z]{2,6} *\] | {5,}[A-Z][a-z]+ing )/;

const NOTHING: Reading = { news: false, awaiting: null };
const NEWS: Reading = { news: true, awaiting: null };

/** Remembers what one guest has said. Bounded: the oldest of 4096 kinds of line is forgotten. */
export class Progress {
  private readonly known: Set<number>;
  private dump: ProgressState['dump'];

  constructor(saved: ProgressState = { known: [], dump: null }) {
    this.known = new Set(saved.known);
    this.dump = saved.dump;
  }

  /** Reads the guest's next cleaned line. A new boot forgets the last one, whose lines it will repeat. */
  read(line: string, at: Mono): Reading {
    const printk = stripPrintk(line);
    const { text } = printk;
    const known = findKernelLine(text)?.line ?? null;
    if (known?.boot !== undefined) {
      this.known.clear();
      this.dump = null;
    }
    const job = JOB.exec(text)?.[1];
    if (job !== undefined) return { news: false, awaiting: JOB_AGE.exec(job)?.[1] ?? null };
    if (this.inDump(printk, known?.answer, at)) return NOTHING;
    if ((known !== null && complaintIn(line) !== null) || isReportLine(text)) return NOTHING;
    return this.isNew(text) ? NEWS : NOTHING;
  }

  toJSON(): ProgressState {
    return { known: [...this.known], dump: this.dump };
  }

  private inDump({ text, time }: PrintkLine, answer: KernelLine['answer'], at: Mono): boolean {
    if (answer !== undefined) {
      const { type } = answer;
      if (type === 'header' || type === 'dump') this.dump = { since: at, last: at, stamped: time !== null };
      else if (type === 'help') this.dump = null;
      return true;
    }
    const { dump } = this;
    if (dump === null) return false;
    if (at - dump.last > DUMP_QUIET_MS || at - dump.since > DUMP_MAX_MS) {
      this.dump = null;
      return false;
    }
    if (dump.stamped ? time === null : STATUS.test(text)) return false;
    this.dump = { ...dump, last: at };
    return true;
  }

  private isNew(text: string): boolean {
    const kind = kindOf(text.slice(0, KIND_MAX));
    if (!/\p{L}/u.test(kind)) return false;
    const hash = fnv1a(kind);
    if (this.known.has(hash)) return false;
    if (this.known.size >= MAX_KNOWN) {
      const [oldest] = this.known;
      if (oldest !== undefined) this.known.delete(oldest);
    }
    this.known.add(hash);
    return true;
  }
}

/** The line with all that merely counts replaced: hex and numbers of any form, times, a spinner. */
function kindOf(text: string): string {
  return text
    .replace(/^\[[ *]{1,10}\]/, '')
    .replace(/\b(?:0x[0-9a-f]+|[0-9a-f]{8,}(?:-[0-9a-f]{4,})*)\b/gi, '#')
    .replace(/\b\d+(?:[.,:]\d+)*(?:(?: ?(?:h|min|s|ms|us|d|days?|hours?|minutes?|seconds?|weeks?))\b)?/g, '#')
    .replace(/\d+/g, '#')
    .replace(/#(?:[ #]*#)?/g, '#')
    .replace(/\s+/g, ' ')
    .trim();
}

/** 31 bits keep a Set of small integers small: 200 guests remember theirs in a few megabytes. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 1;
}
