/** How silent good boots of each kernel and machine were, on disk: a restarted daemon does not start over. */
import { join } from 'node:path';
import { z } from 'zod';
import { PHASES } from '../core/console/phases.js';
import { learn, type Learned, type Quiet } from '../core/watch/slices/quiet.js';
import { makeDirectory, putFile, readOwn } from './files.js';
import type { Log } from './log.js';

const FILE = 'learned-boots.json';
/** Beyond this, the entry that booted longest ago goes first. */
const MAX_KEYS = 1_000;
const KEY_MAX = 300;

const silences = z.array(z.number().nonnegative().max(86_400_000)).max(100);
const schema = z.object({
  schemaVersion: z.literal(2),
  machines: z.record(z.string().max(KEY_MAX), z.partialRecord(z.enum(PHASES), silences)),
});
/** Boots by the names of VMs. */
const byName = z.object({ schemaVersion: z.literal(1) });

export class LearnedBoots {
  private writing: Promise<void> = Promise.resolve();
  /** A write that has not begun yet, and will take what is known then. */
  private next: Promise<void> | null = null;

  private constructor(
    private readonly directory: string,
    private readonly machines: Map<string, Learned>,
    private readonly log: Log,
  ) {}

  /** A missing file is an empty memory, and so is one of version 1, which is logged once; a damaged one is logged as a warning. */
  static async load(directory: string, log: Log): Promise<LearnedBoots> {
    const file = join(directory, FILE);
    const begunAnew = new LearnedBoots(directory, new Map(), log);
    try {
      const found: unknown = JSON.parse(await readOwn(file));
      if (byName.safeParse(found).success) {
        log(
          'info',
          `${file} knew boots by the names of VMs; wedgewatch learns them again, by kernel and machine`,
        );
        await begunAnew.write();
        return begunAnew;
      }
      const { machines } = schema.parse(found);
      return new LearnedBoots(directory, new Map(Object.entries(machines) as [string, Learned][]), log);
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const why =
        error instanceof z.ZodError || error instanceof SyntaxError ? 'it is damaged' : String(error);
      if (!missing)
        log(
          'warning',
          `${file} is ignored: ${why}. wedgewatch learns again how long guests are silent while they boot.`,
        );
      return begunAnew;
    }
  }

  of(key: string): Learned {
    return this.machines.get(key) ?? {};
  }

  /**
   * Keeps the longest silences of one more good boot; guests that boot beside each other add to the same memory.
   * Resolves once it is on disk, or its failure was logged.
   */
  add(key: string, quiet: Quiet): Promise<void> {
    const learned = learn(this.of(key), quiet);
    this.machines.delete(key);
    this.machines.set(key, learned);
    const [oldest] = this.machines.keys();
    if (this.machines.size > MAX_KEYS && oldest !== undefined) this.machines.delete(oldest);
    this.next ??= this.writing.then(() => {
      this.next = null;
      return this.write();
    });
    this.writing = this.next;
    return this.next;
  }

  private async write(): Promise<void> {
    const text = `${JSON.stringify({ schemaVersion: 2, machines: Object.fromEntries(this.machines) })}\n`;
    try {
      await makeDirectory(this.directory, 0o700);
      await putFile(join(this.directory, FILE), text);
    } catch (error) {
      this.log('warning', `the silence learned from a boot was not saved: ${String(error)}`);
    }
  }
}
