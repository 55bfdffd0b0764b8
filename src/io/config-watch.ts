/** Watches the configuration file and reports each edit to the running daemon. */
import { once } from 'node:events';
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { watch, type FSWatcher } from 'chokidar';
import { formatProblem, type ConfigProblem } from '../core/config/problem.js';
import type { Config } from '../core/config/schema.js';
import { fileProblem, loadConfig, type ConfigFile } from './config-file.js';

export interface WatchOptions {
  file: ConfigFile;
  /** The text that the running configuration was made from; null if there was no file. */
  text: string | null;
  onChange: (config: Config) => void;
  /** The old configuration stays in force. Also called when the file cannot be watched any more. */
  onBroken: (problems: ConfigProblem[]) => void;
  signal: AbortSignal;
}

/** Editors write in several steps, some of which leave an empty file or none. */
const SETTLE_MS = 250;

/**
 * Calls back for each change of the file's text, until the signal aborts. Neither the file nor its directory
 * need to exist. Resolves once edits are seen; an edit before that is reported too.
 */
export async function watchConfig(options: WatchOptions): Promise<void> {
  await watchPlace(options, reloader(options));
}

/** Watches until the abort, or until a symbolic link leads elsewhere: then the new place is watched instead. */
async function watchPlace(options: WatchOptions, reload: () => Promise<boolean>): Promise<void> {
  const { file, signal } = options;
  if (signal.aborted) return;
  const place = placeOf(file.path);
  const done = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const touched = () => {
    clearTimeout(timer);
    if (!done.signal.aborted) timer = setTimeout(() => void reread().catch(failed), SETTLE_MS);
  };
  const failed = (error: unknown) =>
    options.onBroken([fileProblem(file.path, `could not be read again: ${String(error)}`)]);
  const watcher = startWatcher(options, touched);
  const stop = () => {
    done.abort();
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    watcher.close().catch(failed);
  };
  signal.addEventListener('abort', stop);
  const reread = async () => {
    const settled = await reload();
    if (done.signal.aborted) return;
    if (placeOf(file.path) !== place) {
      stop();
      await watchPlace(options, reload);
    } else if (!settled) {
      touched();
    }
  };
  // Rejects if it is stopped first, or cannot watch, which the error event has reported.
  await once(watcher, 'ready', { signal: done.signal }).catch(() => undefined);
  if (!done.signal.aborted) await reread();
}

function startWatcher({ file, signal, onBroken }: WatchOptions, touched: () => void): FSWatcher {
  const [root, chain] = watchedPaths(file.path);
  const names = new Set([...chain].map((path) => basename(path)));
  const watcher = watch(root, { ignored: (path) => !chain.has(path), ignoreInitial: true });
  watcher.on('all', touched);
  // The raw events too, because chokidar misses a linked directory that is turned elsewhere.
  watcher.on('raw', (_event, name: string | null) => {
    if (name === null || names.has(basename(name))) touched();
  });
  watcher.on('error', (error) => {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `cannot be watched, edits need a restart: ${reason}`;
    if (!signal.aborted) onBroken([fileProblem(file.path, message)]);
  });
  return watcher;
}

/** The final target of the path; null if there is none. */
function placeOf(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

/** Reads once more; false if the file is just being written and has to be read again. */
export function reloader({ file, text, onChange, onBroken, signal }: WatchOptions): () => Promise<boolean> {
  let seen = text;
  let wasEmpty = false;
  const read = async () => {
    const loaded = await loadConfig(file);
    if (signal.aborted) return true;
    const now = loaded.text ?? (loaded.ok ? null : loaded.problems.map(formatProblem).join());
    if (now === seen) {
      wasEmpty = false;
      return true;
    }
    // An editor's half-way state would put back all defaults for a moment.
    const isEmpty = !loaded.text;
    if (isEmpty && !wasEmpty) {
      wasEmpty = true;
      return false;
    }
    wasEmpty = isEmpty;
    seen = now;
    if (loaded.ok) onChange(loaded.config);
    else onBroken(loaded.problems);
    return true;
  };
  // In order, or a slow reading of the old text could be reported after the new one.
  let last = Promise.resolve(true);
  return () => (last = last.then(read));
}

/**
 * What to watch: a directory that exists, at least the one above the file's own, so that the file's may come
 * and go; and the only paths below it that matter, or chokidar would walk all of a home directory.
 */
function watchedPaths(path: string): [root: string, chain: Set<string>] {
  const chain = new Set([path, dirname(path)]);
  let root = dirname(dirname(path));
  while (!existsSync(root)) {
    chain.add(root);
    root = dirname(root);
  }
  return [root, chain.add(root)];
}
