/** One watchdog for a user and for an archive: whoever holds these two locks may press keys and file incidents. */
import { join } from 'node:path';
import { makeIncidentsDirectory } from '../io/archive/directory.js';
import { LockHeld, takeLock } from '../io/lock.js';

interface Owned {
  /** `$XDG_RUNTIME_DIR`: its guests and its control socket. */
  runtime: string;
  /** Root of the archive: another runtime directory must not lead two of us into it. Null where it is another's. */
  state: string | null;
}

/**
 * Takes both locks for the life of this process. A stopped owner stays the owner; a killed one leaves nothing behind.
 * An archive that cannot be written needs no lock: with `unlessBroken` nobody is kept from capturing by that.
 * @throws Error with who holds one of them, or with cause and fix; ArchiveError
 */
export async function becomeOwner(
  { runtime, state }: Owned,
  doing: string,
  { unlessBroken = false } = {},
): Promise<void> {
  await takeLock(join(runtime, 'wedgewatch', 'daemon.lock'), doing);
  if (state === null) return;
  try {
    await makeIncidentsDirectory(state);
    await takeLock(join(state, 'archive.lock'), doing);
  } catch (error) {
    if (!unlessBroken || error instanceof LockHeld) throw error;
  }
}
