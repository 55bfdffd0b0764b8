/** Brings an incident that was filed elsewhere into the archive. */
import { lstat, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isEvidence, OPENING, RESERVE } from './contents.js';
import { archiveError, isFull, makeIncidentsDirectory } from './directory.js';
import { ownPartial, parsePartial } from './partial.js';
import { displaceOldest } from './retain.js';
import { putFile, syncPath, TORN } from '../files.js';

/**
 * Moves the incident in `from` into the archive in `root` and returns its path there. What the archive got of it before
 * it failed is completed: of the evidence the longer file stays, all else is taken from `from`. That is removed last, so
 * after a kill it can be repeated. On a full disk old incidents make room. Throws ArchiveError.
 */
export async function deliver(from: string, root: string): Promise<string> {
  const parent = await makeIncidentsDirectory(root);
  const path = join(parent, basename(from));
  const target = await begunIn(parent, basename(from));
  try {
    for (const file of await readdir(from)) {
      if (!file.endsWith(TORN)) await take(join(from, file), join(target, file), root);
    }
    for (const file of [OPENING, RESERVE]) await rm(join(target, file), { force: true });
    await syncPath(target);
    if (target !== path) await rename(target, path);
    await syncPath(parent);
    await rm(from, { recursive: true, force: true });
  } catch (error) {
    throw archiveError(target, error);
  }
  return path;
}

/** The directory that the archive has of it already, finished or not, else a new one. */
async function begunIn(parent: string, id: string): Promise<string> {
  const names = await readdir(parent);
  const begun = names.includes(id) ? id : names.find((name) => parsePartial(name)?.id === id);
  if (begun !== undefined) return join(parent, begun);
  const path = join(parent, await ownPartial(id));
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    throw archiveError(path, error);
  }
  return path;
}

async function take(from: string, to: string, root: string): Promise<void> {
  const found = await lstat(from);
  if (!found.isFile()) return;
  const name = basename(from);
  const there = isEvidence(name) ? await lstat(to).catch(() => null) : null;
  if (there !== null && there.size >= found.size) return;
  const bytes = await readFile(from);
  for (;;) {
    try {
      await putFile(to, bytes);
      return;
    } catch (error) {
      if (!isFull(error) || (await displaceOldest(root)) === null) throw error;
    }
  }
}
