/** Reads the archive. The directories are the only record: no index besides them. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseIncidentName } from '../../core/report/incident.js';
import { type ReadIncident, readIncident } from '../../core/report/read-incident.js';
import { type IncidentRow, incidentRow, inOrder } from '../../core/report/row.js';
import { ArchiveError, errorCode, faultText, incidentsIn } from './directory.js';

/** All finished incidents, newest last, a damaged one included; none if there is no archive. Throws ArchiveError. */
export async function readIncidents(root: string): Promise<IncidentRow[]> {
  const parent = incidentsIn(root);
  const entries = await readdir(parent, { withFileTypes: true }).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw new ArchiveError(`${parent} cannot be read: ${faultText(error)}`, { cause: error });
  });
  const rows: Parameters<typeof inOrder>[0][number][] = [];
  // One after the other: only what the list needs of each stays in memory.
  for (const entry of entries) {
    if (!entry.isDirectory() || !parseIncidentName(entry.name)) continue;
    const path = join(parent, entry.name);
    const read = await readIncidentOf(path);
    const verdict = read.ok ? null : await readVerdict(path);
    rows.push(incidentRow(path, entry.name, read, verdict?.split('\n')[0] ?? null));
  }
  return inOrder(rows);
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
