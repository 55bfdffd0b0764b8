/** What every verb shares. */
import type { Config } from '../core/config/schema.js';
import { printable } from '../core/printable.js';
import { ArchiveError } from '../io/archive/directory.js';
import type { Terminal } from './print.js';

export interface Globals {
  /** Of --config; null for the default place. */
  config: string | null;
  quiet: boolean;
  terminal: Terminal;
}

/** The exit codes that scripts rely on. */
export const EXIT = {
  ok: 0,
  hang: 1,
  usage: 2,
  noMatch: 3,
  incomplete: 4,
  environment: 5,
  timeout: 124,
} as const;

/** The same in words, for --help and the manual page. */
export const EXIT_CODES: readonly (readonly [code: number, says: string])[] = [
  [EXIT.ok, 'fine'],
  [EXIT.hang, 'a hang was found'],
  [EXIT.usage, 'usage or a bad configuration'],
  [EXIT.noMatch, 'no match'],
  [EXIT.incomplete, 'an incident with incomplete evidence'],
  [EXIT.environment, 'an environment or daemon problem'],
  [EXIT.timeout, 'timeout'],
];

/** Runs a verb with the configuration; a bad one is printed, a problem a line, and ends it with 2. */
export async function withConfig(
  { config: file, terminal }: Globals,
  verb: (config: Config) => Promise<number> | number,
): Promise<number> {
  // Its libraries take longer to load than most verbs run, and --help needs none.
  const { findConfig, loadConfig } = await import('../io/config-file.js');
  const loaded = await loadConfig(findConfig(file));
  if (loaded.ok) return verb(await withGuests(loaded.config));
  const { tellProblems } = await import('./config.js');
  tellProblems(loaded.problems, terminal.err);
  return EXIT.usage;
}

/** With the guests that are found by their processes, where the configuration wants that. */
async function withGuests(config: Config): Promise<Config> {
  if (!config.discover.processes) return config;
  const { withProcesses } = await import('../daemon/process-discovery.js');
  const { qmpDirectory } = await import('../io/paths.js');
  return withProcesses(config, qmpDirectory());
}

/** What was read; null, with a word on standard error, where the archive cannot be. */
export async function fromArchive<T>(terminal: Terminal, read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    terminal.err(`wedgewatch: ${printable(error.message, 600)}\n`);
    return null;
  }
}
