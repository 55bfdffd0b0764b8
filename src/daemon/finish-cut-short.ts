/** What a killed daemon left half written is analysed and filed when the next one starts. */
import { readFile } from 'node:fs/promises';
import { analyze } from '../core/analysis/analyze.js';
import { cleanRow } from '../core/console/clean.js';
import { RowSplitter } from '../core/console/rows.js';
import { DumpParser } from '../core/dump/parse.js';
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
  const lines =
    cut.raw === null ? await dumpLines(cut) : rowsOf(await readFile(cut.raw)).flatMap((row) => cleanRow(row));
  const parser = new DumpParser();
  for (const line of lines) parser.push(line);
  const dumps = parser.finish();
  const analysis = analyze(dumps, { secondsBetweenLooks: null, shares: [], kernelCommandLine: null });
  const startedAt = new Date(cut.startedAtMs).toISOString();
  const evidence = {
    complete: false,
    incompleteBecause: [],
    dumps: cut.dumps.map(({ name }) => {
      const key = name === 'sysrq-t' ? ('t' as const) : ('w' as const);
      const parsed = dumps.find((dump) => dump.key === key);
      return { name, key, complete: parsed?.complete ?? false, lines: 0, endedBy: 'killed' };
    }),
  };
  const incident = {
    ...analysis,
    ...cut.accusation,
    id: cut.id,
    startedAt,
    filedAt: startedAt,
    recoveredAt: null,
    evidence,
    timings: {},
    version: VERSION,
  };
  return { incident, parts: { console: `${lines.join('\n')}\n` } };
}

async function dumpLines(cut: CutShort): Promise<string[]> {
  const texts = await Promise.all(cut.dumps.map(({ path }) => readFile(path, 'utf8')));
  return texts.flatMap((text) => text.split('\n'));
}

function rowsOf(bytes: Uint8Array): Uint8Array[] {
  const splitter = new RowSplitter();
  const rows = splitter.push(bytes);
  const rest = splitter.flush();
  return rest === null ? rows : [...rows, rest];
}
