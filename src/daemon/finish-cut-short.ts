/** What a killed daemon left half written is analysed and filed when the next one starts. */
import { readFile } from 'node:fs/promises';
import { analyze } from '../core/analysis/analyze.js';
import { cleanRow } from '../core/console/clean.js';
import { RowSplitter } from '../core/console/rows.js';
import { parseDumps } from '../core/dump/parse.js';
import { dumpIn, keyOf } from '../core/watch/own-dumps.js';
import { type CutShort, finishPartials } from '../io/archive/finish.js';
import type { Log } from '../io/log.js';
import { VERSION } from '../io/version.js';

/** Completes every partial incident in the archive. Throws ArchiveError where the archive cannot be used at all. */
export async function finishCutShort(root: string, log: Log): Promise<void> {
  const { finished, failed } = await finishPartials(root, analyse);
  for (const { path } of finished) log('notice', `archived what an earlier run had captured: ${path}`);
  for (const { path, why } of failed) log('warning', `${path} could not be completed: ${why}`);
}

/** The raw console is the whole truth of a cut-short capture: the dumps are within it. */
async function analyse(cut: CutShort) {
  const files = await Promise.all(cut.dumps.map(linesOf));
  const lines =
    cut.raw === null
      ? files.flatMap((file) => file.lines)
      : rowsOf(await readFile(cut.raw)).flatMap((row) => cleanRow(row));
  const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
  const analysis = analyze(parseDumps(lines), context);
  const evidence = {
    complete: false,
    incompleteBecause: [],
    dumps: files.map(({ name, lines }) => {
      // It was written when it had ended; what the loglevel was is not known any more.
      const complete = dumpIn(name, lines, false)?.complete ?? false;
      return { name, key: keyOf(name), complete, lines: lines.length, endedBy: 'killed' };
    }),
  };
  const incident = {
    ...analysis,
    ...cut.accusation,
    id: cut.id,
    startedAt: new Date(cut.startedAtMs).toISOString(),
    filedAt: new Date().toISOString(),
    recoveredAt: null,
    evidence,
    capture: [],
    timings: {},
    version: VERSION,
  };
  return { incident, parts: { console: `${lines.join('\n')}\n` } };
}

async function linesOf({ name, path }: CutShort['dumps'][number]) {
  return { name, lines: (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '') };
}

function rowsOf(bytes: Uint8Array): Uint8Array[] {
  const splitter = new RowSplitter();
  const rows = splitter.push(bytes);
  const rest = splitter.flush();
  return rest === null ? rows : [...rows, rest];
}
