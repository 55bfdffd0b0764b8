/** `list`: the incidents, newest last. */
import { durationMs } from '../core/config/duration.js';
import { didYouMean } from '../core/nearest.js';
import { safeJson } from '../core/report/json.js';
import { printable } from '../core/printable.js';
import { type IncidentRow, seenText } from '../core/report/row.js';
import { roughly } from '../core/words.js';
import { ArchiveError } from '../io/archive/directory.js';
import { readIncidents } from '../io/archive/read.js';
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
function verdictCell({ verdict, class: kind, recoveredAt }: IncidentRow): Cell {
  if (kind === 'unknown') return { text: verdict, style: 'yellow' };
  if (kind === 'none' || kind === 'network-only') return { text: verdict, style: 'dim' };
  return { text: verdict, ...(recoveredAt === null && { style: 'red' }) };
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
): Promise<number> {
  const since = options.since === undefined ? -Infinity : sinceMs(options.since, nowMs);
  if (since === null) {
    terminal.err(
      `wedgewatch: --since ${printable(options.since ?? '', 80)}: expected a duration such as 2h, ` +
        'or a date such as 2026-09-18 or 2026-09-18T10:15Z\n',
    );
    return 2;
  }
  let all: IncidentRow[];
  try {
    all = await readIncidents(root);
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    terminal.err(`wedgewatch: ${error.message}\n`);
    return 5;
  }
  const rows = all.filter(
    ({ startedAt, vm, fingerprint }) =>
      Date.parse(startedAt) >= since &&
      (options.vm === undefined || vm === options.vm) &&
      (options.fingerprint === undefined || fingerprint?.startsWith(options.fingerprint) === true),
  );
  if (options.json === true) terminal.out(`${safeJson(rows, 2)}\n`);
  else if (rows.length > 0) terminal.out(incidentTable(rows, terminal, nowMs));
  else terminal.err(`wedgewatch: no incident matches${hintFor(options.vm, all)}\n`);
  return rows.length === 0 ? 3 : 0;
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
