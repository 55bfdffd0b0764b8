/**
 * The journal of all guests, read by one journalctl that is restarted from the last delivered entry whenever it ends.
 * A slow reader stops journalctl through its pipe; nothing is buffered beyond one chunk.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ExportParser, type JournalEntry } from '../core/journal/export-format.js';
import { faultSentence, type JournalctlEnd } from './journal-faults.js';
import { journalctlArguments, type JournalctlRun, type Start, startJournalctl } from './journal-process.js';
import type { SourceStatus } from './source-status.js';

/** How far the journal has been read; kept across restarts of the daemon. */
export interface JournalPosition {
  cursor: string;
  realtimeMs: number;
}

export interface FollowedEntry extends JournalEntry {
  /** Already delivered before this daemon started: context, no news. */
  replayed: boolean;
}

export interface FollowOptions {
  /** Arguments that select entries: see guestMatches(). */
  matches: readonly string[];
  position: JournalPosition | null;
  /** Awaited before more is read. A rejection ends the following with that error. */
  onEntries: (entries: FollowedEntry[]) => Promise<void> | void;
  onStatus: (status: SourceStatus) => void;
  /** An entry of more than 16 MiB comes without its long fields. */
  onLeftOut?: () => void;
  signal: AbortSignal;
  /** Default: journalctl, with a larger output buffer where stdbuf exists. */
  command?: readonly string[];
  /** Further arguments, such as `--directory=…`. */
  source?: readonly string[];
  /** Milliseconds before the first restart, doubled up to the last. */
  backoff?: { first: number; max: number };
}

/** How much of the past a starting daemon reads. */
const CONTEXT_MS = 15 * 60_000;
/** Opening many journal files takes a while; silence then is no sign of having caught up. */
const OPENING_MS = 1_000;
const QUIET_MS = 300;
const FRESH_MS = 1_000;
const STALE_MS = 5_000;
/** journalctl writes 4 KiB at a time, and each write wakes the reader: with 64 KiB it is a fifth faster. */
const BUFFERED = ['stdbuf', '-o65536', 'journalctl'];
const PLAIN = ['journalctl'];

/**
 * Follows until the signal aborts, then resolves. Each entry is delivered once, in journald's order, across any
 * number of deaths of journalctl. Rejects only with what onEntries threw.
 */
export async function followJournal(options: FollowOptions): Promise<void> {
  await new Follower(options).follow();
}

class Follower {
  private readonly since = Date.now() - CONTEXT_MS;
  private readonly backoff: { first: number; max: number };
  private command: readonly string[];
  private position: string | null;
  /** Entries up to this wall-clock time, or up to that cursor, were delivered by an earlier daemon. */
  private replayedUntil: number;
  private state: SourceStatus['state'] | null = null;
  private detail = '';
  private wait: number;

  constructor(private readonly options: FollowOptions) {
    const saved = options.position;
    this.backoff = options.backoff ?? { first: 250, max: 30_000 };
    this.wait = this.backoff.first;
    this.command = options.command ?? BUFFERED;
    // A cursor within the context is where replay ends; one before it is where reading goes on.
    const resumes = saved !== null && saved.realtimeMs < this.since;
    this.position = resumes ? saved.cursor : null;
    this.replayedUntil = resumes ? -Infinity : (saved?.realtimeMs ?? -Infinity);
  }

  async follow(): Promise<void> {
    while (!this.stopped()) {
      this.report('catching-up', 'reading the journal up to now');
      const start: Start = this.position === null ? { sinceMs: this.since } : { cursor: this.position };
      const fault = await this.run(start);
      if (this.stopped()) return;
      if (fault === null) continue;
      this.report('down', `${fault}; trying again in ${this.wait} ms`);
      await sleep(this.wait, undefined, { signal: this.options.signal }).catch(() => undefined);
      this.wait = Math.min(this.wait * 2, this.backoff.max);
    }
  }

  /** One journalctl, until it ends: says why, or null if another should be tried at once. */
  private async run(start: Start): Promise<string | null> {
    const { matches, source = [], signal } = this.options;
    const run = startJournalctl(this.command, journalctlArguments(source, matches, start));
    const kill = () => {
      run.kill();
    };
    signal.addEventListener('abort', kill);
    if (signal.aborted) kill();
    try {
      const broken = await this.read(run);
      kill();
      const end = await run.ended;
      if (broken !== null) return broken;
      if (this.command === BUFFERED && isStdbufMissing(end)) {
        this.command = PLAIN;
        return null;
      }
      if ('cursor' in start && /Failed to seek to cursor/.test(end.stderr)) this.position = null;
      return faultSentence(end);
    } finally {
      signal.removeEventListener('abort', kill);
      kill();
    }
  }

  /** Delivers what one journalctl prints; returns what is wrong with its output, or null at its end. */
  private async read(run: JournalctlRun): Promise<string | null> {
    const parser = new ExportParser();
    let heard = false;
    const quiet = new QuietTimer(() => {
      this.report('live', heard ? '' : 'nothing was logged yet');
    });
    try {
      quiet.start(OPENING_MS);
      for await (const chunk of run.chunks) {
        quiet.stop();
        heard = true;
        if (this.stopped()) return null;
        const entries = parse(parser, chunk);
        if (typeof entries === 'string') return entries;
        if (parser.leftOut > 0) this.options.onLeftOut?.();
        parser.leftOut = 0;
        await this.deliver(entries);
        quiet.start(QUIET_MS);
      }
      return null;
    } finally {
      quiet.stop();
    }
  }

  private async deliver(entries: JournalEntry[]): Promise<void> {
    // A run that starts at a cursor begins with that cursor's own entry, unless it is gone.
    if (entries[0] !== undefined && entries[0].cursor === this.position) entries.shift();
    const last = entries.at(-1);
    if (last === undefined) return;
    await this.options.onEntries(entries.map((entry) => this.mark(entry)));
    this.position = last.cursor;
    this.wait = this.backoff.first;
    const age = Date.now() - last.realtimeMs;
    if (age < FRESH_MS) this.report('live', '');
    else if (age > STALE_MS) this.report('catching-up', 'reading the journal up to now');
  }

  private stopped(): boolean {
    return this.options.signal.aborted;
  }

  private mark(entry: JournalEntry): FollowedEntry {
    const replayed = entry.realtimeMs <= this.replayedUntil;
    // A clock that was set back must not turn what comes next into replay.
    if (entry.cursor === this.options.position?.cursor) this.replayedUntil = -Infinity;
    // Spelled out: a spread costs half as much as parsing the entry.
    const { cursor, realtimeMs, monotonicMs, bootId, fields, message } = entry;
    return { cursor, realtimeMs, monotonicMs, bootId, fields, message, replayed };
  }

  private report(state: SourceStatus['state'], detail: string): void {
    if (state === this.state && detail === this.detail) return;
    this.state = state;
    this.detail = detail;
    this.options.onStatus({ state, detail });
  }
}

class QuietTimer {
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly onQuiet: () => void) {}

  start(ms: number): void {
    this.timer = setTimeout(this.onQuiet, ms);
  }

  stop(): void {
    clearTimeout(this.timer);
  }
}

function parse(parser: ExportParser, chunk: Uint8Array): JournalEntry[] | string {
  try {
    return parser.push(chunk);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** 125 is stdbuf's own failure, such as a missing libstdbuf. */
function isStdbufMissing(end: JournalctlEnd): boolean {
  return end.code === 'ENOENT' || end.exitCode === 125;
}
