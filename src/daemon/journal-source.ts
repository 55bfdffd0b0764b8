/** The one journalctl of all guests. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../core/config/schema.js';
import type { ConsolePosition } from '../core/console/position.js';
import { loadPosition, PositionSaver } from '../io/cursor.js';
import { followJournal, type FollowedEntry, type JournalPosition } from '../io/journal.js';
import type { Log } from '../io/log.js';
import { ownMatches } from '../io/own-journal.js';
import type { SourceStatus } from '../io/source-status.js';

const AGAIN_MS = 1_000;

interface JournalSourceOptions {
  state: string;
  log: Log;
  onEntries: (entries: FollowedEntry[]) => Promise<void>;
  signal: AbortSignal;
}

/** Whether any guest may have its console in the journal. */
export const readsJournal = ({ discover, guests }: Config): boolean =>
  discover.enabled || guests.some(({ console }) => console === 'journal');

export class JournalSource {
  status: SourceStatus = { state: 'catching-up', detail: 'the journal was not read yet' };
  /** It was read up to now once. Only the past may wait: what comes now is for others as well. */
  caughtUp = false;
  private readonly saver: PositionSaver;
  private readonly startedAt = Date.now();
  private position: JournalPosition | null = null;
  private ended: Promise<void> | null = null;

  constructor(private readonly options: JournalSourceOptions) {
    this.saver = new PositionSaver(options.state, options.log);
  }

  /** Starts to follow, once; resolves once the saved position is known. What ends it is the signal. */
  async follow(): Promise<void> {
    if (this.ended !== null) return;
    await this.load();
    this.ended ??= this.keepFollowing();
  }

  /** A reader that failed on something it read begins again behind what was delivered. Never rejects. */
  private async keepFollowing(): Promise<void> {
    const { signal, log } = this.options;
    while (!signal.aborted) {
      try {
        await followJournal({
          matches: ownMatches(),
          position: this.position,
          onEntries: (entries) => this.deliver(entries),
          onStatus: (status) => this.report(status),
          onLeftOut: () =>
            log('warning', 'journal: an entry of more than 16 MiB is read without what it says'),
          signal,
        });
      } catch (error) {
        this.report({ state: 'down', detail: `its reader failed: ${String(error)}` });
      }
      await delay(AGAIN_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Everything up to there was delivered. */
  readUpTo(): ConsolePosition | null {
    return this.position && { kind: 'journal', ...this.position };
  }

  /** Once the signal has aborted: resolves when the last position is on disk. */
  async stop(): Promise<void> {
    await this.ended;
    await this.saver.flush();
  }

  private async load(): Promise<void> {
    const { position, warning } = await loadPosition(this.options.state);
    if (warning !== null) this.options.log('warning', warning);
    // Without a position all that came before this start is context.
    this.position = position ?? { cursor: '', realtimeMs: this.startedAt };
  }

  private async deliver(entries: FollowedEntry[]): Promise<void> {
    await this.options.onEntries(entries);
    const last = entries.at(-1);
    if (last === undefined || last.replayed) return;
    this.position = { cursor: last.cursor, realtimeMs: last.realtimeMs };
    this.saver.note(this.position);
  }

  private report(status: SourceStatus): void {
    if (status.state === 'down') this.options.log('warning', `journal: ${status.detail}`);
    if (status.state === 'live') this.caughtUp = true;
    this.status = status;
  }
}
