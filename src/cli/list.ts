/** `list`: the incidents, newest last. */
import { durationMs } from '../core/config/duration.js';
import { type FindKnown, type Known, knownText } from '../core/config/known.js';
import { didYouMean } from '../core/nearest.js';
import { safeJson } from '../core/report/json.js';
import { printable } from '../core/printable.js';
import { type IncidentRow, seenText } from '../core/report/row.js';
import { roughly } from '../core/words.js';
import { readIncidents } from '../io/archive/read.js';
import { EXIT, fromArchive } from './globals.js';
import { type Cell, type Column, type Terminal, table } from './print.js';

export interface ListOptions {
  /** A duration back from now, or an ISO date; UTC if it names no zone. */
  since?: string | undefined;
  vm?: string | undefined;
  /** A prefix is enough. */
  fingerprint?: string | undefined;
  json?: boolean | undefined;
}

interface Shape {
  column: Column;
  cell: (row: IncidentRow, nowMs: number) => Cell;
}

const TIME: Shape = {
  column: { title: 'TIME (UTC)', drop: 1 },
  cell: ({ startedAt }) => ({ text: startedAt.slice(0, 19).replace('T', ' ') }),
};
const AGO: Shape = {
  column: { title: 'AGO', align: 'right' },
  cell: ({ startedAt }, nowMs) => ({ text: roughly(nowMs - Date.parse(startedAt)), style: 'dim' }),
};

/** In a terminal times are relative, and what was seen before is a count: there the verdict needs the room. */
const shapes = (inTerminal: boolean): Shape[] => [
  TIME,
  ...(inTerminal ? [AGO] : []),
  { column: { title: 'VM', min: 12 }, cell: ({ vm }) => ({ text: printable(vm, 64) }) },
  { column: { title: 'VERDICT', min: 24, want: 44 }, cell: verdictCell },
  {
    column: { title: 'TASKS', align: 'right', drop: 2 },
    cell: ({ tasks }) => ({ text: tasks ? `${tasks.stuck}/${tasks.all}` : '?' }),
  },
  { column: { title: 'EVIDENCE', min: 11 }, cell: evidenceCell },
  {
    column: { title: 'SEEN', drop: 3 },
    cell: (row) => ({ text: !inTerminal ? seenText(row) : row.seen === 1 ? 'once' : `${row.seen}×` }),
  },
  { column: { title: 'ID' }, cell: ({ shortId }) => ({ text: shortId }) },
];

/** Red is a guest that is not known to have recovered. */
function verdictCell({ verdict, test, class: kind, recoveredAt }: IncidentRow): Cell {
  const text = test === null ? verdict : `${test}: ${verdict}`;
  if (kind === 'unknown') return { text, style: 'yellow' };
  if (kind === 'none' || kind === 'network-only') return { text, style: 'dim' };
  return { text, ...(recoveredAt === null && { style: 'red' }) };
}

const evidenceCell = ({ evidence, complete, class: kind }: IncidentRow): Cell => ({
  text: evidence,
  ...(!complete && { style: kind === null ? 'red' : 'yellow' }),
});

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
  const all = await fromArchive(terminal, () => readIncidents(root));
  if (all === null) return EXIT.environment;
  const rows = all.filter(isWanted).map((row) => ({ ...row, known: findKnown(row) }));
  if (options.json === true) terminal.out(`${safeJson(rows, 2)}\n`);
  else if (rows.length > 0) {
    terminal.out(incidentTable(rows, terminal, nowMs));
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

function incidentTable(rows: readonly IncidentRow[], terminal: Terminal, nowMs: number): string {
  const shown = shapes(terminal.columns !== null);
  return table(
    terminal,
    shown.map(({ column }) => column),
    rows.map((row) => shown.map(({ cell }) => cell(row, nowMs))),
  );
}

function sinceMs(text: string, nowMs: number): number | null {
  const ago = durationMs(text);
  if (typeof ago === 'number') return nowMs - ago;
  if (!/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d.*)?$/.test(text)) return null;
  const zoned = /T.*(?:Z|[+-]\d\d:?\d\d)$/.test(text) || !text.includes('T');
  const ms = Date.parse(zoned ? text : `${text}Z`);
  return Number.isNaN(ms) ? null : ms;
}
