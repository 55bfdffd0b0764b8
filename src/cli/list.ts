/** `list`: the incidents, newest last. */
import { durationMs } from '../core/config/duration.js';
import { type FindKnown, type Known, knownText } from '../core/config/known.js';
import { didYouMean } from '../core/nearest.js';
import { safeJson } from '../core/report/json.js';
import { printable } from '../core/printable.js';
import { type IncidentRow, seenText } from '../core/report/row.js';
import { ArchiveError } from '../io/archive/directory.js';
import { readIncidents } from '../io/archive/read.js';
import { EXIT } from './globals.js';
import { type Cell, type Column, type Terminal, table } from './print.js';

export interface ListOptions {
  /** A duration back from now, or an ISO date; UTC if it names no zone. */
  since?: string | undefined;
  vm?: string | undefined;
  /** A prefix is enough. */
  fingerprint?: string | undefined;
  json?: boolean | undefined;
}

const COLUMNS: readonly Column[] = [
  { title: 'TIME (UTC)' },
  { title: 'VM', min: 8 },
  { title: 'VERDICT', min: 24 },
  { title: 'TASKS', align: 'right' },
  { title: 'EVIDENCE', min: 12 },
  { title: 'SEEN', min: 5 },
  { title: 'ID' },
];

/**
 * Prints the matching incidents of the archive in `root`; docs/reading.md explains the columns. Returns the exit code:
 * 0, 2 for a bad --since, 3 for none, 5 for an unusable archive.
 */
export async function listIncidents(
  root: string,
  options: ListOptions,
  terminal: Terminal,
  nowMs: number,
  findKnown: FindKnown = () => null,
): Promise<number> {
  const isWanted = wantedBy(options, nowMs, terminal);
  if (isWanted === null) return EXIT.usage;
  let all: IncidentRow[];
  try {
    all = await readIncidents(root);
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    terminal.err(`wedgewatch: ${error.message}\n`);
    return EXIT.environment;
  }
  const rows = all.filter(isWanted).map((row) => ({ ...row, known: findKnown(row) }));
  if (options.json === true) terminal.out(`${safeJson(rows, 2)}\n`);
  else if (rows.length > 0) {
    terminal.out(table(terminal, COLUMNS, rows.map(cells)));
    terminal.out(knownLines(rows.map(({ shortId, known }) => ({ name: shortId, known }))));
  } else terminal.err(`wedgewatch: no incident matches${hintFor(options.vm, all)}\n`);
  return rows.length === 0 ? EXIT.noMatch : EXIT.ok;
}

/** Which incidents are asked for; null, with a word on standard error, for a --since that says nothing. */
export function wantedBy(
  { since: when, vm, fingerprint }: Omit<ListOptions, 'json'>,
  nowMs: number,
  terminal: Terminal,
): ((row: Pick<IncidentRow, 'startedAt' | 'vm' | 'fingerprint'>) => boolean) | null {
  const since = when === undefined ? -Infinity : sinceMs(when, nowMs);
  if (since === null) {
    terminal.err(
      `wedgewatch: --since ${printable(when ?? '', 80)}: expected a duration such as 2h, ` +
        'or a date such as 2026-09-18 or 2026-09-18T10:15Z\n',
    );
    return null;
  }
  return (row) =>
    Date.parse(row.startedAt) >= since &&
    (vm === undefined || row.vm === vm) &&
    (fingerprint === undefined || row.fingerprint?.startsWith(fingerprint) === true);
}

const NAMES_SHOWN = 8;

/** What is known of the rows of a table, below it, so that links stay whole: `known: https://… (title): ID, ID`. */
export function knownLines(rows: readonly { name: string; known: Known | null }[]): string {
  const named = new Map<string, string[]>();
  for (const { name, known } of rows)
    if (known !== null) named.set(knownText(known), [...(named.get(knownText(known)) ?? []), name]);
  return [...named]
    .map(([text, names]) => {
      const more = names.length > NAMES_SHOWN ? `, and ${names.length - NAMES_SHOWN} more` : '';
      return `${text}: ${names.slice(-NAMES_SHOWN).join(', ')}${more}\n`;
    })
    .join('');
}

/** The VM that was most likely meant, where no incident is of the one that was named. */
function hintFor(vm: string | undefined, all: readonly IncidentRow[]): string {
  const vms = [...new Set(all.map((row) => row.vm))];
  return vm === undefined || vms.includes(vm) ? '' : printable(didYouMean(vm, vms), 100);
}

function cells(row: IncidentRow): Cell[] {
  const { startedAt, vm, verdict, class: kind, tasks, evidence, complete, shortId } = row;
  return [
    { text: startedAt.slice(0, 19).replace('T', ' ') },
    { text: printable(vm, 64) },
    { text: verdict },
    { text: tasks ? `${tasks.stuck}/${tasks.all}` : '?' },
    { text: evidence, ...(complete ? {} : { style: kind === null ? 'red' : 'yellow' }) },
    { text: seenText(row) },
    { text: shortId },
  ];
}

function sinceMs(text: string, nowMs: number): number | null {
  const ago = durationMs(text);
  if (typeof ago === 'number') return nowMs - ago;
  if (!/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d.*)?$/.test(text)) return null;
  const zoned = /T.*(?:Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes('T');
  const ms = Date.parse(zoned ? text : `${text}Z`);
  return Number.isNaN(ms) ? null : ms;
}
