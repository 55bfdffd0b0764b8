/** `show`: one incident, as its verdict.txt says it, with the paths of its files. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FindKnown, Known } from '../core/config/known.js';
import { printable } from '../core/printable.js';
import { escapeUnsafe, safeJson } from '../core/report/json.js';
import { type IncidentRow, seenText } from '../core/report/row.js';
import { renderVerdict } from '../core/report/text.js';
import { filesOf } from '../io/archive/contents.js';
import { readIncidentOf, readVerdict } from '../io/archive/read.js';
import { findIncident, NotFound } from './find-evidence.js';
import { EXIT } from './globals.js';
import { folded, paged, styled, type Terminal } from './print.js';

interface ShowOptions {
  json?: boolean | undefined;
}

const LINE_MAX = 400;

/**
 * Prints an incident of the archive in `root`: the newest, or the one whose id or directory begins with `wanted`.
 * Returns the exit code: 0, 2 if several match, 3 if none does, 4 if its evidence is incomplete, 5 for an
 * unusable archive.
 */
export async function showIncident(
  root: string,
  wanted: string | undefined,
  options: ShowOptions,
  terminal: Terminal,
  findKnown: FindKnown = () => null,
): Promise<number> {
  try {
    const row = await findIncident(root, wanted);
    const known = findKnown(row);
    await (options.json === true ? printJson(row, known, terminal) : printText(row, known, terminal));
    return row.complete ? EXIT.ok : EXIT.incomplete;
  } catch (error) {
    if (!(error instanceof NotFound)) throw error;
    terminal.err(`wedgewatch: ${error.message}\n`);
    if (options.json === true && error.code === EXIT.noMatch) terminal.out('[]\n');
    return error.code;
  }
}

/** incident.json as it is; a known hang has a further member, `known`. */
async function printJson(
  { path, evidence }: IncidentRow,
  known: Known | null,
  { out, err }: Terminal,
): Promise<void> {
  const text = await readFile(join(path, 'incident.json'), 'utf8').catch(() => '');
  try {
    const incident: unknown = JSON.parse(text);
    const isKnown = known !== null && typeof incident === 'object';
    out(isKnown ? `${safeJson({ ...incident, known })}\n` : escapeUnsafe(text));
  } catch {
    err(`wedgewatch: ${join(path, 'incident.json')}: ${evidence}; ${join(path, 'verdict.txt')} may help\n`);
  }
}

async function printText(row: IncidentRow, known: Known | null, terminal: Terminal): Promise<void> {
  const { path, evidence } = row;
  const read = await readIncidentOf(path);
  if (read.ok) {
    const [title = '', ...lines] = renderVerdict(read.incident, await filesOf(path), {
      directory: path,
      seen: seenText(row),
      known,
    }).split('\n');
    const [head = '', ...rest] = folded(terminal, [title, ...lines].join('\n')).split('\n');
    const more = rest.findIndex((line) => line === '');
    const heads = [head, ...rest.slice(0, more)].map((line) => styled(terminal, 'bold', line));
    await paged(terminal, [...heads, ...rest.slice(more).map((line) => coloured(terminal, line))].join('\n'));
    return;
  }
  const text = (await readVerdict(path)) ?? '(no verdict)';
  const lines = text.split('\n').map((line) => printable(line, LINE_MAX));
  terminal.out(`${lines.join('\n').trimEnd()}\n`);
  terminal.err(`wedgewatch: ${styled(terminal, 'red', evidence)}; above is its verdict.txt\n`);
}

/** A heading is bold, and what speaks against the evidence yellow. */
function coloured(terminal: Terminal, line: string): string {
  if (/^Evidence: INCOMPLETE|^ {2}\S+ +INCOMPLETE,/.test(line)) return styled(terminal, 'yellow', line);
  return /^(?:[WISHEF][a-z][^:]*|Evidence: complete)$/.test(line) ? styled(terminal, 'bold', line) : line;
}
