/** What every verb shares. */
import type { Config } from '../core/config/schema.js';
import { type ConfigProblem, formatProblem } from '../core/config/problem.js';
import { findConfig, loadConfig } from '../io/config-file.js';
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

/** Tells what is wrong with the configuration, a problem a line. */
export function tellProblems(problems: readonly ConfigProblem[], err: Terminal['err']): void {
  for (const problem of problems) err(`wedgewatch: ${formatProblem(problem)}\n`);
}

/** Runs a verb with the configuration; a bad one is printed, a problem a line, and ends it with 2. */
export async function withConfig(
  { config: file, terminal }: Globals,
  verb: (config: Config) => Promise<number> | number,
): Promise<number> {
  const loaded = await loadConfig(findConfig(file));
  if (loaded.ok) return verb(loaded.config);
  tellProblems(loaded.problems, terminal.err);
  return EXIT.usage;
}
