/** How silent each guest's good boots were, on disk: a restarted daemon does not begin anew. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { z } from 'zod';
import { PHASES } from '../core/console/phases.js';
import type { Learned } from '../core/watch/quiet.js';

const FILE = 'learned-boots.json';
/** The guest that booted longest ago goes first. */
const MAX_GUESTS = 1_000;

const silences = z.array(z.number().nonnegative().max(86_400_000)).max(100);
const schema = z.object({
  schemaVersion: z.literal(1),
  guests: z.record(z.string(), z.partialRecord(z.enum(PHASES), silences)),
});

export class LearnedBoots {
  private writing: Promise<void> = Promise.resolve();
  /** A write that has not begun yet, and will take what is known then. */
  private next: Promise<void> | null = null;

  private constructor(
    private readonly directory: string,
    private readonly guests: Map<string, Learned>,
    private readonly onError: (message: string) => void,
  ) {}

  /** A missing file is an empty memory; a damaged one is told to onError, and the next boot writes it anew. */
  static async load(directory: string, onError: (message: string) => void): Promise<LearnedBoots> {
    const file = join(directory, FILE);
    try {
      const { guests } = schema.parse(JSON.parse(await readFile(file, 'utf8')));
      return new LearnedBoots(directory, new Map(Object.entries(guests) as [string, Learned][]), onError);
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const why =
        error instanceof z.ZodError || error instanceof SyntaxError ? 'it is damaged' : String(error);
      if (!missing)
        onError(`${file} is ignored: ${why}. How long guests are silent as they boot is learned anew.`);
      return new LearnedBoots(directory, new Map(), onError);
    }
  }

  of(vm: string): Learned {
    return this.guests.get(vm) ?? {};
  }

  /** Resolves once it is on disk, or its failure was told to onError. */
  keep(vm: string, learned: Learned): Promise<void> {
    this.guests.delete(vm);
    this.guests.set(vm, learned);
    const [oldest] = this.guests.keys();
    if (this.guests.size > MAX_GUESTS && oldest !== undefined) this.guests.delete(oldest);
    this.next ??= this.writing.then(() => {
      this.next = null;
      return this.write();
    });
    this.writing = this.next;
    return this.next;
  }

  private async write(): Promise<void> {
    const text = `${JSON.stringify({ schemaVersion: 1, guests: Object.fromEntries(this.guests) })}\n`;
    try {
      await mkdir(this.directory, { recursive: true, mode: 0o700 });
      await writeFileAtomic(join(this.directory, FILE), text, { mode: 0o600 });
    } catch (error) {
      this.onError(`what was learned of a boot was not saved: ${String(error)}`);
    }
  }
}
