/** Removes old incidents, and nothing else. */
import type { Dirent } from 'node:fs';
import { lstat, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { schedule } from 'node-cron';
import type { Config } from '../../core/config/schema.js';
import {
  displaced,
  type Expired,
  expired,
  type Expiry,
  type Limits,
  type Stored,
} from '../../core/report/expired.js';
import { parseIncidentName } from '../../core/report/incident.js';
import { counted } from '../../core/words.js';
import { archiveError, errorCode, faultText, incidentsIn } from './directory.js';

/** A file of this name in an incident keeps it; only its user makes one. */
const PINNED = 'pinned';
/** An incident that is being removed: a kill in the middle must not leave half of one in the list. */
const REMOVING = '.removing';

/**
 * Removes the incidents beyond the limits, oldest first, and returns them. It touches only real directories with the
 * name of an incident and a verdict inside. Throws ArchiveError at the first that resists.
 */
export async function retain(
  root: string,
  limits: Limits,
  nowMs: number,
  trustClock = false,
): Promise<Expiry> {
  const parent = incidentsIn(root);
  for (const entry of await entriesOf(parent))
    if (isBeingRemoved(entry)) await remove(join(parent, entry.name));
  const expiry = expired(await storedIn(parent), limits, nowMs, trustClock);
  for (const { name } of expiry.gone) await removeIncident(parent, name);
  return expiry;
}

/** What `retain` would remove; nothing is touched. Throws ArchiveError. */
export async function retainable(
  root: string,
  limits: Limits,
  nowMs: number,
  trustClock = false,
): Promise<Expiry> {
  return expired(await storedIn(incidentsIn(root)), limits, nowMs, trustClock);
}

/** Why so many stay although they look too old, and what to do; null where the clock is believed. */
export function doubtText({ doubted }: Expiry, nowMs: number): string | null {
  if (doubted === 0) return null;
  const today = new Date(nowMs).toISOString().slice(0, 10);
  return (
    `${counted(doubted, 'incident')}, more than half, would go by archive.maxAge: kept, because the clock may be wrong. ` +
    `If today is ${today}, remove them with: wedgewatch prune --trust-clock`
  );
}

/**
 * The disk is full: removes the oldest incident of the guest that has most there, nothing pinned and none of the newest
 * ten. Returns its name, null if there is none to remove. Throws ArchiveError.
 */
export async function displaceOldest(root: string): Promise<string | null> {
  const parent = incidentsIn(root);
  const name = displaced(await storedIn(parent));
  if (name !== null) await removeIncident(parent, name);
  return name;
}

async function entriesOf(parent: string): Promise<Dirent[]> {
  return readdir(parent, { withFileTypes: true }).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw archiveError(parent, error);
  });
}

async function storedIn(parent: string): Promise<Stored[]> {
  const stored: Stored[] = [];
  for (const entry of await entriesOf(parent)) {
    const one =
      entry.isDirectory() && parseIncidentName(entry.name) ? await measure(parent, entry.name) : null;
    if (one !== null) stored.push(one);
  }
  return stored;
}

/** Null if the directory holds no verdict: then it is not ours. */
async function measure(parent: string, name: string): Promise<Stored | null> {
  let bytes = 0;
  let ours = false;
  let pinned = false;
  for (const file of await readdir(join(parent, name)).catch(() => [])) {
    const found = await lstat(join(parent, name, file)).catch(() => null);
    bytes += found?.size ?? 0;
    if (file === 'incident.json' || file === 'verdict.txt') ours ||= found?.isFile() === true;
    pinned ||= file === PINNED;
  }
  return ours ? { name, bytes, pinned } : null;
}

async function removeIncident(parent: string, name: string): Promise<void> {
  const doomed = join(parent, `${name}${REMOVING}`);
  await rename(join(parent, name), doomed).catch((error: unknown) => {
    throw archiveError(doomed, error);
  });
  await remove(doomed);
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

interface RetentionEvents {
  onRemoved: (gone: Expired[]) => void;
  onError: (message: string) => void;
}

/**
 * Runs `retain` by the schedule of the configuration, in UTC: a zone with summer time skips and doubles hours.
 * It makes up for a time that a suspended host slept through. Returns a function that stops it.
 */
export function scheduleRetention(
  root: string,
  { schedule: expression, ...limits }: Config['archive'],
  { onRemoved, onError }: RetentionEvents,
): () => Promise<void> {
  const run = async (): Promise<void> => {
    try {
      const now = Date.now();
      const expiry = await retain(root, limits, now);
      if (expiry.gone.length > 0) onRemoved(expiry.gone);
      const doubt = doubtText(expiry, now);
      if (doubt !== null) onError(doubt);
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
