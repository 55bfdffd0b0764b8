/** Whom this user believes: any other can start a process with any command line, and put any file where it may write. */
import { stat } from 'node:fs/promises';
import { readUids } from './proc.js';

/** The user whose rights this process has. */
export const ownUser = (): number => process.geteuid?.() ?? 0;

/** This user, and who made what is at the path: QEMU may run as another user who shares its socket. */
export async function usersBehind(path: string): Promise<Set<number>> {
  const found = await stat(path).catch(() => null);
  return new Set(found === null ? [ownUser()] : [ownUser(), found.uid]);
}

/**
 * Whether a process acts for none but these users. /proc/PID itself belongs to root for any setuid program; the real user
 * of one is still who started it.
 */
export async function actsFor(pid: number, users: ReadonlySet<number>): Promise<boolean> {
  const uids = await readUids(pid);
  return uids?.every((uid) => users.has(uid)) === true;
}
