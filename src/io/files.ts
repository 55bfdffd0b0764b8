/** Writes that a crash cannot leave half done. */
import { open, rename, rm } from 'node:fs/promises';

/** Ends the name of a file that is being written. */
export const TORN = '.new';

const FILE_MODE = 0o600;

/** Opens for writing with mode 0600, whatever the umask. */
export async function openPrivate(path: string, flags: 'w' | 'a') {
  const handle = await open(path, flags, FILE_MODE);
  try {
    await handle.chmod(FILE_MODE);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Puts a whole file in place or leaves what was there, on a full disk too; two at once for one path are the caller's
 * fault. The directory still has to be synced.
 */
export async function putFile(path: string, data: string | Iterable<string>): Promise<void> {
  const temporary = `${path}${TORN}`;
  try {
    const handle = await openPrivate(temporary, 'w');
    try {
      for (const text of typeof data === 'string' ? [data] : batches(data)) await handle.writeFile(text);
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
