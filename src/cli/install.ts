/** `install`, `uninstall`: wedgewatch as a unit of the user or of the system, wherever this package and node are. */
import { existsSync } from 'node:fs';
import { lstat, mkdir, readFile, readlink, realpath, rm, rmdir, symlink } from 'node:fs/promises';
import { homedir, userInfo } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { printable } from '../core/printable.js';
import { safeJson } from '../core/report/json.js';
import { faultText } from '../io/archive/directory.js';
import { putFile } from '../io/files.js';
import { runtimeDirectory } from '../io/paths.js';
import { ownScope } from '../io/scope.js';
import { EXIT } from './globals.js';
import {
  installSteps,
  type Place,
  RATE_LIMITED,
  type Step,
  stepText,
  uninstallSteps,
} from './install-plan.js';
import type { Terminal } from './print.js';

interface InstallOptions {
  dryRun?: boolean | undefined;
  json?: boolean | undefined;
  /** What the unit starts instead of this node with this program. */
  command?: string | undefined;
}

/** Of a systemctl that starts the daemon, which reads the journal first. */
const RUN_MS = 60_000;
const UNITS = ['wedgewatch.service', 'wedgewatch-alarm.service'];
const RATE_LIMIT = '50-wedgewatch.conf';
/** Where the packages of distributions put it. */
const PACKAGED = '/usr/lib/wedgewatch';

/** Returns 0, or 2 for a command that cannot be started, or 5 at the first step that fails. */
export const install = (options: InstallOptions, terminal: Terminal): Promise<number> =>
  carryOut(installSteps, options, terminal);

/** Returns 0, or 5 at the first step that fails. */
export const uninstall = (options: Omit<InstallOptions, 'command'>, terminal: Terminal): Promise<number> =>
  carryOut(uninstallSteps, options, terminal);

async function carryOut(
  stepsOf: (place: Place) => Step[],
  { dryRun = false, json = false, command }: InstallOptions,
  terminal: Terminal,
): Promise<number> {
  if (command !== undefined && !existsSync(command)) {
    terminal.err(`wedgewatch: --command ${printable(command, 400)}: no such file\n`);
    return EXIT.usage;
  }
  const steps = stepsOf(await thisPlace(command));
  if (json) terminal.out(`${safeJson(steps, 2)}\n`);
  for (const step of steps) {
    if (!json) terminal.out(`${shown(step)}\n`);
    const failure = dryRun ? null : await perform(step);
    if (failure === null) continue;
    terminal.err(`wedgewatch: ${printable(failure, 2000)}\n`);
    if (step.do !== 'run' || step.mayFail !== true) return EXIT.environment;
  }
  return EXIT.ok;
}

const shown = (step: Step): string =>
  stepText(step)
    .split('\n')
    .map((line) => printable(line, 1000))
    .join('\n');

/** Why it could not be done, or null. */
async function perform(step: Step): Promise<string | null> {
  try {
    switch (step.do) {
      case 'write':
        await mkdir(dirname(step.path), { recursive: true });
        await putFile(step.path, step.text);
        return null;
      case 'link':
        return await putLink(step.path, step.to);
      case 'remove':
        await rm(step.path, { force: true });
        await rmdir(dirname(step.path)).catch(() => undefined); // other files are in it
        return null;
      case 'unlink':
        if ((await readlink(step.path).catch(() => null)) === step.to) await rm(step.path);
        return null;
      case 'run':
        return await runTool(step.command);
      case 'tell':
        return null;
    }
  } catch (error) {
    return `${'path' in step ? step.path : step.do}: ${faultText(error)}`;
  }
}

/** Replaces a link, and nothing else. */
async function putLink(path: string, to: string): Promise<string | null> {
  const there = await lstat(path).catch(() => null);
  if (there !== null && !there.isSymbolicLink())
    return `${path} is a file that wedgewatch did not make. Fix: move it away`;
  await mkdir(dirname(path), { recursive: true });
  await rm(path, { force: true });
  await symlink(to, path);
  return null;
}

async function runTool([file = '', ...args]: readonly string[]): Promise<string | null> {
  // A login by `su` or `sudo -u` has no such variable, and the manager is there all the same.
  const env = { XDG_RUNTIME_DIR: runtimeDirectory(), LC_ALL: 'C' };
  const { failed, all } = await execa(file, args, { timeout: RUN_MS, reject: false, all: true, env });
  return failed ? `${[file, ...args].join(' ')}: ${all === '' ? 'failed' : all}` : null;
}

async function thisPlace(command: string | undefined): Promise<Place> {
  const root = await realpath(fileURLToPath(new URL('../..', import.meta.url)));
  const { username } = userInfo();
  const scope = ownScope();
  const packaged = root === PACKAGED && command === undefined;
  const main = join(root, 'dist/cli/main.js');
  const units = await Promise.all(
    UNITS.map(
      async (name) =>
        [
          name,
          await readFile(join(root, 'systemd', ...(scope === 'system' ? ['system'] : []), name), 'utf8'),
        ] as const,
    ),
  );
  const limited = `${RATE_LIMITED[scope]}.d`;
  return {
    scope,
    home: homedir(),
    lingers: existsSync(join('/var/lib/systemd/linger', username)),
    user: username,
    program: command === undefined ? main : null,
    command: command === undefined ? [await nodePath(), main] : [resolve(command)],
    packaged,
    units: Object.fromEntries(units),
    rateLimit: {
      inPlace: ['/etc', '/usr/lib'].some((base) =>
        existsSync(join(base, 'systemd/system', limited, RATE_LIMIT)),
      ),
      path: join(root, 'systemd', `${RATE_LIMITED.user}.d`, RATE_LIMIT),
    },
  };
}

/** The node that runs this, by the name in PATH that an upgrade keeps: Nix has its own path for each version. */
async function nodePath(): Promise<string> {
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, 'node');
    if (directory.startsWith('/') && (await realpath(path).catch(() => null)) === process.execPath)
      return path;
  }
  return process.execPath;
}
