/** Reads a console again, from a position to its current end. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ConsolePosition } from '../core/console/position.js';
import { RowSplitter } from '../core/console/rows.js';
import { ExportParser, type JournalEntry } from '../core/journal/export-format.js';
import { routeOf } from '../core/journal/route.js';
import { faultSentence } from './journal-faults.js';
import { journalctlRangeArguments, startJournalctl } from './journal-process.js';
import { ownUnitMatches } from './own-journal.js';
import { ownScope } from './scope.js';

interface RowAgain {
  bytes: Uint8Array;
  /** Wall clock in milliseconds; null if the source does not say. */
  at: number | null;
  /** Behind it, or behind others that were read with it. */
  position: ConsolePosition;
}

/** Whose console: rows of another start of the unit are another guest's. */
interface Whose {
  unit: string;
  invocation: string | null;
}

const CHUNK = 256 << 10;

/** The rows behind a position. Stop reading at any time. Throws an Error that says why there are none. */
export function rowsAgain(
  from: ConsolePosition,
  whose: Whose,
  signal: AbortSignal,
): AsyncGenerator<RowAgain> {
  return from.kind === 'file' ? fileRows(from) : journalRows(from, whose, signal);
}

async function* journalRows(
  from: ConsolePosition & { kind: 'journal' },
  { unit, invocation }: Whose,
  signal: AbortSignal,
): AsyncGenerator<RowAgain> {
  const scope = ownScope();
  const matches = ownUnitMatches(unit);
  const start = from.cursor === '' ? { sinceMs: from.realtimeMs } : { cursor: from.cursor };
  for await (const entry of entriesOf(journalctlRangeArguments(matches, start), signal)) {
    const { cursor, realtimeMs, message } = entry;
    const route = routeOf(entry, scope);
    if (cursor === from.cursor || route?.kind !== 'console') continue;
    if (invocation !== null && route.invocation !== invocation) return;
    yield { bytes: message, at: realtimeMs, position: { kind: 'journal', cursor, realtimeMs } };
  }
}

async function* entriesOf(args: readonly string[], signal: AbortSignal): AsyncGenerator<JournalEntry> {
  const run = startJournalctl(['journalctl'], args);
  signal.addEventListener('abort', run.kill);
  if (signal.aborted) run.kill();
  try {
    const parser = new ExportParser();
    for await (const chunk of run.chunks) yield* parser.push(chunk);
    const end = await run.ended;
    if (end.exitCode !== 0) throw new Error(faultSentence(end));
  } finally {
    signal.removeEventListener('abort', run.kill);
    run.kill();
  }
}

async function* fileRows(from: ConsolePosition & { kind: 'file' }): AsyncGenerator<RowAgain> {
  const file = await open(from.path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { dev, ino, size } = await file.stat();
    if (dev !== from.dev || ino !== from.ino || size < from.offset)
      throw new Error(`${from.path} was rewritten since`);
    const rows = new RowSplitter();
    const buffer = Buffer.alloc(CHUNK);
    for (let read = from.offset; ;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK, read);
      if (bytesRead === 0) return;
      read += bytesRead;
      const complete = rows.push(buffer.subarray(0, bytesRead));
      const position = { ...from, offset: read - rows.pending };
      for (const bytes of complete) yield { bytes, at: null, position };
    }
  } finally {
    await file.close();
  }
}
