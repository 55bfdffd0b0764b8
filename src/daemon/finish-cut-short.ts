/** At its start, a daemon completes, analyses and files the captures that a killed one left half written. */
import { readFile } from 'node:fs/promises';
import { analyze } from '../core/analysis/analysis.js';
import { type RecordedDump, recordedDumps, tailLimits } from '../core/capture/cut-short.js';
import { guestSettings } from '../core/config/guest-settings.js';
import type { Config } from '../core/config/schema.js';
import { cleanRow } from '../core/console/clean.js';
import { kernelOf } from '../core/console/markers.js';
import { RowSplitter } from '../core/console/rows.js';
import { parseDumps } from '../core/dump/parse-dumps.js';
import { dumpIn, keyOf } from '../core/watch/case/own-dumps.js';
import { type CutShort, finishPartials, type Interrupted } from '../io/archive/finish.js';
import type { Log } from '../io/log.js';
import { VERSION } from '../io/version.js';
import { recover } from './recover.js';

/**
 * Completes every partial incident in the archive, until the signal aborts: what is left then waits for the next start.
 * Never rejects: what goes wrong is logged.
 */
export async function finishCutShort(
  config: Config,
  root: string,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const readOn = (cut: Interrupted) => {
    const { capture, detect } = guestSettings(config, cut.accusation.vm, { qmpDirectory: '' });
    return recover(cut, tailLimits(capture, detect.secondLook), signal);
  };
  try {
    const { finished, failed } = await finishPartials(root, analyse, readOn);
    for (const { path } of finished)
      log('notice', `archived the unfinished capture of an earlier run: ${path}`);
    if (signal.aborted) return;
    for (const { path, why } of failed) log('warning', `could not complete ${path}: ${why}`);
  } catch (error) {
    log('warning', `could not complete the unfinished captures of an earlier run: ${String(error)}`);
  }
}

/** The raw console is the whole truth of a cut-short capture: the dumps are within it. */
async function analyse(cut: CutShort) {
  const files = await Promise.all(cut.dumps.map(linesOf));
  const rows = cut.raw === null ? [] : rowsOf(await readFile(cut.raw));
  const lines = rows.flatMap((row) => cleanRow(row));
  const { dumps: recorded, raised } = recordedDumps(lines.slice(linesIn(rows, cut.contextBytes)));
  // Where the bytes were cut by the disk, a dump's own file may hold more of it.
  const dumps = [...recorded, ...files].reduce(longest, []);
  const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
  const whole = dumps.map((dump) => ({ dump, parsed: dumpIn(dump.name, dump.lines, raised) }));
  const fromRaw = parseDumps(lines);
  const analysis = analyze(
    fromRaw.length > 0 ? fromRaw : whole.flatMap(({ parsed }) => parsed ?? []),
    context,
  );
  const incident = {
    ...analysis,
    ...cut.accusation,
    id: cut.id,
    startedAt: new Date(cut.startedAtMs).toISOString(),
    filedAt: new Date().toISOString(),
    recoveredAt: null,
    evidence: {
      complete: false,
      incompleteBecause: [
        ...whole.flatMap(({ dump: { name }, parsed }) =>
          (parsed?.incompleteBecause ?? ['it contains no readable dump']).map((why) => `${name}: ${why}`),
        ),
        ...(dumps.some(({ name }) => keyOf(name) === 't') ? [] : ['the dump of all tasks (t) was not taken']),
      ],
      dumps: whole.map(({ dump: { name, lines, fenced }, parsed }) => ({
        name,
        key: keyOf(name),
        complete: fenced && parsed?.complete === true,
        lines: lines.length,
        endedBy: fenced ? 'fence' : 'killed',
      })),
    },
    capture: [],
    armed: null,
    timings: {},
    kernel: kernelOf(lines),
    version: VERSION,
  };
  return {
    incident,
    parts: { console: `${lines.join('\n')}\n`, dumps: recorded.filter((dump) => dumps.includes(dump)) },
  };
}

/** One dump a name: the longer one. */
function longest(dumps: RecordedDump[], next: RecordedDump): RecordedDump[] {
  const known = dumps.find(({ name }) => name === next.name);
  if (known === undefined) return [...dumps, next];
  return known.lines.length >= next.lines.length
    ? dumps
    : dumps.map((dump) => (dump === known ? next : dump));
}

async function linesOf({ name, path }: CutShort['dumps'][number]): Promise<RecordedDump> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  const [dump] = recordedDumps(lines).dumps;
  return { name: name as RecordedDump['name'], lines, fenced: dump?.fenced ?? false };
}

/** How many cleaned lines the rows in the first bytes are. */
function linesIn(rows: readonly Uint8Array[], bytes: number): number {
  let count = 0;
  let at = 0;
  for (const row of rows) {
    if (at >= bytes) break;
    at += row.length + 1;
    count += cleanRow(row).length;
  }
  return count;
}

function rowsOf(bytes: Uint8Array): Uint8Array[] {
  const splitter = new RowSplitter();
  const rows = splitter.push(bytes);
  const rest = splitter.flush();
  return rest === null ? rows : [...rows, rest];
}
