/** Lines for the journal: on a stream that journald reads, `<N>` in front sets the priority (sd-daemon(3)). */
import { printable } from '../core/printable.js';

export type Level = 'error' | 'warning' | 'notice' | 'info';

const PRIORITY: Record<Level, number> = { error: 3, warning: 4, notice: 5, info: 6 };

export type Log = (level: Level, text: string) => void;

/** An error as a bug is told: with its stack. */
export const stackOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/** Logs what must not happen, for a promise that nobody waits for. */
export const bugsTo =
  (log: Log) =>
  (error: unknown): void =>
    log('error', `bug: ${stackOf(error)}`);

/** Logs to standard error, one line each; `quiet` leaves only warnings and errors. journald puts our name in front. */
export function makeLog({
  env = process.env,
  quiet = false,
}: { env?: NodeJS.ProcessEnv; quiet?: boolean } = {}): Log {
  const toJournal = env['JOURNAL_STREAM'] !== undefined;
  return (level, text) => {
    if (quiet && PRIORITY[level] > PRIORITY.warning) return;
    // A newline in a message would start a line with a priority of its own.
    const line = printable(text.replace(/[\r\n]+/g, ' ⏎ '), Infinity);
    const named = level === 'error' ? `wedgewatch: ${line}` : line;
    process.stderr.write(toJournal ? `<${PRIORITY[level]}>${line}\n` : `${named}\n`);
  };
}
