/** The end of a process that holds guests: by a signal, by a bug, and within 10 s in any case. */
import type { UnderWay } from '../daemon/under-way.js';
import { type Log, stackOf } from '../io/log.js';
import { EXIT } from './globals.js';

/**
 * From the signal to the end. systemd kills what stays longer than the unit's TimeoutStopSec, and a guest that is left in
 * the middle of its capture takes 3 s.
 */
export const END_MS = 9_000;
/** After the work has ended: what still holds the process then is a leak. */
const LEAK_MS = 2_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

interface Ending {
  /** Aborts at the first of the signals; a second one of the same kind ends the process as if nobody listened. */
  signal: AbortSignal;
  /** Aborts the signal as well; the process ends with this code if it has to be cut short. */
  end(code: number): void;
  /** Call it when the work has ended: nothing that is left holds the process for long. */
  ended(): void;
}

/** Listens to the signals that end a process, and sees to it that they do. */
export function endOnSignals(log: Log, underWay: UnderWay): Ending {
  const stopping = new AbortController();
  const within = (ms: number, code: number | null) => {
    // It holds nothing itself: a process with nothing left to do ends before.
    setTimeout(() => {
      const left = [...new Set([...underWay.names(), ...process.getActiveResourcesInfo()])].join(', ');
      log('error', `ends now, ${ms / 1000} s after it was to: still under way: ${left}`);
      process.exit(code ?? process.exitCode ?? EXIT.environment);
    }, ms).unref();
  };
  const end = (code: number) => {
    if (stopping.signal.aborted) return;
    within(END_MS, code);
    stopping.abort(new Error('wedgewatch was stopped'));
  };
  for (const name of SIGNALS) process.once(name, () => end(EXIT.environment));
  // The verb has said by then how it went.
  return { signal: stopping.signal, end, ended: () => within(LEAK_MS, null) };
}

/**
 * Bugs that nobody caught. A rejection that nobody waited for has broken nothing that somebody relies on: it is logged, and
 * the watch goes on. An exception has cut short whatever called it, perhaps in the middle of a change: the daemon ends in
 * order and with 5, so that systemd starts a new one, which completes what this one leaves.
 */
export function catchBugs(log: Log, end: (code: number) => void): void {
  process.on('unhandledRejection', (reason) => log('error', `bug, the watch goes on: ${stackOf(reason)}`));
  process.on('uncaughtException', (error) => {
    log('error', `bug, wedgewatch ends to be started anew: ${stackOf(error)}`);
    end(EXIT.environment);
  });
}
