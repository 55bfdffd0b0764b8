/** `list --all`: which hangs several hosts have seen, and how often. */
import type { FindKnown } from '../core/config/known.js';
import { printable } from '../core/printable.js';
import { countHangs, type FleetHang, type HostRow } from '../core/report/fleet.js';
import { safeJson } from '../core/report/json.js';
import { counted } from '../core/words.js';
import { readFleet } from '../io/archive/read.js';
import { EXIT, fromArchive } from './globals.js';
import { knownLines, type ListOptions, wantedBy } from './list.js';
import { type Cell, type Column, type Terminal, table } from './print.js';

const COLUMNS: readonly Column[] = [
  { title: 'TIMES', align: 'right' },
  { title: 'HOSTS', min: 8 },
  { title: 'FIRST' },
  { title: 'LAST' },
  { title: 'FINGERPRINT' },
  { title: 'VERDICT', min: 16 },
];
const HOSTS_SHOWN = 3;
/** Enough for `--fingerprint` and for a list of known hangs. */
const FINGERPRINT_SHOWN = 8;

/**
 * Counts the matching incidents of several archives by fingerprint, the most frequent first. Returns the exit code: 0, 2
 * for a bad --since, 3 for none, 5 for a directory that cannot be read.
 */
export async function listFleet(
  directories: readonly string[],
  options: ListOptions,
  terminal: Terminal,
  nowMs: number,
  findKnown: FindKnown = () => null,
): Promise<number> {
  const isWanted = wantedBy(options, nowMs, terminal);
  if (isWanted === null) return EXIT.usage;
  const hosts = await fromArchive(terminal, () => Promise.all(directories.map(readFleet)));
  if (hosts === null) return EXIT.environment;
  const rows: HostRow[] = hosts
    .flat()
    .flatMap(({ host, rows: found }) => found.filter(isWanted).map((row) => ({ ...row, host })));
  const hangs = countHangs(rows).map((hang) => ({
    ...hang,
    known: findKnown({ ...hang, startedAt: hang.lastAt }),
  }));
  const damaged = rows.filter(({ fingerprint }) => fingerprint === null).length;
  if (damaged > 0) terminal.err(`wedgewatch: ${counted(damaged, 'damaged incident')} not counted\n`);
  if (options.json === true) terminal.out(`${safeJson(hangs, 2)}\n`);
  else if (hangs.length > 0) {
    terminal.out(table(terminal, COLUMNS, hangs.map(cells)));
    terminal.out(knownLines(hangs.map((hang) => ({ name: shortened(hang), known: hang.known }))));
  } else terminal.err('wedgewatch: no incident matches\n');
  return hangs.length === 0 ? EXIT.noMatch : EXIT.ok;
}

const shortened = ({ fingerprint }: FleetHang): string =>
  printable(fingerprint.slice(0, FINGERPRINT_SHOWN), FINGERPRINT_SHOWN);

function cells(hang: FleetHang): Cell[] {
  const { count, hosts, firstAt, lastAt, verdict } = hang;
  const named = hosts.slice(0, HOSTS_SHOWN).map(({ host }) => host);
  const more = hosts.length > HOSTS_SHOWN ? [`${hosts.length - HOSTS_SHOWN} more`] : [];
  return [
    { text: String(count) },
    { text: printable([...named, ...more].join(', '), 200) },
    { text: firstAt.slice(0, 10) },
    { text: lastAt.slice(0, 10) },
    { text: shortened(hang) },
    { text: verdict },
  ];
}
