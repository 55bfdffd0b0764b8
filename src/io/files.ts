/** Writes that a crash cannot leave half done, and that nobody else can turn elsewhere. */
import { constants, type Stats } from 'node:fs';
import { chmod, type FileHandle, lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ownUser } from './trust.js';

/** Ends the name of a file that is being written. */
export const TORN = '.new';

const FILE_MODE = 0o600;

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const HOW = { new: O_CREAT | O_EXCL, append: O_CREAT | O_APPEND };

/** Opens for writing with mode 0600, whatever the umask. Throws for a link, and for what others own or can reach by a link. */
export async function openPrivate(path: string, how: keyof typeof HOW): Promise<FileHandle> {
  const handle = await open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | HOW[how], FILE_MODE);
  return checked(handle, async ({ nlink }) => {
    if (nlink > 1) throw new Error('it is a hard link to another file. Fix: move that away');
    await handle.chmod(FILE_MODE);
  });
}

/** The text of a file that this user wrote. Throws as `openPrivate` does. */
export async function readOwn(path: string): Promise<string> {
  const handle = await checked(await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK), () => Promise.resolve());
  try {
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

/** Checked once it is open: nobody can put another file in its place then. */
async function checked(handle: FileHandle, then: (found: Stats) => Promise<void>): Promise<FileHandle> {
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new Error('it is not a regular file. Fix: move that away');
    refuseOthers(found);
    await then(found);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** With those above it. Node's recursive mkdir never returns in /proc, and says ENOENT of a filesystem that is read-only. */
export async function makeDirectory(path: string, mode?: number): Promise<void> {
  try {
    await makeOne(path, mode);
  } catch (error) {
    const above = dirname(path);
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT') || above === path)
      throw error;
    await makeDirectory(above, mode);
    await makeOne(path, mode);
  }
}

/** With this mode whatever the umask; without one as the umask has it. */
async function makeOne(path: string, mode?: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const there = await stat(path).catch(() => null);
    if (there?.isDirectory() === true) return;
    throw error;
  }
  if (mode !== undefined) await chmod(path, mode);
}

/** A directory in which only this user can put something; what others may write is closed to them. Throws otherwise. */
export async function ownDirectory(path: string): Promise<void> {
  // A link may be the administrator's, too.
  const link = await lstat(path);
  if (link.uid !== 0) refuseOthers(link);
  const found = await stat(path);
  if (!found.isDirectory()) throw Object.assign(new Error(`${path} is a file`), { code: 'EEXIST' });
  refuseOthers(found);
  // In one like /tmp nobody can replace what is another's.
  if ((found.mode & OTHERS_WRITE) !== 0 && (found.mode & STICKY) === 0)
    await chmod(path, found.mode & 0o7777 & ~OTHERS_WRITE);
}

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

function refuseOthers({ uid }: Stats): void {
  if (uid === ownUser()) return;
  throw new Error(
    `it belongs to another user (uid ${uid}), who could put links into it. Fix: move it away, or choose another directory`,
  );
}

/**
 * Puts a whole file in place or leaves what was there, on a full disk too; two at once for one path are the caller's
 * fault. The directory still has to be synced.
 */
export async function putFile(path: string, data: string | Uint8Array | Iterable<string>): Promise<void> {
  const temporary = `${path}${TORN}`;
  try {
    await rm(temporary, { force: true });
    const handle = await openPrivate(temporary, 'new');
    try {
      if (typeof data === 'string' || data instanceof Uint8Array) await handle.writeFile(data);
      else for (const text of batches(data)) await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

const SHOWN_MODE = 0o644;

/**
 * Puts a whole file in place for others to read; who may is for the mode of its directory to say. It is not synced: what
 * it tells is of the moment. Two at once for one path are the caller's fault.
 */
export async function showFile(path: string, text: string): Promise<void> {
  const beside = path + TORN;
  try {
    await rm(beside, { force: true });
    const handle = await openPrivate(beside, 'new');
    try {
      await handle.writeFile(text);
      await handle.chmod(SHOWN_MODE);
    } finally {
      await handle.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** Few enough for others to have their turn in between. */
const BATCH = 256 << 10;

function* batches(parts: Iterable<string>): Generator<string> {
  let batch = '';
  for (const part of parts) {
    batch += part;
    if (batch.length < BATCH) continue;
    yield batch;
    batch = '';
  }
  yield batch;
}

/** Makes a file's bytes, or the names in a directory, survive a power cut. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
