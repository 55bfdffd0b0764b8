import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import stripAnsi from 'strip-ansi';
import type { GuestImage } from '../../src/guest/build.js';
import { sshConfig } from '../../src/guest/start.js';
import { guestUnit, lastLines, type Machine, storeUnit, unitsOf } from './guest-units.js';
import { user, type World } from './world.js';

export { guestUnit, qmpSocket } from './guest-units.js';

/** A name for a guest, new for each run, as kdevops gives them. */
export const newVm = () => `vm-${randomBytes(4).toString('hex')}`;

/** Whether ssh knows the guest by its name. */
type KnownToSsh = 'known' | 'unknown';

interface WorldGuest {
  vm: string;
  /** Port of the world's loopback for the guest's SSH. */
  port: number;
  /** Of the demo guest: none, job, exec, or where `initrd` has scenes (scenes.ts) one of them. */
  mode: string;
  /** More of the kernel command line. */
  append?: string;
  /** A file inside that QEMU writes the console to, beside the journal. */
  log?: string;
  memory?: string;
  /** More of QEMU's arguments. */
  extra?: readonly string[];
  /** Paths inside of another image than the world's. */
  image?: Pick<GuestImage, 'kernel' | 'initrd' | 'sshKey'> | undefined;
  /** Default: known. */
  ssh?: KnownToSsh;
  /** Its one console is hvc0, which no journal has. */
  hvc?: 'alone';
}

interface DebianGuest {
  vm: string;
  port: number;
  /** What goes wrong in it: the units of test/world/debian say how. Healthy without. */
  wedge?: string;
  /** More of the kernel command line, e.g. `quiet`. */
  append?: string;
  /** Whether systemd's lines go to a second console, as with kdevops, and leave the serial one. Default: false. */
  hvc?: boolean;
}

/** What its console has said, without the control characters. */
export async function consoleOf(world: World, vm: string): Promise<string> {
  const read = ['journalctl', `--user-unit=${guestUnit(vm)}`, '--output=cat', '--all'];
  return stripAnsi(await world.dev(read));
}

const prepared = new WeakMap<World, Promise<void>>();

const workbench = join(user.home, '.local/state/windmill/workbench/system/ssh/config.d');
/** What the world itself asks a guest by whose name ssh does not know. */
const asideConfig = (vm: string) => join(user.home, '.config/aside', `${vm}.conf`);

/** What a user of such guests has in place: their units, and an ssh_config. */
async function prepareUser(world: World): Promise<void> {
  await unitsOf(world).prepare(world);
  await world.dev(['mkdir', '-p', workbench]);
  await world.write(join(user.home, '.ssh/config'), `Include ${workbench}/*.conf\n`);
}

interface Reached extends Machine {
  /** Private key inside that the guest's root accepts. */
  sshKey: string;
  ssh?: KnownToSsh | undefined;
}

/** Starts a guest as a unit of the world's user, as this world's host runs them, and returns at once. */
export async function startGuest(world: World, guest: WorldGuest): Promise<void> {
  const { vm, mode, port, append = 'loglevel=7', image = world.image, ...rest } = guest;
  await startMachine(world, {
    vm,
    port,
    image: { kernel: image.kernel, initrd: image.initrd },
    append: `wedge.mode=${mode} ${append}`,
    ...rest,
    sshKey: image.sshKey,
  });
}

/**
 * Starts a Debian with its own systemd the same way; World.up was given its image. It mounts the store at /mnt/store,
 * boots to SSH in half a minute to a minute, and its root's password is `wedge`.
 */
export async function startDebianGuest(world: World, guest: DebianGuest): Promise<void> {
  const { vm, port, wedge, append = '', hvc = false } = guest;
  const { kernel, root, sshKey } = world.debian;
  const drive = `if=none,id=root,file=${root},format=raw,snapshot=on`;
  const mode = wedge === undefined ? '' : `wedge=${wedge}`;
  await startMachine(world, {
    vm,
    port,
    image: { kernel, initrd: null },
    append: `root=/dev/nvme0n1 rw net.ifnames=0 sysrq_always_enabled ${mode} ${append}`,
    hvc,
    extra: ['-drive', drive, '-device', 'nvme,drive=root,serial=root'],
    sshKey,
  });
}

async function startMachine(world: World, { sshKey, ssh = 'known', ...machine }: Reached): Promise<void> {
  const { vm, port } = machine;
  if (!prepared.has(world)) prepared.set(world, prepareUser(world));
  await prepared.get(world);
  const key = join(user.home, '.ssh', `id_${vm}`);
  await world.write(key, `${await world.root(['cat', sshKey])}\n`);
  const config = ssh === 'known' ? join(workbench, `${vm}.conf`) : asideConfig(vm);
  await world.write(config, sshConfig(vm, port, key));
  await unitsOf(world).install(world, machine);
  await world.dev(['systemctl', '--user', 'start', guestUnit(vm)]);
}

/** Waits for the login prompt, behind which all that the guest starts has been started, in its console's file. */
export async function waitForPrompt(world: World, log: string, timeoutMs = 60_000): Promise<void> {
  const script = `until grep -q '^guest login:' ${log}; do sleep 0.2; done`;
  await world.root(['sh', '-c', script], timeoutMs);
}

/** Runs a command in the guest over SSH, also where the user's ssh does not know its name. @returns its output */
export function inGuest(world: World, vm: string, command: string, timeoutMs = 10_000): Promise<string> {
  const script = `[ ! -e ${asideConfig(vm)} ] || set -- -F ${asideConfig(vm)} "$@"; exec ssh "$@"`;
  return world.dev(['sh', '-c', script, 'ssh', '-o', 'ConnectTimeout=2', vm, command], timeoutMs);
}

/** Waits until a command runs in the guest over SSH. @throws Error at the deadline, in milliseconds */
export async function waitForSsh(world: World, vm: string, timeoutMs = 60_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const error = await inGuest(world, vm, 'true', 5_000).then(() => null, String);
    if (error === null) return;
    if (performance.now() > end)
      throw new Error(`${error}\nIts console ends:\n${await lastLines(world, guestUnit(vm))}`);
    await delay(200);
  }
}

/** Stops the server of the guest's store with SIGSTOP, all its processes: what needs it, waits from now on. */
export async function stopStore(world: World, vm: string): Promise<void> {
  await world.dev(['systemctl', '--user', 'kill', '--signal=STOP', storeUnit(vm)]);
}

/** Lets it go on. */
export async function continueStore(world: World, vm: string): Promise<void> {
  await world.dev(['systemctl', '--user', 'kill', '--signal=CONT', storeUnit(vm)]);
}

/** Restarts the server, as its user may: the guest's unit requires it, and is restarted with it. Debian 13 alone. */
export async function restartStore(world: World, vm: string): Promise<void> {
  await world.dev(['systemctl', '--user', 'restart', storeUnit(vm)]);
}

/** Ends the guest and its server; QEMU could not end while it waits for a stopped one. */
export async function stopGuest(world: World, vm: string): Promise<void> {
  await continueStore(world, vm).catch(() => undefined);
  await unitsOf(world).cut(world, vm);
}
