/** `demo`: a real guest, a real wedge, the real watchdog, in front of you. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../core/config/parse.js';
import type { Config } from '../core/config/schema.js';
import { printable } from '../core/printable.js';
import { Daemon } from '../daemon/daemon.js';
import { buildGuest, guestCache } from '../guest/build.js';
import { type RunningGuest, startGuest } from '../guest/start.js';
import { stateDirectory } from '../io/archive/directory.js';
import { monotonicMs } from '../io/clock.js';
import { runtimeDirectory } from '../io/places.js';
import { seconds } from '../core/words.js';
import { EXIT, type Globals } from './globals.js';
import { styled, type Terminal } from './print.js';

interface DemoOptions {
  mode: string;
  append: string;
}

const VM = 'wedgewatch-demo';
const BOOT_MS = 90_000;
/** It is healthy for a while, so that one sees that nobody is accused. */
const HEALTHY_MS = 6_000;
const CATCH_MS = 90_000;
const MODES = ['job', 'exec'];

/** Boots, wedges, catches, prints the verdict and the path. Returns 0, 2, 5 where it cannot run, 124 when nothing came. */
export async function demo(options: DemoOptions, { terminal }: Globals): Promise<number> {
  if (!MODES.includes(options.mode)) {
    terminal.err(`wedgewatch: --mode ${printable(options.mode, 40)}: expected ${MODES.join(' or ')}\n`);
    return EXIT.usage;
  }
  const stopping = new AbortController();
  const onSignal = () => stopping.abort(new Error('interrupted'));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  const scratch = await mkdtemp(join(tmpdir(), 'wedgewatch-demo-state-'));
  let guest: RunningGuest | null = null;
  try {
    const say = teller(terminal);
    const image = await buildGuest(guestCache(), { log: say, signal: stopping.signal });
    say(`boots a guest under QEMU (its SSH server and its job run from a virtiofs share)`);
    guest = await startGuest({
      vm: VM,
      image,
      append: `wedge.mode=${options.mode} ${options.append}`,
      signal: stopping.signal,
    });
    say(`console: ${guest.unit === null ? guest.console : `journal of ${guest.unit}`}`);
    return await watchAndWedge(guest, scratch, terminal, say, stopping.signal);
  } catch (error) {
    terminal.err(`wedgewatch: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof Late ? EXIT.timeout : EXIT.environment;
  } finally {
    await guest?.stop();
    await rm(scratch, { recursive: true, force: true });
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

interface Filed {
  directory: string | null;
  title: string;
}

type Say = (text: string) => void;

/** Tells what happens, with the seconds since the start. */
function teller(terminal: Terminal): Say {
  const began = monotonicMs();
  return (text) => {
    const at = ((monotonicMs() - began) / 1000).toFixed(1).padStart(6);
    terminal.out(`${styled(terminal, 'dim', `${at} s`)}  ${printable(text, 300)}\n`);
  };
}

async function watchAndWedge(
  guest: RunningGuest,
  scratch: string,
  terminal: Terminal,
  say: Say,
  signal: AbortSignal,
): Promise<number> {
  let filed = null as Filed | null;
  const daemon = new Daemon({
    config: configFor(guest),
    state: stateDirectory(process.env),
    memory: scratch,
    runtime: runtimeDirectory(),
    only: VM,
    log: (level, text) => (level === 'error' || level === 'warning' ? say(text) : undefined),
    onNote: (_guest, text) => say(`watchdog: ${text}`),
    onFiled: (_guest, directory, title) => {
      filed = { directory, title };
    },
  });
  await daemon.start();
  try {
    await until(
      () => (daemon.guests.get(VM)?.state.name === 'up' ? true : null),
      BOOT_MS,
      'the guest to answer SSH',
      signal,
    );
    say(`the guest is healthy; for ${seconds(HEALTHY_MS)} nothing should be said of it`);
    await pause(HEALTHY_MS, signal);
    const wedgedAt = monotonicMs();
    guest.wedge();
    say(styled(terminal, 'bold', 'wedged: its virtiofsd is stopped, and no task of the guest knows'));
    const result = await until(() => filed, CATCH_MS, 'the archive', signal);
    if (result.directory === null) throw new Error(`not archived: ${result.title}`);
    const took = ((monotonicMs() - wedgedAt) / 1000).toFixed(1);
    terminal.out(`\n${styled(terminal, 'bold', printable(result.title, 400))}\n\n`);
    terminal.out(`wedge to archive: ${took} s\narchive: ${result.directory}\n`);
    terminal.out(`read it with: wedgewatch show, or open ${join(result.directory, 'report.html')}\n`);
    return EXIT.ok;
  } finally {
    await daemon.stop();
  }
}

function configFor(guest: RunningGuest): Config {
  const text = JSON.stringify({
    ssh: { configFile: guest.sshConfigFile },
    discover: { enabled: false, directory: guest.qmpDirectory },
    guests: [
      {
        name: guest.vm,
        ...(guest.unit === null ? {} : { unit: guest.unit }),
        console: guest.console,
        ssh: guest.sshHost,
      },
    ],
  });
  const parsed = parseConfig(text, 'demo');
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join('; '));
  return parsed.config;
}

class Late extends Error {}

/** Asks until there is an answer. */
async function until<T>(ask: () => T | null, limitMs: number, what: string, signal: AbortSignal): Promise<T> {
  const end = monotonicMs() + limitMs;
  for (;;) {
    const answer = ask();
    if (answer !== null) return answer;
    if (monotonicMs() > end) throw new Late(`waited ${seconds(limitMs)} for ${what}, in vain`);
    await pause(200, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
