import { dirname, join } from 'node:path';
import { readIncident } from '../../core/report/read-incident.js';
import { incidentJson } from '../../core/report/json.js';
import { archiveError } from './directory.js';
import { putFile, readOwn, syncPath } from '../files.js';
import { noteInIndex } from './row-index.js';

/**
 * Notes in a filed incident that its guest recovered (ISO, UTC). Atomic: a reader sees the old file or the new one.
 * Throws ArchiveError, also where incident.json cannot be read; it then stays as it is.
 */
export async function updateIncident(directory: string, patch: { recoveredAt: string }): Promise<void> {
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
