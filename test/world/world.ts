import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { imageIn, type GuestImage } from '../../src/guest/build.js';
import { call } from '../../src/guest/call.js';
import { debianIn, type DebianImage } from './debian-image.js';
import { hostNamed, type Host, type HostName } from './host.js';
import {
  controlGroups,
  destroyMachine,
  destroyStaleMachines,
  leaderOf,
  machineDirectory,
  mountRoot,
  type MachineDirectory,
} from './machine.js';

const project = join(import.meta.dirname, '../..');
const bootMs = 90_000;
const pollMs = 100;
const commandMs = 60_000;
const uid = 1990;

const inside = imageIn('/guest');
const debianInside = debianIn('/debian');

/** The user inside whose manager runs the guests. */
export const user = { name: 'dev', home: '/home/dev', runtime: `/run/user/${uid}` };

// Joins its control groups, which it makes, and becomes the command behind `--`.
const joinGroups = `
while [ "$1" != -- ]; do mkdir -p "$1" && echo $$ >"$1/cgroup.procs" || exit; shift; done
shift; exec "$@"`;

interface Options {
  /** Debian's image for guests, where some are started from it. */
  debian?: DebianImage | undefined;
  /** Default: debian-13. */
  host?: HostName | undefined;
}

/** The project at its own path, and its modules, which a second work tree may have as a link. */
async function projectPaths(): Promise<string[]> {
  const modules = await realpath(join(project, 'node_modules'));
  return modules.startsWith(`${project}/`) ? [project] : [project, modules];
}

async function bootMachine(machine: MachineDirectory, host: Host, images: string[]): Promise<number> {
  const groups = await controlGroups(machine.name);
  const paths = [...(await projectPaths()), ...host.binds, ...images];
  const binds = paths.map((path) => `--bind-ro=${path}`);
  const nspawn = [
    'systemd-nspawn',
    '--boot',
    '--quiet',
    `--directory=${machine.root}`,
    `--machine=${machine.name}`,
    '--private-network',
    '--register=no',
    ...(groups.length > 0 ? ['--keep-unit'] : []),
    `--bind=${machine.share}:/share`,
    ...binds,
    'systemd.firstboot=no',
    'systemd.unit=basic.target', // none of the services that the host has enabled
  ];
  const log = openSync(join(machine.base, 'boot.log'), 'w');
  const child = spawn('sh', ['-c', joinGroups, 'sh', ...groups, '--', ...nspawn], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1' },
  });
  closeSync(log);
  child.unref();
  if (child.pid === undefined) throw new Error('sh does not start.');
  return child.pid;
}

/** Asks until it is so. @throws Error at the deadline, in milliseconds, with the cause the caller has */
async function until<T>(
  ask: () => Promise<T | null>,
  timeoutMs: number,
  failure: () => Promise<string>,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  while (performance.now() < end) {
    const answer = await ask();
    if (answer !== null) return answer;
    await delay(pollMs);
  }
  throw new Error(await failure());
}

/**
 * A booted systemd with a real journal and a lingering user, in a container over a copy-on-write view of a Debian 13,
 * or of this machine. The project is there at its own path. Needs root; one for each process.
 */
export class World {
  /** The guests' image, at its path inside. */
  readonly image = inside;
  /** Debian's image, at its path inside; there only where `up` was given one. */
  readonly debian = debianInside;
  /** What it was booted from. */
  readonly host: Host;
  readonly #machine: MachineDirectory;
  readonly #leader: number;

  private constructor(host: Host, machine: MachineDirectory, leader: number) {
    this.host = host;
    this.#machine = machine;
    this.#leader = leader;
  }

  /** Directory of this machine that is /share inside. */
  get share(): string {
    return this.#machine.share;
  }

  /** @param demo the image of this machine that guests inside are started from */
  static async up(demo: GuestImage, options: Options = {}): Promise<World> {
    if (process.getuid?.() !== 0)
      throw new Error('The test world boots a machine, which takes root: sudo npm test');
    await destroyStaleMachines();
    const host = await hostNamed(options.host ?? 'debian-13', {
      log: (line) => process.stdout.write(`${line}\n`),
    });
    const images = [`${demo.directory}:${inside.directory}`];
    if (options.debian) images.push(`${options.debian.directory}:${debianInside.directory}`);
    const machine = machineDirectory(process.pid);
    try {
      await mountRoot(machine, host.root);
      await mkdir(join(machine.root, 'var/log/journal'), { recursive: true }); // else users cannot read theirs
      const nspawn = await bootMachine(machine, host, images);
      const failure = () => readFile(join(machine.base, 'boot.log'), 'utf8');
      const leader = await until(() => leaderOf(nspawn), bootMs, failure);
      const world = new World(host, machine, leader);
      await world.#waitForBoot(failure);
      await world.#addUser(failure);
      return world;
    } catch (error) {
      await destroyMachine(machine);
      throw error;
    }
  }

  async #waitForBoot(failure: () => Promise<string>): Promise<void> {
    const booted = () =>
      this.root(['systemctl', 'is-active', 'basic.target', 'dbus.socket']).then(
        () => true,
        () => null,
      );
    await until(booted, bootMs, failure);
  }

  async #addUser(failure: () => Promise<string>): Promise<void> {
    await this.root(['useradd', '--create-home', `--uid=${uid}`, '--shell=/bin/bash', user.name]);
    // As loginctl does, which systemd 257 refuses from a control group that is not the machine's.
    await this.root(['install', '-D', '/dev/null', `/var/lib/systemd/linger/${user.name}`]);
    await this.root(['systemctl', 'start', 'systemd-user-sessions', 'systemd-logind']);
    const ready = () =>
      this.dev(['systemctl', '--user', 'is-active', 'default.target']).then(
        () => true,
        () => null,
      );
    await until(ready, bootMs, failure);
  }

  /** Runs a command inside as root. @returns its standard output. @throws CallError */
  root(command: readonly string[], timeoutMs = commandMs): Promise<string> {
    return this.#call(this.#inside(command), timeoutMs);
  }

  /** Runs a command inside as the user, as in a session. @returns its standard output. @throws CallError */
  dev(command: readonly string[], timeoutMs = commandMs): Promise<string> {
    return this.#call(this.asDev(command), timeoutMs);
  }

  /** The path on this machine of a file, or of a socket, inside. */
  outside(path: string): string {
    return `/proc/${this.#leader}/root${path}`;
  }

  /** The command line of this machine that runs a command inside as the user. */
  asDev(command: readonly string[]): string[] {
    const environment = [
      `HOME=${user.home}`,
      `USER=${user.name}`,
      `XDG_RUNTIME_DIR=${user.runtime}`,
      `DBUS_SESSION_BUS_ADDRESS=unix:path=${user.runtime}/bus`,
      `PATH=${dirname(this.host.node)}:/usr/local/bin:/usr/bin:/bin`,
    ];
    const inHome = ['env', '-i', `--chdir=${user.home}`, ...environment];
    return this.#inside(['runuser', '-u', user.name, '--', ...inHome, ...command]);
  }

  #inside(command: readonly string[]): string[] {
    const namespaces = ['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup'];
    return ['nsenter', `--target=${this.#leader}`, ...namespaces, '--', ...command];
  }

  #call([file = '', ...args]: string[], timeoutMs: number): Promise<string> {
    return call(file, args, { timeoutMs });
  }

  /** Writes a file inside that belongs to the user, or to root; its directory too, where it is missing. */
  async write(path: string, text: string, owner: 'dev' | 'root' = 'dev'): Promise<void> {
    const name = randomUUID(); // others write at the same time
    const handOver = join(this.share, name);
    await writeFile(handOver, text, { mode: 0o644 });
    await this[owner](['mkdir', '-p', dirname(path)]);
    await this[owner](['install', '--mode=600', join('/share', name), path]);
    await rm(handOver);
  }

  /** Ends it; nothing of it stays behind. */
  down(): Promise<void> {
    return destroyMachine(this.#machine);
  }
}
