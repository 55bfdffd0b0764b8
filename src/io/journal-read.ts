/** Reads the past journal once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ExportParser, type JournalEntry } from '../core/journal/export-format.js';
import { routedFields } from '../core/journal/route.js';
import { faultSentence } from './journal-faults.js';
import { startJournalctl } from './journal-process.js';
import { ownScope } from './scope.js';

/** A journalctl that is silent for this long will not answer any more. */
const SILENT_MS = 60_000;

/**
 * Reads all entries that match, as `journalctl --since` finds them. Resolves with null, or with a sentence that says why
 * they cannot be read.
 */
export async function readJournal(options: {
  matches: readonly string[];
  /** As journalctl takes it: `yesterday`, `-2h`, a date. */
  since: string;
  onEntries: (entries: JournalEntry[]) => void;
  /** Default: journalctl. */
  command?: readonly string[];
}): Promise<string | null> {
  const { matches, since, onEntries, command = ['journalctl'] } = options;
  const run = startJournalctl(command, [
    ...['--no-pager', '--output=export', `--output-fields=${routedFields(ownScope())}`, `--since=${since}`],
    ...matches,
  ]);
  const parser = new ExportParser();
  const watch = new AbortController();
  let heard = true;
  const silent = (async () => {
    while (heard) {
      heard = false;
      await sleep(SILENT_MS, undefined, { signal: watch.signal });
    }
    run.kill();
  })().catch(() => undefined);
  try {
    for await (const chunk of run.chunks) {
      heard = true;
      onEntries(parser.push(chunk));
    }
    const end = await run.ended;
    return end.exitCode === 0 ? null : faultSentence(end);
  } catch (error) {
    run.kill();
    return error instanceof Error ? error.message : String(error);
  } finally {
    watch.abort();
    await silent;
  }
}
