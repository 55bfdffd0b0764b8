/** The directory of the incidents, and messages for each reason why it cannot be used. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { makeDirectory, ownDirectory } from '../files.js';
import { ownScope } from '../scope.js';

/** The archive cannot be used. The message names the path, the cause and the fix. */
export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

/**
 * $STATE_DIRECTORY (the first, if systemd gives several), else of the system /var/lib/wedgewatch, of a user
 * $XDG_STATE_HOME/wedgewatch, else ~/.local/state.
 */
export function stateDirectory(env: Readonly<Record<string, string | undefined>>): string {
  const given = env['STATE_DIRECTORY']?.split(':')[0];
  if (given !== undefined && given !== '') return given;
  if (ownScope(env) === 'system') return '/var/lib/wedgewatch';
  const xdg = env['XDG_STATE_HOME'];
  // The specification has relative ones ignored.
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'wedgewatch');
  const home = env['HOME'];
  return join(home !== undefined && isAbsolute(home) ? home : homedir(), '.local/state/wedgewatch');
}

export const incidentsIn = (root: string): string => join(root, 'incidents');

/** Makes the directory of the incidents if it is missing, private to its user. Throws ArchiveError, also for one of others. */
export async function makeIncidentsDirectory(root: string): Promise<string> {
  const path = incidentsIn(root);
  try {
    await makePrivate(root);
    await makePrivate(path);
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return path;
  } catch (error) {
    throw archiveError(path, error);
  }
}

async function makePrivate(path: string): Promise<void> {
  await makeDirectory(path, 0o700);
  await ownDirectory(path);
}

/** Names the cause and the fix of a failed write. */
export function archiveError(path: string, error: unknown): ArchiveError {
  return new ArchiveError(`${path} cannot be written: ${faultText(error)}`, { cause: error });
}

const FAULTS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied. Fix: chown it to the user that runs wedgewatch, or set archive.directory',
  EPERM: 'not permitted. Fix: chown it to the user that runs wedgewatch, or set archive.directory',
  EROFS:
    'its filesystem is read-only. Fix: remount it, or ReadWritePaths= in the unit, or set archive.directory',
  ENOSPC: 'no space left on the device. Fix: free some, or lower archive.maxIncidents',
  EDQUOT: 'the disk quota is used up. Fix: free some space, or lower archive.maxIncidents',
  ENOTDIR: 'a part of the path is a file. Fix: move that away, or set archive.directory',
  EEXIST: 'a file is in its place. Fix: move that away, or set archive.directory',
  EIO: 'input/output error. Fix: check the kernel log for errors of the disk',
  ELOOP: 'a symbolic link in its place, or a loop of them. Fix: correct the links, or set archive.directory',
};

/** A system error in words, with its fix; any other error in its own words. */
export function faultText(error: unknown): string {
  const code = errorCode(error) ?? '';
  const known = FAULTS[code];
  if (known !== undefined) return `${known} (${code})`;
  return error instanceof Error ? error.message : String(error);
}

export function errorCode(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null;
  return typeof error.code === 'string' ? error.code : null;
}

/** No space is left, or the quota is used up. */
export const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '');
