/** Reads the archive. The directories are the only record; the index besides them only saves reading. */
import { type Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseIncidentName } from '../../core/report/incident.js';
import { type ReadIncident, readIncident } from '../../core/report/read-incident.js';
import { type IncidentRow, incidentRow, inOrder } from '../../core/report/row.js';
import { ArchiveError, errorCode, faultText, incidentsIn } from './directory.js';
import { type Entry, markOf, readIndex, type RowIndex, writeIndex } from './row-index.js';

/** How many files are looked at side by side. */
const AT_ONCE = 64;

/** All finished incidents, newest last, a damaged one included; none if there is no archive. Throws ArchiveError. */
export async function readIncidents(root: string): Promise<IncidentRow[]> {
  return readRows(incidentsIn(root), root);
}

/** The incidents that are directories in `parent`, as `readIncidents`; `root` is where their index is, null for none. */
async function readRows(parent: string, root: string | null): Promise<IncidentRow[]> {
  const entries = await readdir(parent, { withFileTypes: true }).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw new ArchiveError(`${parent} cannot be read: ${faultText(error)}`, { cause: error });
  });
  const names = entries.filter(isIncident).map(({ name }) => name);
  const index: RowIndex = root === null ? NO_INDEX : await readIndex(root);
  const marks = await marksOf(parent, names);
  const rows: Entry[] = [];
  // One after the other: only what the list needs of each stays in memory.
  for (const [name, mark] of marks) rows.push(await rowOf(join(parent, name), name, { index, mark }));
  if (root !== null) await keepIndex(root, index, rows);
  return inOrder(
    rows.map(({ row }) => row),
    (id) => join(parent, id),
  );
}

const NO_INDEX: RowIndex = { entries: new Map(), isWorn: () => false };

async function keepIndex(root: string, index: RowIndex, rows: readonly Entry[]): Promise<void> {
  const known = rows.filter(({ mark }) => mark !== UNREADABLE);
  const isNew = known.some((entry) => index.entries.get(entry.row.id) !== entry);
  if (isNew || index.isWorn(known.length)) await writeIndex(root, known);
}

/**
 * The incidents of several hosts. `directory` is an archive, or holds incidents, or holds a directory a host that is one
 * or the other; the host is the name of that directory. Throws ArchiveError, also where no incident is found.
 */
export async function readFleet(directory: string): Promise<{ host: string; rows: IncidentRow[] }[]> {
  const own = await rowsOfHost(directory);
  if (own !== null) return [{ host: basename(resolve(directory)), rows: own }];
  const hosts: { host: string; rows: IncidentRow[] }[] = [];
  for (const host of (await directoriesIn(directory)).sort()) {
    const rows = await rowsOfHost(join(directory, host));
    if (rows !== null) hosts.push({ host, rows });
  }
  if (hosts.length === 0)
    throw new ArchiveError(
      `${directory} holds no incidents. Fix: name an archive, a directory of incidents, or one that holds such a directory for each host`,
    );
  return hosts;
}

/** Null where there is none. */
async function rowsOfHost(directory: string): Promise<IncidentRow[] | null> {
  const names = await directoriesIn(directory);
  if (names.includes(basename(incidentsIn('')))) return readIncidents(directory);
  return names.some((name) => parseIncidentName(name) !== null) ? readRows(directory, null) : null;
}

async function directoriesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    throw new ArchiveError(`${directory} cannot be read: ${faultText(error)}`, { cause: error });
  });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

const isIncident = (entry: Dirent): boolean => entry.isDirectory() && parseIncidentName(entry.name) !== null;

/** Of a damaged incident, which is read each time: its verdict.txt may change too. */
const UNREADABLE = '';

/** Taken before anything is read: a file that is replaced meanwhile has another one the next time. */
async function marksOf(parent: string, names: readonly string[]): Promise<[name: string, mark: string][]> {
  const marks: [string, string][] = [];
  const markOfOne = async (name: string): Promise<[string, string]> => {
    const found = await stat(join(parent, name, 'incident.json')).catch(() => null);
    return [name, found?.isFile() === true ? markOf(found) : UNREADABLE];
  };
  for (let start = 0; start < names.length; start += AT_ONCE)
    marks.push(...(await Promise.all(names.slice(start, start + AT_ONCE).map(markOfOne))));
  return marks;
}

async function rowOf(
  path: string,
  name: string,
  { index, mark }: { index: RowIndex; mark: string },
): Promise<Entry> {
  const known = index.entries.get(name);
  if (mark !== UNREADABLE && known?.mark === mark) return known;
  const read = await readIncidentOf(path);
  const verdict = read.ok ? null : await readVerdict(path);
  const row = incidentRow(name, read, verdict?.split('\n')[0] ?? null);
  return { mark: read.ok ? mark : UNREADABLE, row };
}

/** The incident in a directory, or why it cannot be read. */
export async function readIncidentOf(path: string): Promise<ReadIncident> {
  try {
    return readIncident(await readFile(join(path, 'incident.json'), 'utf8'));
  } catch (error) {
    const missing = errorCode(error) === 'ENOENT';
    return {
      ok: false,
      problem: missing ? 'incident.json is missing' : `incident.json: ${faultText(error)}`,
    };
  }
}

/** The text of verdict.txt, null if it is missing or empty. */
export async function readVerdict(path: string): Promise<string | null> {
  const text = await readFile(join(path, 'verdict.txt'), 'utf8').catch(() => '');
  return text === '' ? null : text;
}
