/** `show`: one incident, as its verdict.txt says it, with the paths of its files. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { printable } from '../core/printable.js';
import { escapeUnsafe } from '../core/report/json.js';
import type { IncidentRow } from '../core/report/row.js';
import { renderVerdict } from '../core/report/text.js';
import { filesOf } from '../io/archive/contents.js';
import { ArchiveError } from '../io/archive/directory.js';
import { readIncidentOf, readIncidents, readVerdict } from '../io/archive/read.js';
import { styled, type Terminal } from './print.js';

interface ShowOptions {
  json?: boolean | undefined;
}

const LINE_MAX = 400;

/**
 * Prints an incident of the archive in `root`: the newest, or the one whose id or directory begins with `wanted`.
 * Returns the exit code: 0, 2 where several match, 3 where none does, 4 where its evidence is incomplete, 5 for an
 * unusable archive.
 */
export async function showIncident(
  root: string,
  wanted: string | undefined,
  options: ShowOptions,
  terminal: Terminal,
): Promise<number> {
  let rows: IncidentRow[];
  try {
    rows = await readIncidents(root);
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    terminal.err(`wedgewatch: ${error.message}\n`);
    return 5;
  }
  const found = wanted === undefined ? rows.slice(-1) : matching(rows, wanted);
  const [row] = found;
  if (row === undefined) {
    const what = wanted === undefined ? 'there is no incident yet' : `no incident ${printable(wanted, 100)}`;
    terminal.err(`wedgewatch: ${what}${rows.length > 0 ? '; wedgewatch list shows those there are' : ''}\n`);
    if (options.json === true) terminal.out('[]\n');
    return 3;
  }
  if (found.length > 1) {
    const names = found.map(({ id, verdict }) => `  ${id}  ${verdict}\n`);
    terminal.err(`wedgewatch: ${printable(wanted ?? '', 100)} could be any of\n${names.join('')}`);
    return 2;
  }
  await (options.json === true ? printJson(row, terminal) : printText(row, terminal));
  return row.complete ? 0 : 4;
}

function matching(rows: readonly IncidentRow[], wanted: string): IncidentRow[] {
  const name = wanted.replace(/\/+$/, '').replace(/^.*\//, '');
  if (name === '') return [];
  return rows.filter(({ id, shortId }) => id.startsWith(name) || shortId.startsWith(name));
}

async function printJson({ path, evidence }: IncidentRow, { out, err }: Terminal): Promise<void> {
  const text = await readFile(join(path, 'incident.json'), 'utf8').catch(() => '');
  try {
    JSON.parse(text);
    out(escapeUnsafe(text));
  } catch {
    err(`wedgewatch: ${join(path, 'incident.json')}: ${evidence}; ${join(path, 'verdict.txt')} may help\n`);
  }
}

async function printText({ path, evidence }: IncidentRow, terminal: Terminal): Promise<void> {
  const read = await readIncidentOf(path);
  if (read.ok) {
    const [title = '', ...lines] = renderVerdict(read.incident, await filesOf(path), path).split('\n');
    terminal.out([styled(terminal, 'bold', title), ...lines].join('\n'));
    return;
  }
  const text = (await readVerdict(path)) ?? '(no verdict)';
  const lines = text.split('\n').map((line) => printable(line, LINE_MAX));
  terminal.out(`${lines.join('\n').trimEnd()}\n`);
  terminal.err(`wedgewatch: ${styled(terminal, 'red', evidence)}; above is its verdict.txt\n`);
}
