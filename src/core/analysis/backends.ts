import type { Frame } from '../model.js';
import { firmSymbols } from './frames.js';
import { beginning, whole } from './patterns.js';
import { perStack } from './per-stack.js';
import { type ServerKind, SUBSYSTEMS } from '../subsystems.js';

/** A server outside the guest's kernel whose answer a task waits for. */
export interface Backend {
  kind: ServerKind;
  /** What is awaited, for the title. */
  request: string;
  /** Where it goes, for the title. */
  where: string;
  /** The kernel's parameter that names the server of the root; undefined if there is none. */
  rootParameter?: string;
  /** Whether the server may be that of a share, on the host. */
  shared: boolean;
}

interface Row {
  backend: Backend;
  wait: RegExp;
  method: RegExp;
}

const ROWS = SUBSYSTEMS.flatMap(({ server }): Row[] =>
  server === undefined
    ? []
    : [
        {
          backend: { ...server, shared: server.shared === true },
          wait: whole(server.waits),
          method: beginning(server.methods),
        },
      ],
);

const FILE_LOCK = whole([
  ...['fcntl_setlk\\w*', 'do_lock_file_wait'],
  ...SUBSYSTEMS.flatMap(({ server }) => server?.fileLocks ?? []),
]);

/** Whoever holds a file lock may hold it for long. */
export const waitsForFileLock = perStack((frames): boolean =>
  firmSymbols(frames).some((name) => FILE_LOCK.test(name)),
);

/** The server a stack waits for, or null. */
export const backendOf = perStack((frames): Backend | null => {
  const names = firmSymbols(frames);
  if (waitsForFileLock(frames)) return null;
  return ROWS.find(({ wait }) => names.some((name) => wait.test(name)))?.backend ?? null;
});

/** The server's end, through which it may make the kernel ask. */
const SERVER_SIDE = /^(?:fuse|cuse)_dev_/;

/** The filesystem's method that made the request: the outermost of its frames. Null if only the wait is shown. */
export function requestedBy(frames: readonly Frame[], backend: Backend): string | null {
  const method = ROWS.find((row) => row.backend === backend)?.method;
  return (
    firmSymbols(frames).findLast((name) => method?.test(name) === true && !SERVER_SIDE.test(name)) ?? null
  );
}
