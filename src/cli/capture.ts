/** `capture VM`: dump now, by hand. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseKeys } from '../core/capture/dump-keys.js';
import { printable } from '../core/printable.js';
import { escapeUnsafe } from '../core/report/json.js';
import { systemctl } from '../core/scope.js';
import { captureNow } from '../daemon/capture-now.js';
import {
  askCapture,
  askStatus,
  type CaptureOrder,
  type CaptureResult,
  controlSocket,
  NOTE_MAX,
  serveControl,
} from '../daemon/control.js';
import { Daemon } from '../daemon/daemon.js';
import { ProcessMemoryReader } from '../daemon/process-memory-reader.js';
import { knownGuests, noGuest } from '../daemon/known-guests.js';
import { becomeOwner } from '../daemon/owner.js';
import { UnderWay } from '../daemon/under-way.js';
import { errorCode } from '../io/archive/directory.js';
import { readIncidentOf, readVerdict } from '../io/archive/read.js';
import { makeLog } from '../io/log.js';
import { archiveRoot, runtimeDirectory } from '../io/paths.js';
import { ownScope } from '../io/scope.js';
import type { Config } from '../core/config/schema.js';
import { endOnSignals } from './ending.js';
import { EXIT, type Globals, withConfig } from './globals.js';

interface CaptureOptions {
  note?: string | undefined;
  keys?: string | undefined;
  json?: boolean | undefined;
}

/** The console and the guest's own words so far are read before a key is pressed. */
const SETTLE_MS = 3_000;
/** A busy one is late. */
const ANSWER_MS = 10_000;

/**
 * Captures one guest: through the daemon if one runs, so that two never press keys at once, else alone. Prints the
 * verdict and the path. Returns 0 (nothing is stuck, or not asked), 1 (a hang), 2 (an impossible key or note),
 * 3 (no such guest), 4 (incomplete), 5.
 */
export async function captureGuest(vm: string, options: CaptureOptions, globals: Globals): Promise<number> {
  const { terminal } = globals;
  const order = orderOf(options);
  if (typeof order === 'string') {
    terminal.err(`wedgewatch: ${order}\n`);
    return EXIT.usage;
  }
  return withConfig(globals, async (config) => {
    const result = await captureThrough(vm, order, config, globals.quiet);
    if (result.directory === null) {
      terminal.err(`wedgewatch: ${printable(result.problem ?? 'nothing was filed', 400)}\n`);
      return result.code === 'no-guest' ? EXIT.noMatch : EXIT.environment;
    }
    const read = await readIncidentOf(result.directory);
    if (!read.ok) {
      const verdict = (await readVerdict(result.directory))?.split('\n')[0] ?? 'no verdict';
      terminal.out(options.json === true ? '' : `${printable(verdict, 400)}\n${result.directory}\n`);
      terminal.err(`wedgewatch: ${result.directory}: ${printable(read.problem, 400)}\n`);
      return EXIT.incomplete;
    }
    const { verdict, evidence } = read.incident;
    if (options.json === true)
      terminal.out(escapeUnsafe(await readFile(join(result.directory, 'incident.json'), 'utf8')));
    else terminal.out(`${printable(verdict.title, 400)}\n${result.directory}\n`);
    if (!evidence.complete) return EXIT.incomplete;
    // Keys such as m or d show no task to judge.
    return verdict.class === 'none' || verdict.class === 'unknown' ? EXIT.ok : EXIT.hang;
  });
}

/** The order, or why it is impossible. */
function orderOf({
  note = null,
  keys,
}: {
  note?: string | null | undefined;
  keys?: string | undefined;
}): CaptureOrder | string {
  if (note !== null && note.length > NOTE_MAX)
    return `--note: ${note.length} characters; the limit is ${NOTE_MAX}`;
  const parsed = keys === undefined ? null : parseKeys(keys);
  if (parsed?.ok === false) return `--keys: ${parsed.problem}`;
  return { note: note && printable(note, NOTE_MAX), keys: parsed && parsed.keys };
}

async function captureThrough(
  vm: string,
  order: CaptureOrder,
  config: Config,
  quiet: boolean,
): Promise<CaptureResult> {
  const socket = controlSocket(runtimeDirectory());
  const through = (await daemonFault(socket)) ?? (await askCapture(socket, vm, order).catch(isNobody));
  return through ?? captureAlone(vm, order, config, quiet, socket);
}

/** A daemon that is stopped takes connections and never answers: no capture waits for it. */
async function daemonFault(socket: string): Promise<CaptureResult | null> {
  return askStatus(socket, { timeoutMs: ANSWER_MS }).then(
    () => null,
    (error: unknown) => {
      const problem = `the daemon does not answer (${told(error)}); see: ${systemctl(ownScope(), 'status wedgewatch')}`;
      return isNobody(error) && { directory: null, problem };
    },
  );
}

const told = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Null if no daemon listens: only then does nobody else press keys. */
function isNobody(error: unknown): CaptureResult | null {
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return null;
  const problem = `the daemon did not finish the capture (${String(error)}); if it died, its next start files what it had captured`;
  return { directory: null, problem };
}

async function captureAlone(
  vm: string,
  order: CaptureOrder,
  config: Config,
  quiet: boolean,
  socket: string,
): Promise<CaptureResult> {
  const known = await knownGuests(config);
  if (!known.includes(vm)) return { directory: null, problem: noGuest(vm, known), code: 'no-guest' };
  const log = makeLog({ quiet });
  const [state, runtime] = [archiveRoot(config), runtimeDirectory()];
  // Neither a daemon nor a second capture presses keys meanwhile.
  const doing = `wedgewatch capture ${vm}`;
  const held = await becomeOwner({ state, runtime }, doing, { unlessBroken: true }).then(() => null, told);
  if (held !== null) return { directory: null, problem: held };
  const underWay = new UnderWay();
  const ending = endOnSignals(log, underWay);
  const daemon = new Daemon({
    config,
    log,
    state,
    runtime,
    only: new Set([vm]),
    reader: new ProcessMemoryReader(),
  });
  underWay.also(daemon);
  // Whoever waits for the capture is told so by its stop.
  const stop = () => underWay.of('stopping', daemon.stop());
  ending.signal.addEventListener('abort', () => void stop().catch(() => undefined), { once: true });
  const under = { directory: null, problem: 'a capture by hand is under way' };
  const server = await serveControl(
    socket,
    {
      status: () => ({ pid: process.pid, version: '', blind: null, configProblems: [], guests: [] }),
      capture: () => Promise.resolve(under),
    },
    (error) => log('error', `control socket: ${String(error)}`),
  );
  try {
    await daemon.start();
    await delay(SETTLE_MS, undefined, { signal: ending.signal }).catch(() => undefined);
    return await captureNow(daemon, vm, order);
  } finally {
    await stop();
    server.close();
    server.closeAllConnections();
    ending.ended();
  }
}
