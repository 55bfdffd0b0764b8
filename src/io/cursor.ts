/** The journal position on disk, so that a restarted daemon neither loses lines nor takes old ones for new. */
import { join } from 'node:path';
import { z } from 'zod';
import { makeDirectory, putFile, readOwn } from './files.js';
import type { JournalPosition } from './journal.js';
import type { Log } from './log.js';

const FILE = 'journal-position.json';
const SAVE_EVERY_MS = 5_000;

const positionSchema = z.object({
  // It becomes an argument of journalctl.
  cursor: z.string().regex(/^[!-~]{1,1024}$/),
  realtimeMs: z.number().positive(),
});

/** The saved position. A missing file is no position; a damaged one is none either, with a warning that says so. */
export async function loadPosition(
  directory: string,
): Promise<{ position: JournalPosition | null; warning: string | null }> {
  const file = join(directory, FILE);
  try {
    return { position: positionSchema.parse(JSON.parse(await readOwn(file))), warning: null };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { position: null, warning: null };
    const why = error instanceof z.ZodError || error instanceof SyntaxError ? 'it is damaged' : String(error);
    return {
      position: null,
      warning: `${file} is ignored: ${why}. The last minutes of the journal are read again.`,
    };
  }
}

/** Saves positions at most every 5 s, and the last one when it is flushed. */
export class PositionSaver {
  private pending: JournalPosition | null = null;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private failing = false;

  /** Logs once that positions cannot be saved, and once that they can be again. */
  constructor(
    private readonly directory: string,
    private readonly log: Log,
  ) {}

  note(position: JournalPosition): void {
    this.pending = position;
    this.timer ??= setTimeout(() => {
      // What goes wrong is logged where it does.
      this.flush().catch(() => undefined);
    }, SAVE_EVERY_MS);
  }

  /** Resolves once the last noted position is on disk, or its failure was logged. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const position = this.pending;
    this.pending = null;
    if (position !== null) this.writing = this.writing.then(() => this.write(position));
    await this.writing;
  }

  private async write(position: JournalPosition): Promise<void> {
    const file = join(this.directory, FILE);
    try {
      await makeDirectory(this.directory, 0o700);
      await putFile(file, `${JSON.stringify(position)}\n`);
      if (this.failing) this.log('notice', 'the journal position is saved again');
      this.failing = false;
    } catch (error) {
      const lost = 'a restart reads the last minutes of the journal again';
      if (!this.failing) this.log('warning', `the journal position is not saved: ${String(error)}; ${lost}`);
      this.failing = true;
    }
  }
}
