/** Where things are in this user's environment, or in the system's. */
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Config } from '../core/config/schema.js';
import { stateDirectory } from './archive/directory.js';
import { ownScope } from './scope.js';

/** Of the system /run; of a user `$XDG_RUNTIME_DIR`, else where logind makes it. The base directory specification ignores an empty or relative one. */
export function runtimeDirectory(env: NodeJS.ProcessEnv = process.env): string {
  if (ownScope(env) === 'system') return '/run';
  const given = env['XDG_RUNTIME_DIR'] ?? '';
  return isAbsolute(given) ? given : `/run/user/${process.getuid?.() ?? 0}`;
}

/** Where the guests' template keeps its QMP sockets, unless the configuration says otherwise. */
export function qmpDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return join(runtimeDirectory(env), 'qemu-system');
}

/** A path of the configuration: `~/` is the home directory. */
export const ofHome = (path: string | null): string | null =>
  path?.startsWith('~/') === true ? join(homedir(), path.slice(2)) : path;

/** Root of the archive: as configured, else the state directory. */
export function archiveRoot(config: Config, env: NodeJS.ProcessEnv = process.env): string {
  return config.archive.directory ?? stateDirectory(env);
}
