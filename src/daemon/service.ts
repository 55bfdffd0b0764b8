/** The life of the daemon as a service: ready, watched by systemd, reconfigured by edits, stopped by a signal. */
import { incidentsIn, makeIncidentsDirectory } from '../io/archive/directory.js';
import type { ConfigFile } from '../io/config-file.js';
import { watchConfig } from '../io/config-watch.js';
import { formatProblem } from '../core/config/problem.js';
import type { Config } from '../core/config/schema.js';
import { monotonicMs } from '../io/clock.js';
import { LearnedBoots } from '../io/learned-boots.js';
import type { Log } from '../io/log.js';
import { notify, watchdogMs } from '../io/notify.js';
import { VERSION } from '../io/version.js';
import { counted } from '../core/words.js';
import { captureNow } from './capture-now.js';
import { controlSocket, serveControl } from './control.js';
import { Daemon } from './daemon.js';
import { Pending } from './pending.js';
import { selfCheck } from './self-check.js';
import { finishEarlier } from './finish-earlier.js';

interface RunOptions {
  config: Config;
  file: ConfigFile;
  text: string | null;
  state: string;
  runtime: string;
  log: Log;
  /** Aborts when the daemon is to stop. */
  signal: AbortSignal;
}

/** Runs until the signal. Throws if it cannot start: no state directory, another daemon. */
export async function runDaemon(options: RunOptions): Promise<void> {
  const { config, log, state, runtime, signal } = options;
  await makeIncidentsDirectory(state);
  const pending = new Pending(options);
  const finished = finishEarlier(options, pending);
  const learned = await LearnedBoots.load(state, log);
  const daemon = new Daemon({ config, log, state, runtime, learned, finished, pending });
  const server = await serveControl(controlSocket(runtime), {
    status: (watched) => {
      if (watched) daemon.lookAtAll();
      return statusOf(daemon);
    },
    capture: (vm, order) => captureNow(daemon, vm, order),
  });
  await daemon.start();
  await watchConfig({
    file: options.file,
    text: options.text,
    onChange: (changed) => {
      log('notice', 'applied the edited configuration');
      void daemon.reconfigure(changed);
    },
    onBroken: (problems) => {
      daemon.configProblems = problems.map(
        (problem) => `the edited configuration is ignored: ${formatProblem(problem)}`,
      );
      for (const problem of daemon.configProblems) log('error', problem);
    },
    signal,
  });
  log(
    'notice',
    `wedgewatch ${VERSION} watches ${counted(daemon.guests.size, 'guest')}; archive: ${incidentsIn(state)}`,
  );
  await notify('READY=1', `STATUS=watching ${counted(daemon.guests.size, 'guest')}`);
  const stopWatchdog = keepAlive(daemon, log);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  stopWatchdog();
  await notify('STOPPING=1');
  server.close();
  server.closeAllConnections();
  await daemon.stop();
}

function statusOf(daemon: Daemon) {
  return {
    pid: process.pid,
    version: VERSION,
    blind: daemon.journalProblem(),
    configProblems: daemon.configProblems,
    pending: daemon.services.pending.status(),
    guests: [...daemon.guests.values()].map((guest) => guest.status()),
  };
}

/** Pings systemd's watchdog only after a self-check: a ping from a bare timer proves nothing. */
function keepAlive(daemon: Daemon, log: Log): () => void {
  const every = watchdogMs();
  if (every === null) return () => undefined;
  const timer = setInterval(() => {
    const fault = selfCheck({ lastTickAt: daemon.lastTickAt, guests: daemon.guests.values() }, monotonicMs());
    if (fault === null) void notify('WATCHDOG=1', `STATUS=watching ${counted(daemon.guests.size, 'guest')}`);
    else log('error', `self-check failed, systemd will restart wedgewatch: ${fault}`);
  }, every / 3);
  return () => clearInterval(timer);
}
