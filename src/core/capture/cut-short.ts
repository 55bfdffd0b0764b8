/**
 * A capture whose watchdog was killed, from the console alone: what the guest still printed of it, and its dumps.
 * The chords that were pressed are answered whether or not anybody listens.
 */
import type { Config } from '../config/schema.js';
import type { DumpSysrqKey } from '../model.js';
import { type DumpName } from './series.js';
import { printedAfter, sysrqReply } from './replies.js';

/** Rows that a guest may print between two answers. */
const CALM_ROWS = 200;

export interface TailLimits {
  /** From the last answer to one of a chord that was pressed just before the kill; milliseconds, like the others. */
  calm: number;
  /** Silence within a dump. */
  silence: number;
  dump: number;
}

export function tailLimits(
  { headerTimeout, dumpSilence, dumpTimeout }: Config['capture'],
  pause: number,
): TailLimits {
  return { calm: pause + headerTimeout, silence: dumpSilence, dump: dumpTimeout };
}

/** Tells where a cut-short capture ends on the console. Times are of one clock, null where a row has none. */
export class CaptureTail {
  private header: string | null = null;
  private dumpSince: number;
  private last: number;
  private calmRows = 0;

  constructor(
    startedAt: number,
    private readonly limits: TailLimits,
  ) {
    this.last = startedAt;
    this.dumpSince = startedAt;
  }

  /** Something was printed at that time: for sources whose rows have none of their own. */
  printedAt(at: number): void {
    if (this.header !== null) this.last = Math.max(this.last, at);
  }

  /** Whether a row that is printed at that time may still belong to the capture. */
  reaches(at: number): boolean {
    if (this.header === null) return at - this.last <= this.limits.calm;
    return at - this.last <= this.limits.silence && at - this.dumpSince <= this.limits.dump;
  }

  /** The next row, as cleaned lines. False where it is not the capture's any more; `archived` ones are in any case. */
  take(lines: readonly string[], at: number | null, archived: boolean): boolean {
    if (!archived && (this.calmRows >= CALM_ROWS || (at !== null && !this.reaches(at)))) return false;
    this.calmRows += 1;
    // Rows between two dumps prolong nothing: a guest may print three a second for ever.
    if (archived || this.header !== null) this.extend(at);
    for (const line of lines) this.read(line, at);
    return true;
  }

  private read(line: string, at: number | null): void {
    const reply = sysrqReply(line);
    if (reply !== null) this.extend(at);
    if (reply?.type === 'header' && this.header === null) {
      this.header = line;
      this.dumpSince = at ?? this.last;
    } else if (reply?.type === 'help' && this.header !== null && printedAfter(this.header, line))
      this.header = null;
  }

  private extend(at: number | null): void {
    this.calmRows = 0;
    this.last = Math.max(this.last, at ?? this.last);
  }
}

export interface RecordedDump {
  name: DumpName;
  lines: string[];
  fenced: boolean;
}

/** More lines than a dump of 10,000 tasks has: the rest is a flood. */
const DUMP_LINES_MAX = 500_000;

/** Finds the dumps in a capture's lines as they stream by, and names them in their order as a capture names them. */
export class DumpRecorder {
  private readonly found: { key: DumpSysrqKey; lines: string[]; fenced: boolean }[] = [];
  private open: (typeof this.found)[number] | null = null;
  /** The loglevel was raised. */
  raised = false;

  push(line: string): void {
    const reply = sysrqReply(line);
    if (this.open === null && reply?.type === 'level') this.raised ||= Number(reply.level) >= 7;
    if (this.open === null && reply?.type === 'header') {
      this.open = { key: reply.key, lines: [], fenced: false };
      this.found.push(this.open);
    }
    if (this.open === null) return;
    this.open.lines.push(line);
    const fence = reply?.type === 'help' && printedAfter(this.open.lines[0] ?? '', line);
    if (fence) this.open.fenced = true;
    if (fence || this.open.lines.length >= DUMP_LINES_MAX) this.open = null;
  }

  get dumps(): RecordedDump[] {
    return this.found.map((dump, at) => ({ ...dump, name: nameOf(this.found, at) }));
  }
}

/** w is asked for twice, and so numbered; others once, as a rule. */
function nameOf(found: readonly { key: DumpSysrqKey }[], at: number): DumpName {
  const key = found[at]?.key ?? 'w';
  const nth = found.slice(0, at + 1).filter((dump) => dump.key === key).length;
  return key === 'w' || nth > 1 ? `sysrq-${key}.${nth}` : `sysrq-${key}`;
}
