/** The newest line of one unit in this boot of the host, read as the lines that are followed are. */
import { ExportParser, type JournalEntry } from '../core/journal/export-format.js';
import { routedFields } from '../core/journal/route.js';
import { faultSentence } from './journal-faults.js';
import { startJournalctl } from './journal-process.js';
import { ownUnitMatches } from './own-journal.js';
import { ownScope } from './scope.js';

const DEADLINE_MS = 10_000;

/** The entry, null if the journal has none; or why it cannot be read. Never throws. */
export async function newestLine(options: {
  unit: string;
  signal?: AbortSignal | undefined;
  /** Default: journalctl. */
  command?: readonly string[];
}): Promise<{ entry: JournalEntry | null; problem: string | null }> {
  const { unit, signal, command = ['journalctl'] } = options;
  const run = startJournalctl(command, [
    ...[
      '--no-pager',
      '--boot',
      '--lines=1',
      '--output=export',
      `--output-fields=${routedFields(ownScope())}`,
    ],
    ...ownUnitMatches(unit),
    '_TRANSPORT=stdout',
  ]);
  const stop = AbortSignal.any([AbortSignal.timeout(DEADLINE_MS), ...(signal ? [signal] : [])]);
  stop.addEventListener('abort', run.kill, { once: true });
  try {
    const parser = new ExportParser();
    const entries: JournalEntry[] = [];
    for await (const chunk of run.chunks) entries.push(...parser.push(chunk));
    const end = await run.ended;
    if (stop.aborted) return { entry: null, problem: 'journalctl did not finish in time' };
    return { entry: entries.at(-1) ?? null, problem: end.exitCode === 0 ? null : faultSentence(end) };
  } catch (error) {
    return { entry: null, problem: error instanceof Error ? error.message : String(error) };
  } finally {
    stop.removeEventListener('abort', run.kill);
    run.kill();
  }
}
