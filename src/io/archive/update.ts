import { dirname, join } from 'node:path';
import type { Incident } from '../../core/report/incident.js';
import { readIncident } from '../../core/report/read-incident.js';
import { incidentJson } from '../../core/report/json.js';
import { archiveError } from './directory.js';
import { putFile, readOwn, syncPath } from '../files.js';
import { noteInIndex } from './row-index.js';

/** What is noted in an incident after it was filed: that its guest recovered, what is known of it, what its hooks did. */
export type Later = Partial<Pick<Incident, 'recoveredAt' | 'known' | 'hooks'>>;

/** The last update of each directory: two at once would lose one. */
const last = new Map<string, Promise<void>>();

/**
 * Notes something in a filed incident. Atomic: a reader sees the old file or the new one. Throws ArchiveError, also where
 * incident.json cannot be read; it then stays as it is.
 */
export function updateIncident(directory: string, patch: Later): Promise<void> {
  const before = last.get(directory) ?? Promise.resolve();
  const update = before.then(() => updateAlone(directory, patch));
  const settled = update
    .catch(() => undefined)
    .then(() => {
      if (last.get(directory) === settled) last.delete(directory);
    });
  last.set(directory, settled);
  return update;
}

async function updateAlone(directory: string, patch: Later): Promise<void> {
  const file = join(directory, 'incident.json');
  try {
    const text = await readOwn(file);
    const read = readIncident(text);
    if (!read.ok) throw new Error(read.problem);
    // From the text, not from what was read of it: members of a later version stay.
    await putFile(file, incidentJson({ ...(JSON.parse(text) as typeof read.incident), ...patch }));
    await syncPath(dirname(file));
    await noteInIndex(directory, { ...read.incident, ...patch });
  } catch (error) {
    throw archiveError(file, error);
  }
}
