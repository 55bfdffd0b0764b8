/** Whether there is a unix socket at a path: asked for each guest all the time, so all who ask share one reading. */
import { readFile, stat } from 'node:fs/promises';
import { listeningPaths } from '../core/host/unix-table.js';
import { monotonicMs } from './clock.js';

/** A look at each path would be a call of the system for each guest and second. */
const KEPT_MS = 500;

let shared: { at: number; paths: Promise<ReadonlySet<string>> } | null = null;

/** Where somebody listens, by the kernel's own list; empty where it cannot be read. */
function listening(): Promise<ReadonlySet<string>> {
  const now = monotonicMs();
  if (shared === null || now - shared.at >= KEPT_MS)
    shared = { at: now, paths: readFile('/proc/net/unix', 'utf8').then(listeningPaths, () => new Set()) };
  return shared.paths;
}

/** True if somebody listens there, or the path is a socket: one of another network namespace is in no list. */
export async function isSocket(path: string): Promise<boolean> {
  if ((await listening()).has(path)) return true;
  return stat(path).then(
    (found) => found.isSocket(),
    () => false,
  );
}
