import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import stripAnsi from 'strip-ansi';
import { qemuArguments, type QemuOptions } from '../../src/guest/qemu.js';
import { sshConfig } from '../../src/guest/start.js';
import { virtiofsdCommand } from '../../src/guest/virtiofsd.js';
import { user, type World } from './world.js';

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
  /** Path inside of another initrd than the image's. */
  initrd?: string;
}

interface DebianGuest {
  vm: string;
  port: number;
  /** What goes wrong in it: the units of test/world/debian say how. Healthy without. */
  wedge?: string;
  /** More of the kernel command line, e.g. `quiet`. */
  append?: string;
}

const units = join(user.home, '.config/systemd/user');
const storeUnit = (vm: string) => `virtiofsd@${vm}-store.service`;

/** The unit of a guest. */
export const guestUnit = (vm: string) => `qemu-system@${vm}.service`;

/** Its QMP socket, inside. */
export const qmpSocket = (vm: string) => join(user.runtime, 'qemu-system', vm, 'qmp.sock');

const quoted = (argument: string) => (argument.includes(' ') ? `"${argument}"` : argument);

const lastLines = (world: World, unit: string) =>
  world.dev(['journalctl', `--user-unit=${unit}`, '--lines=30', '--output=cat']);

/** What its console has said, without the control characters. */
export async function consoleOf(world: World, vm: string): Promise<string> {
  const read = ['journalctl', `--user-unit=${guestUnit(vm)}`, '--output=cat', '--all'];
  return stripAnsi(await world.dev(read));
}

const prepared = new WeakMap<World, Promise<void>>();

/** What a user of such guests has in place: the template of their unit, and an ssh_config. */
async function prepareUser(world: World): Promise<void> {
  const template = join(import.meta.dirname, 'units/qemu-system@.service');
  await world.write(join(units, 'qemu-system@.service'), await readFile(template, 'utf8'));
  await world.write(join(user.home, '.ssh/config'), 'Include guests/*\n');
  await world.dev(['systemctl', '--user', 'daemon-reload']);
}

/** What differs between the guests that a user of the world can start. */
interface Machine extends Omit<WorldGuest, 'mode' | 'initrd'> {
  image: QemuOptions['image'];
  append: string;
  /** Private key inside that the guest's root accepts. */
  sshKey: string;
}

/** Starts a guest as a unit of the world's user, with its virtiofsd beside it, and returns at once. */
export async function startGuest(world: World, guest: WorldGuest): Promise<void> {
  const { vm, mode, port, append = 'loglevel=7', initrd, ...rest } = guest;
  const { image } = world;
  await startMachine(world, {
    vm,
    port,
    image: { kernel: image.kernel, initrd: initrd ?? image.initrd },
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
  const { vm, port, wedge, append = '' } = guest;
  const { kernel, root, sshKey } = world.debian;
  const drive = `if=none,id=root,file=${root},format=raw,snapshot=on`;
  const mode = wedge === undefined ? '' : `wedge=${wedge}`;
  await startMachine(world, {
    vm,
    port,
    image: { kernel, initrd: null },
    append: `root=/dev/nvme0n1 rw net.ifnames=0 sysrq_always_enabled ${mode} ${append}`,
    extra: ['-drive', drive, '-device', 'nvme,drive=root,serial=root'],
    sshKey,
  });
}

async function startMachine(world: World, machine: Machine): Promise<void> {
  const { vm, port, sshKey, log, ...rest } = machine;
  if (!prepared.has(world)) prepared.set(world, prepareUser(world));
  await prepared.get(world);
  const key = join(user.home, '.ssh', `id_${vm}`);
  await world.write(key, `${await world.root(['cat', sshKey])}\n`);
  const virtiofsdSocket = join(user.home, `${vm}-store.sock`); // not in /run, which it may not see
  const serve = virtiofsdCommand(world.image.store, virtiofsdSocket, 'other');
  const run = ['systemd-run', '--user', '--quiet', '--collect', `--unit=${storeUnit(vm)}`];
  await world.dev([...run, '--', ...serve]);
  const args = qemuArguments({
    ...rest,
    vm,
    virtiofsdSocket,
    qmpSocket: qmpSocket(vm),
    sshPort: port,
    console: log === undefined ? 'stdio' : { log },
  });
  const environment = `QEMU_ARGS='${args.map(quoted).join(' ')}'\n`;
  await world.write(join(user.home, '.config/qemu-system', `${vm}.env`), environment);
  await world.write(join(user.home, '.ssh/guests', vm), sshConfig(vm, port, key));
  const ready = `until test -S ${virtiofsdSocket}; do systemctl --user is-active ${storeUnit(vm)} && sleep 0.05 || exit; done`;
  await world.dev(['sh', '-c', ready], 10_000).catch(async (error: unknown) => {
    throw new Error(await lastLines(world, storeUnit(vm)), { cause: error });
  });
  await world.dev(['systemctl', '--user', 'start', guestUnit(vm)]);
}

/** Waits for the login prompt, behind which all that the guest starts has been started, in its console's file. */
export async function waitForPrompt(world: World, log: string, timeoutMs = 60_000): Promise<void> {
  const script = `until grep -q '^guest login:' ${log}; do sleep 0.2; done`;
  await world.root(['sh', '-c', script], timeoutMs);
}

/** Waits until a command runs in the guest over SSH. @throws Error at the deadline, in milliseconds */
export async function waitForSsh(world: World, vm: string, timeoutMs = 60_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const attempt = world.dev(['ssh', '-o', 'ConnectTimeout=2', vm, 'true'], 5_000);
    const error = await attempt.then(() => null, String);
    if (error === null) return;
    if (performance.now() > end)
      throw new Error(`${error}\nIts console ends:\n${await lastLines(world, guestUnit(vm))}`);
    await delay(200);
  }
}

/** Stops the server of the guest's store with SIGSTOP: what needs it, waits from now on. */
export async function stopStore(world: World, vm: string): Promise<void> {
  await world.dev(['systemctl', '--user', 'kill', '--signal=STOP', storeUnit(vm)]);
}

/** Lets it go on. */
export async function continueStore(world: World, vm: string): Promise<void> {
  await world.dev(['systemctl', '--user', 'kill', '--signal=CONT', storeUnit(vm)]);
}

/** Stops the guest and its server; QEMU could not end while it waits for a stopped one. */
export async function stopGuest(world: World, vm: string): Promise<void> {
  await continueStore(world, vm).catch(() => undefined);
  await world.dev(['systemctl', '--user', 'stop', guestUnit(vm)]);
  // It ends by itself with its guest, and its transient unit is then gone.
  await world.dev(['systemctl', '--user', 'stop', storeUnit(vm)]).catch(() => undefined);
}

/** Lets the unit of a guest end it by QMP's `quit`, as a user's unit may: a client that holds the socket delays that. */
export async function quitOverQmp(world: World, vm: string): Promise<void> {
  const quit = `c=require("net").connect("${qmpSocket(vm)}");c.write("{\\"execute\\":\\"qmp_capabilities\\"}{\\"execute\\":\\"quit\\"}");c.resume();c.on("error",()=>{})`;
  await world.write(join(user.home, '.config/quit', `${vm}.cjs`), quit);
  const command = `${process.execPath} ${join(user.home, '.config/quit', `${vm}.cjs`)}`;
  const dropIn = join(units, `${guestUnit(vm)}.d`, 'stop.conf');
  await world.write(dropIn, `[Service]\nExecStop=${command}\n`);
  await world.dev(['systemctl', '--user', 'daemon-reload']);
}
