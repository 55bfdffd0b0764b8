/** The one journalctl of all guests, restarted where the configuration asks for other units. */
import type { Config } from '../core/config/schema.js';
import type { ConsolePosition } from '../core/console/position.js';
import { guestMatches } from '../core/journal/route.js';
import { loadPosition, PositionSaver } from '../io/cursor.js';
import { followJournal, type FollowedEntry, type JournalPosition } from '../io/journal.js';
import type { Log } from '../io/log.js';
import type { SourceStatus } from '../io/source-status.js';

interface JournalSourceOptions {
  state: string;
  log: Log;
  onEntries: (entries: FollowedEntry[]) => void;
  signal: AbortSignal;
}

export class JournalSource {
  status: SourceStatus = { state: 'catching-up', detail: 'the journal was not read yet' };
  private readonly saver: PositionSaver;
  private readonly startedAt = Date.now();
  private position: JournalPosition | null = null;
  private loaded = false;
  /** Lines were delivered since this start: other units are followed from there. */
  private delivered = false;
  private matches = '';
  private run: { abort: AbortController; ended: Promise<void> } | null = null;

  constructor(private readonly options: JournalSourceOptions) {
    this.saver = new PositionSaver(options.state, options.log);
  }

  /** Follows the units of this configuration; does nothing where it does so already. */
  async follow(config: Config): Promise<void> {
    if (!this.loaded) await this.load();
    const units = config.guests.flatMap(({ unit }) => unit ?? []);
    const matches = guestMatches({ uid: process.getuid?.() ?? 0, slice: config.journal.slice, units });
    if (matches.join() === this.matches) return;
    this.matches = matches.join();
    await this.end();
    const abort = new AbortController();
    const signal = AbortSignal.any([abort.signal, this.options.signal]);
    const ended = followJournal({
      matches,
      position: this.position,
      resume: this.delivered,
      onEntries: (entries) => this.deliver(entries),
      onStatus: (status) => this.report(status),
      signal,
    });
    this.run = { abort, ended };
  }

  /** Everything up to there was delivered. */
  readUpTo(): ConsolePosition | null {
    return this.position && { kind: 'journal', ...this.position };
  }

  async stop(): Promise<void> {
    await this.end();
    await this.saver.flush();
  }

  private async load(): Promise<void> {
    const { position, warning } = await loadPosition(this.options.state);
    if (warning !== null) this.options.log('warning', warning);
    // Without a position all that came before this start is context.
    this.position = position ?? { cursor: '', realtimeMs: this.startedAt };
    this.loaded = true;
  }

  private async end(): Promise<void> {
    this.run?.abort.abort();
    await this.run?.ended;
    this.run = null;
  }

  private deliver(entries: FollowedEntry[]): void {
    this.options.onEntries(entries);
    const last = entries.at(-1);
    if (last === undefined || last.replayed) return;
    this.delivered = true;
    this.position = { cursor: last.cursor, realtimeMs: last.realtimeMs };
    this.saver.note(this.position);
  }

  private report(status: SourceStatus): void {
    if (status.state === 'down') this.options.log('warning', `journal: ${status.detail}`);
    this.status = status;
  }
}
