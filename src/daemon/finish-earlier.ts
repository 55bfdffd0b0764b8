/** At its start, a daemon files what earlier ones could not: what waits for the archive, and captures that were cut short. */
import { existsSync } from 'node:fs';
import type { Config } from '../core/config/schema.js';
import { incidentsIn } from '../io/archive/directory.js';
import type { Log } from '../io/log.js';
import { finishCutShort } from './finish-cut-short.js';
import { type Pending, pendingDirectory } from './pending.js';

interface Earlier {
  config: Config;
  /** Root of the archive. */
  state: string;
  /** `$XDG_RUNTIME_DIR`. */
  runtime: string;
  log: Log;
  /** Aborts when the daemon is to stop. */
  signal: AbortSignal;
}

/**
 * Never rejects. What waits goes first: the archive may have the beginning of it, which would be taken for a capture that
 * was cut short. `finish` completes those of one directory.
 */
export async function finishEarlier(
  { config, state, runtime, log, signal }: Earlier,
  pending: Pending,
  finish = finishCutShort,
): Promise<void> {
  const directory = pendingDirectory(runtime);
  if (existsSync(incidentsIn(directory))) await finish(config, directory, log, signal);
  await pending.restore();
  if (!signal.aborted) await finish(config, state, log, signal);
}
