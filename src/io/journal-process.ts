/** One run of `journalctl --follow`, from its start to its end. */
import { execa } from 'execa';
import { routedFields } from '../core/journal/route.js';
import type { JournalctlEnd } from './journal-faults.js';
import { signalGroup } from './process-group.js';
import { ownScope } from './scope.js';

/** Where a run begins: an entry, or a wall-clock time in milliseconds. */
export type Start = { cursor: string } | { sinceMs: number };

export interface JournalctlRun {
  chunks: AsyncIterable<Uint8Array>;
  kill: () => void;
  ended: Promise<JournalctlEnd>;
}

const MAX_STDERR = 4096;

/**
 * `--boot`, because older boots have another monotonic clock and their guests are gone (252 implies it in follow
 * mode); `--no-tail`, because following may begin ten lines before the end. The export format implies `--quiet`: that
 * there are no journal files is not said.
 */
export function journalctlArguments(
  source: readonly string[],
  matches: readonly string[],
  start: Start,
): string[] {
  return [
    '--follow',
    '--no-tail',
    '--boot',
    '--no-pager',
    '--output=export',
    `--output-fields=${routedFields(ownScope())}`,
    'cursor' in start ? `--cursor=${start.cursor}` : `--since=@${(start.sinceMs / 1000).toFixed(6)}`,
    ...source,
    ...matches,
  ];
}

/** For one run that ends with the journal, and reads over boots of the host. */
export function journalctlRangeArguments(matches: readonly string[], start: Start): string[] {
  const range = journalctlArguments([], matches, start);
  return range.filter((arg) => arg !== '--follow' && arg !== '--no-tail' && arg !== '--boot');
}

/** Starts a command that prints the export format. Nothing is thrown: what went wrong is in `ended`. */
export function startJournalctl(command: readonly string[], args: readonly string[]): JournalctlRun {
  const [file = 'journalctl', ...before] = command;
  // Its own group, so that a wrapper's children die with it, and Ctrl-C reaches the daemon first.
  const child = execa(file, [...before, ...args], {
    stdin: 'ignore',
    buffer: false,
    lines: false,
    encoding: 'buffer',
    reject: false,
    detached: true,
  });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr = (stderr + data.toString('utf8')).slice(-MAX_STDERR);
  });
  return {
    chunks: child.stdout,
    kill: () => {
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    },
    ended: child.then(({ code, exitCode, signal }) => ({ code, exitCode, signal, stderr })),
  };
}
