/** Guests by their QMP sockets: `<directory>/<vm>/qmp.sock`, as qemu-system@.service makes and removes them. */
import { readdir } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { watch } from 'chokidar';
import { vmNameProblem } from '../core/vm-name.js';
import { isSocket } from './unix-sockets.js';

interface DiscoverOptions {
  directory: string;
  /** The VMs that have a socket now. Called at the start and after each change. */
  onGuests: (vms: Set<string>) => void;
  signal: AbortSignal;
}

const POLL_MS = 2_000;
const SETTLE_MS = 50;

/** The VMs whose socket is there. */
export async function scanGuests(directory: string): Promise<Set<string>> {
  const names = await readdir(directory).catch(() => []);
  const found = new Set<string>();
  for (const vm of names) {
    if (vmNameProblem(vm) === null && (await isSocket(join(directory, vm, 'qmp.sock')))) found.add(vm);
  }
  return found;
}

/**
 * Reports the guests until the signal aborts. An event only means "scan again": the scan finds the truth. The scan every
 * 2 s catches what inotify misses, such as a recreated parent.
 */
export async function discoverGuests(options: DiscoverOptions): Promise<void> {
  const { directory, onGuests, signal } = options;
  let pending: NodeJS.Timeout | undefined;
  const scan = async () => {
    const found = await scanGuests(directory);
    if (!signal.aborted) onGuests(found);
  };
  const soon = () => {
    pending ??= setTimeout(() => {
      pending = undefined;
      // What cannot be read is no guest, and the caller catches its own faults.
      scan().catch(() => undefined);
    }, SETTLE_MS);
  };
  // chokidar sees nothing when the directory is missing: its parent is there, and all else in it is ignored.
  const watcher = watch(dirname(directory), {
    ignoreInitial: true,
    depth: 2,
    ignored: (path) => path !== dirname(directory) && path !== directory && !path.startsWith(directory + sep),
  }).on('all', soon);
  watcher.on('error', soon);
  const poll = setInterval(soon, POLL_MS);
  await scan();
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  clearInterval(poll);
  clearTimeout(pending);
  await watcher.close();
}
