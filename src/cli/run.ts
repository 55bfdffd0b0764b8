/** `run`: the daemon. */
import { formatProblem } from '../core/config/problem.js';
import { runDaemon } from '../daemon/service.js';
import { findConfig, loadConfig } from '../io/config-file.js';
import { makeLog } from '../io/log.js';
import { archiveRoot, runtimeDirectory } from '../io/paths.js';
import { EXIT, type Globals } from './globals.js';

/** Runs until SIGINT or SIGTERM. Returns 0, 2 for a bad configuration, 5 if it cannot run at all. */
export async function run({ config: path, quiet }: Globals): Promise<number> {
  const log = makeLog({ quiet });
  const file = findConfig(path);
  const loaded = await loadConfig(file);
  if (!loaded.ok) {
    for (const problem of loaded.problems) log('error', formatProblem(problem));
    return EXIT.usage;
  }
  const { config, text } = loaded;
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort());
  try {
    const state = archiveRoot(config);
    await runDaemon({ config, file, text, state, runtime: runtimeDirectory(), log, signal: stopping.signal });
    return EXIT.ok;
  } catch (error) {
    log('error', error instanceof Error ? error.message : String(error));
    return EXIT.environment;
  }
}
