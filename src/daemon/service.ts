/** The life of the daemon as a service: ready, watched by systemd, reconfigured by edits, stopped by a signal. */
import { incidentsIn } from '../io/archive/directory.js';
import { keepIndexPage } from '../io/archive/index-page.js';
import type { ConfigFile } from '../io/config-file.js';
import { watchConfig } from '../io/config-watch.js';
import { formatProblem } from '../core/config/problem.js';
import type { Config } from '../core/config/schema.js';
import { monotonicMs } from '../io/clock.js';
import { LearnedBoots } from '../io/learned-boots.js';
import { type Log, stackOf } from '../io/log.js';
import { notify, watchdogMs } from '../io/notify.js';
import { VERSION } from '../io/version.js';
import { counted } from '../core/words.js';
import { captureNow } from './capture-now.js';
import { controlSocket, serveControl } from './control.js';
import { Daemon } from './daemon.js';
import { Pending } from './pending.js';
import { ProcessMemoryReader } from './process-memory-reader.js';
import { selfCheck } from './self-check.js';
import { finishEarlier } from './finish-earlier.js';
import { leftOver, nothingLeft } from './left-over.js';
import { becomeOwner } from './owner.js';
import { Told } from './told.js';
import type { UnderWay } from './under-way.js';

interface RunOptions {
  config: Config;
  file: ConfigFile;
  text: string | null;
  state: string;
  runtime: string;
  log: Log;
  /** Aborts when the daemon is to stop. */
  signal: AbortSignal;
  /** Gets what is under way. */
  underWay: UnderWay;
}

/**
 * Runs until the signal, as the only one for this user and this archive. Throws if it cannot start: no state directory,
 * another daemon. Either way all that it began is told to end.
 */
export async function runDaemon(options: RunOptions): Promise<void> {
  const { runtime, state, signal } = options;
  await becomeOwner({ runtime, state }, 'wedgewatch run');
  const end = new AbortController();
  try {
    await watch({ ...options, signal: AbortSignal.any([signal, end.signal]) });
  } finally {
    end.abort();
  }
}

async function watch(options: RunOptions): Promise<void> {
  const { log, signal, underWay } = options;
  const served = await serveDaemon(options);
  try {
    // Whoever stops it need not wait for its start.
    await Promise.race([underWay.of('starting', begin(served, options)), aborted(signal)]);
    await aborted(signal);
  } finally {
    tell(log, 'STOPPING=1');
    await served.close();
  }
}

interface ServeOptions extends Omit<RunOptions, 'file' | 'text'> {
  /** Watch these VMs only. */
  only?: ReadonlySet<string> | undefined;
  /** Where the journal position is kept; default: `state`. */
  memory?: string;
  /** False where the archive is another's: what is left in there is not ours to complete. */
  ownsArchive?: boolean;
}

interface Served {
  /** Not started yet. */
  daemon: Daemon;
  start: () => Promise<void>;
  /** Resolves once no hook runs. */
  settled: () => Promise<void>;
  close: () => Promise<void>;
}

/** A daemon with all that it needs beside its guests, and its control socket. Call it as the owner only. */
export async function serveDaemon(options: ServeOptions): Promise<Served> {
  const { log, state, runtime, underWay, ownsArchive = true, ...rest } = options;
  const pending = new Pending(options);
  const completed = () => underWay.of('completing earlier captures', finishEarlier(options, pending));
  const left = ownsArchive ? await leftOver(state, completed) : nothingLeft;
  const learned = await LearnedBoots.load(state, log);
  const reader = new ProcessMemoryReader();
  const daemon: Daemon = new Daemon({
    ...{ ...rest, log, state, runtime, learned, leftOver: left, pending, reader },
    onFiled: (guest, filed) => told.filed(guest, filed),
  });
  const told = new Told(daemon, log);
  underWay.also(daemon);
  const server = await serveControl(
    controlSocket(runtime),
    {
      status: (watched) => {
        if (watched) daemon.lookAtAll();
        return statusOf(daemon, told.problems());
      },
      capture: (vm, order) => captureNow(daemon, vm, order),
      metrics: () => told.metrics.render(),
    },
    (error) => log('error', `control socket: ${stackOf(error)}`),
  );
  const close = async () => {
    server.close();
    await underWay.of('stopping', Promise.all([told.stop(), daemon.stop()]));
    server.closeAllConnections();
  };
  const start = () => daemon.start().then(() => told.start());
  return { daemon, start, settled: () => told.settled(), close };
}

async function begin(
  { daemon, start }: Served,
  { file, text, state, log, signal }: RunOptions,
): Promise<void> {
  await start();
  await watchConfig({
    file,
    text,
    onChange: (changed) => {
      log('notice', 'applied the edited configuration');
      // It logs what goes wrong.
      daemon.reconfigure(changed).catch(() => undefined);
    },
    onBroken: (problems) => {
      daemon.configProblems = problems.map(
        (problem) => `the edited configuration is ignored: ${formatProblem(problem)}`,
      );
      for (const problem of daemon.configProblems) log('error', problem);
    },
    signal,
  });
  if (signal.aborted) return;
  const watching = counted(daemon.guests.size, 'guest');
  log('notice', `wedgewatch ${VERSION} watches ${watching}; archive: ${incidentsIn(state)}`);
  tell(log, 'READY=1', `STATUS=watching ${watching}`);
  keepAlive(daemon, log, signal);
  keepIndexPage({ root: state, onFault: (why) => log('warning', `archive: index.html: ${why}`), signal });
}

/** To systemd, which is not waited for. */
function tell(log: Log, ...assignments: string[]): void {
  notify(...assignments).catch((error: unknown) => log('warning', `systemd-notify: ${String(error)}`));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** `problems`: of what the configuration asks for beside the watch. */
function statusOf(daemon: Daemon, problems: readonly string[]) {
  return {
    pid: process.pid,
    version: VERSION,
    blind: daemon.journalProblem(),
    configProblems: [...daemon.configProblems, ...problems],
    pending: daemon.services.pending.status(),
    guests: [...daemon.guests.values()].map((guest) => guest.status()),
  };
}

/** Pings systemd's watchdog only after a self-check: a ping from a bare timer proves nothing. */
function keepAlive(daemon: Daemon, log: Log, signal: AbortSignal): void {
  const every = watchdogMs();
  if (every === null) return;
  const timer = setInterval(() => {
    const fault = selfCheck({ lastTickAt: daemon.lastTickAt, guests: daemon.guests.values() }, monotonicMs());
    if (fault === null) tell(log, 'WATCHDOG=1', `STATUS=watching ${counted(daemon.guests.size, 'guest')}`);
    else log('error', `self-check failed, systemd will restart wedgewatch: ${fault}`);
  }, every / 3);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}
