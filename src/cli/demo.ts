/** `demo`: a real guest, a real wedge, the real watchdog, in front of you. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../core/config/parse-config.js';
import type { Config } from '../core/config/schema.js';
import { printable } from '../core/printable.js';
import { safeJson } from '../core/report/json.js';
import { Daemon } from '../daemon/daemon.js';
import { ProcessMemoryReader } from '../daemon/process-memory-reader.js';
import { buildGuest, guestCache } from '../guest/build.js';
import { type RunningGuest, startGuest } from '../guest/start.js';
import { stateDirectory } from '../io/archive/directory.js';
import { monotonicMs } from '../io/clock.js';
import { runtimeDirectory } from '../io/paths.js';
import { seconds } from '../core/words.js';
import { EXIT, type Globals } from './globals.js';
import { styled, type Terminal } from './print.js';

interface DemoOptions {
  mode: string;
  append: string;
  json?: boolean | undefined;
}

const VM = 'wedgewatch-demo';
const BOOT_MS = 90_000;
/** The guest stays healthy for a while, to show that nobody is accused. */
const HEALTHY_MS = 6_000;
const CATCH_MS = 90_000;
const MODES = ['job', 'exec'];

/**
 * Boots, wedges, catches, prints the verdict and the path; with `--json` all else goes to stderr. Returns 0, 2, 5 if
 * it cannot run, 124 if nothing came.
 */
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
    const say = teller(terminal, options.json === true ? terminal.err : terminal.out);
    const image = await buildGuest(guestCache(), { log: say, signal: stopping.signal });
    say('booting a guest under QEMU (its SSH server and its job run from a virtiofs share)');
    guest = await startGuest({
      vm: VM,
      image,
      append: `wedge.mode=${options.mode} ${options.append}`,
      signal: stopping.signal,
    });
    say(`console: ${guest.unit === null ? guest.console : `journal of ${guest.unit}`}`);
    const caught = await watchAndWedge(guest, scratch, say, stopping.signal);
    terminal.out(options.json === true ? `${safeJson(caught, 2)}\n` : human(terminal, caught));
    return EXIT.ok;
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

interface Caught {
  verdict: string;
  wedgeToArchiveMs: number;
  archive: string;
}

function human(terminal: Terminal, { verdict, wedgeToArchiveMs, archive }: Caught): string {
  const lines = [
    styled(terminal, 'bold', printable(verdict, 400)),
    '',
    `wedge to archive: ${(wedgeToArchiveMs / 1000).toFixed(1)} s`,
    `archive: ${archive}`,
    `read it with: wedgewatch show, or open ${join(archive, 'report.html')}`,
  ];
  return `\n${lines.join('\n')}\n`;
}

type Say = (text: string) => void;

/** Tells what happens, with the seconds since the start. */
function teller(terminal: Terminal, out: (text: string) => void): Say {
  const began = monotonicMs();
  return (text) => {
    const at = ((monotonicMs() - began) / 1000).toFixed(1).padStart(6);
    out(`${styled(terminal, 'dim', `${at} s`)}  ${printable(text, 300)}\n`);
  };
}

async function watchAndWedge(
  guest: RunningGuest,
  scratch: string,
  say: Say,
  signal: AbortSignal,
): Promise<Caught> {
  let filed = null as Filed | null;
  // It owns nothing: the guest lies where no daemon looks, and its incident has a name of its own.
  const daemon = new Daemon({
    config: configFor(guest),
    state: stateDirectory(process.env),
    memory: scratch,
    runtime: runtimeDirectory(),
    only: new Set([VM]),
    reader: new ProcessMemoryReader(),
    log: (_level, text) => say(text.replace(`${VM}: `, 'watchdog: ')),
    onFiled: (_guest, { directory, title }) => {
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
    say(`the guest is healthy; for ${seconds(HEALTHY_MS)} the watchdog should say nothing`);
    await pause(HEALTHY_MS, signal);
    const wedgedAt = monotonicMs();
    guest.wedge();
    say("wedged: stopped the guest's virtiofsd; no task in the guest knows");
    const { title, directory } = await until(() => filed, CATCH_MS, 'the archive', signal);
    if (directory === null) throw new Error(`not archived: ${title}`);
    return { verdict: title, wedgeToArchiveMs: Math.round(monotonicMs() - wedgedAt), archive: directory };
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
    if (monotonicMs() > end) throw new Late(`waited ${seconds(limitMs)} for ${what}; it did not come`);
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
