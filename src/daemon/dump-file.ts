/**
 * A guest with its console in the journal and, through QEMU, in a file as well: a capture reads the file, because
 * journald's rate limit drops no lines there.
 */
import type { ConsolePosition } from '../core/console/position.js';
import type { Rows } from '../core/console/rows.js';
import { type Ahead, type TailedRows, tailConsole } from '../io/console-file.js';

interface DumpFileEvents {
  /** Awaited before more is read. */
  onRows: (rows: readonly Rows[], ahead: Ahead) => Promise<void> | void;
  /** It cannot be read any more; the journal has to do. */
  onLost: (why: string) => void;
}

export class DumpFile {
  /** The file's rows from before the capture. */
  readonly context: Rows[] = [];
  position: ConsolePosition | null = null;
  private readonly end = new AbortController();
  private begun = (): void => undefined;
  private readonly whenBegun = new Promise<void>((resolve) => (this.begun = resolve));

  private constructor(private readonly events: DumpFileEvents) {}

  /** Reads the file's context; resolves with null if it cannot be read. Rows come from `begin` on. */
  static async open(path: string, events: DumpFileEvents): Promise<DumpFile | null> {
    const file = new DumpFile(events);
    const readable = await new Promise<boolean>((resolve) => {
      tailConsole({
        path,
        ownOnly: true,
        onRows: (tailed) => file.take(tailed),
        onStatus: ({ state, detail }) => {
          resolve(state === 'live');
          if (state === 'down') file.lost(detail);
        },
        signal: file.end.signal,
      }).catch((error: unknown) => file.lost(String(error)));
    });
    if (readable) return file;
    file.close();
    return null;
  }

  /** The context is in the archive: what comes now is the capture's. */
  begin(): void {
    this.begun();
  }

  close(): void {
    this.begun();
    this.end.abort();
  }

  private async take({ rows, replayed, end, ahead }: TailedRows) {
    if (replayed) {
      this.context.push(...rows);
      this.position = end;
      return;
    }
    await this.whenBegun;
    if (!this.end.signal.aborted) await this.events.onRows(rows, ahead);
  }

  private lost(why: string): void {
    if (this.end.signal.aborted) return;
    this.end.abort();
    this.events.onLost(why);
  }
}
