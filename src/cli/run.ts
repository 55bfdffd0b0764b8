/** `run`: the daemon. */
import { formatProblem } from '../core/config/problem.js';
import { runDaemon } from '../daemon/service.js';
import { UnderWay } from '../daemon/under-way.js';
import { findConfig, loadConfig } from '../io/config-file.js';
import { makeLog } from '../io/log.js';
import { archiveRoot, runtimeDirectory } from '../io/paths.js';
import { catchBugs, endOnSignals } from './ending.js';
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
  const underWay = new UnderWay();
  const ending = endOnSignals(log, underWay);
  let code: number = EXIT.ok;
  catchBugs(log, (broken) => {
    code = broken;
    ending.end(broken);
  });
  const { signal } = ending;
  try {
    const state = archiveRoot(config);
    await runDaemon({ config, file, text, state, runtime: runtimeDirectory(), log, signal, underWay });
  } catch (error) {
    log('error', error instanceof Error ? error.message : String(error));
    code = EXIT.environment;
  }
  ending.ended();
  return code;
}
