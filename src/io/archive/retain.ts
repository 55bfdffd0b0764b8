/** Removes old incidents, and nothing else. */
import type { Dirent } from 'node:fs';
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { schedule } from 'node-cron';
import type { Config } from '../../core/config/schema.js';
import { expired, type Limits } from '../../core/report/expired.js';
import { parseIncidentName } from '../../core/report/incident.js';
import { archiveError, errorCode, faultText, incidentsIn } from './directory.js';

/** An incident that is being removed: a kill in the middle must not leave half of one in the list. */
const REMOVING = '.removing';

/**
 * Removes the incidents beyond the limits, oldest first, and returns their names. Only real directories with the name
 * of an incident and a verdict inside are ever touched. Throws ArchiveError at the first that resists.
 */
export async function retain(root: string, limits: Limits): Promise<string[]> {
  const parent = incidentsIn(root);
  const entries = await readdir(parent, { withFileTypes: true }).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw archiveError(parent, error);
  });
  const ours: string[] = [];
  for (const entry of entries) {
    if (isBeingRemoved(entry)) await remove(join(parent, entry.name));
    else if (entry.isDirectory() && (await looksLikeOurs(parent, entry.name))) ours.push(entry.name);
  }
  const names = expired(ours, limits);
  for (const name of names) {
    const doomed = join(parent, `${name}${REMOVING}`);
    await rename(join(parent, name), doomed).catch((error: unknown) => {
      throw archiveError(doomed, error);
    });
    await remove(doomed);
  }
  return names;
}

const isBeingRemoved = (entry: Dirent): boolean =>
  entry.isDirectory() &&
  entry.name.endsWith(REMOVING) &&
  parseIncidentName(entry.name.slice(0, -REMOVING.length)) !== null;

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    throw archiveError(path, error);
  }
}

async function looksLikeOurs(parent: string, name: string): Promise<boolean> {
  for (const file of ['incident.json', 'verdict.txt']) {
    const found = await lstat(join(parent, name, file)).catch(() => null);
    if (found?.isFile() === true) return true;
  }
  return false;
}

interface RetentionEvents {
  onRemoved: (names: string[]) => void;
  onError: (message: string) => void;
}

/**
 * Runs `retain` by the schedule of the configuration, in UTC: a zone with summer time skips and doubles hours.
 * A time that a suspended host slept through is made up for. Returns what stops it.
 */
export function scheduleRetention(
  root: string,
  { schedule: expression, maxIncidents, maxAge }: Config['archive'],
  { onRemoved, onError }: RetentionEvents,
): () => Promise<void> {
  const run = async (): Promise<void> => {
    try {
      const names = await retain(root, { maxIncidents, maxAgeMs: maxAge, nowMs: Date.now() });
      if (names.length > 0) onRemoved(names);
    } catch (error) {
      onError(faultText(error));
    }
  };
  const task = schedule(expression, run, {
    timezone: 'UTC',
    noOverlap: true,
    suppressMissedWarning: true,
    unref: true,
  });
  task.on('execution:missed', run);
  return async () => {
    await task.destroy();
  };
}
