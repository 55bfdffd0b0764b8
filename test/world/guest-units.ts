/** How each host runs a guest: the units of its user, and what they read. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { qemuArguments, type QemuOptions } from '../../src/guest/qemu-command.js';
import { virtiofsdCommand } from '../../src/guest/virtiofsd.js';
import { kdevopsArguments } from './kdevops-qemu.js';
import { user, type World } from './world.js';

/** A guest, whatever it is booted from. */
export interface Machine {
  vm: string;
  /** Port of the world's loopback for the guest's SSH. */
  port: number;
  image: QemuOptions['image'];
  /** More of the kernel command line. */
  append: string;
  /**
   * Whether the kernel is told of a second console, which its driver makes /dev/console, or of that alone, which no
   * journal has. Default: true.
   */
  hvc?: boolean | 'alone' | undefined;
  /** A file inside that QEMU writes the console to, beside the journal. */
  log?: string | undefined;
  memory?: string | undefined;
  /** More of QEMU's arguments. */
  extra?: readonly string[] | undefined;
}

interface GuestUnits {
  /** Once for each world, before the first guest. */
  prepare: (world: World) => Promise<void>;
  /** Writes what the unit of a guest reads, and sees to it that its store will be served. */
  install: (world: World, machine: Machine) => Promise<void>;
  /** Ends the guest at once, as a power cut does; its server may be stopped or gone. */
  cut: (world: World, vm: string) => Promise<void>;
}

const config = join(user.home, '.config');
const units = join(config, 'systemd/user');

/** The unit of a guest. */
export const guestUnit = (vm: string) => `qemu-system@${vm}.service`;

/** The unit of the server of its store. */
export const storeUnit = (vm: string) => `virtiofsd@${vm}-store.service`;

/** A guest's QMP socket, inside. */
export const qmpSocket = (vm: string) => join(user.runtime, 'qemu-system', vm, 'qmp.sock');

const quoted = (argument: string) => (/[ ;#]/.test(argument) ? `"${argument}"` : argument);
export const environment = (name: string, words: readonly string[]) =>
  `${name}='${words.map(quoted).join(' ')}'\n`;

export async function copy(
  world: World,
  from: string,
  to: string,
  owner: 'dev' | 'root' = 'dev',
): Promise<void> {
  await world.write(to, await readFile(join(import.meta.dirname, 'units', from), 'utf8'), owner);
}

const manager = (world: World, ...words: string[]) => world.dev(['systemctl', '--user', ...words]);

/** Units of our own, as simple as they can be: a slice by default, a server with a socket path among its arguments. */
const plain: GuestUnits = {
  prepare: async (world) => {
    await copy(world, 'debian-12/qemu-system@.service', join(units, 'qemu-system@.service'));
    await manager(world, 'daemon-reload');
  },
  install: async (world, machine) => {
    const { vm, port, image, append, memory, extra, log } = machine;
    const virtiofsdSocket = join(user.home, `${vm}-store.sock`); // not in /run, which it may not see
    const serve = virtiofsdCommand(world.image.store, virtiofsdSocket, 'other');
    const run = ['systemd-run', '--user', '--quiet', '--collect', `--unit=${storeUnit(vm)}`];
    await world.dev([...run, '--', ...serve]);
    const args = qemuArguments({
      vm,
      image,
      append,
      memory,
      extra,
      virtiofsdSocket,
      qmpSocket: qmpSocket(vm),
      sshPort: port,
      console: log === undefined ? 'stdio' : { log },
    });
    await world.write(join(config, 'qemu-system', `${vm}.env`), environment('QEMU_ARGS', args));
    const ready = `until test -S ${virtiofsdSocket}; do systemctl --user is-active ${storeUnit(vm)} && sleep 0.05 || exit; done`;
    await world.dev(['sh', '-c', ready], 10_000).catch(async (error: unknown) => {
      throw new Error(await lastLines(world, storeUnit(vm)), { cause: error });
    });
  },
  cut: async (world, vm) => {
    await manager(world, 'stop', guestUnit(vm));
    // The server ends by itself with its guest, and its transient unit is then gone.
    await manager(world, 'stop', storeUnit(vm)).catch(() => undefined);
  },
};

/** What a user of kdevops has: units that are shaped like theirs, one template for all guests and all shares. */
const kdevops: GuestUnits = {
  prepare: async (world) => {
    const names = ['qemu-system@.service', 'machines.target', 'virtiofsd@.service', 'virtiofsd@.socket'];
    for (const name of names) await copy(world, `debian-13/${name}`, join(units, name));
    await copy(world, 'debian-13/power-down.qmp', join(config, 'qemu-system/power-down.qmp'));
    await manager(world, 'daemon-reload');
  },
  install: async (world, machine) => {
    const { vm } = machine;
    const { args, kernelArgs } = kdevopsArguments(machine, user.runtime);
    const lines = [
      environment('QEMU_ARGS', args),
      `KERNEL_ARGS='${kernelArgs}'\n`,
      `VSOCK_CID=${machine.port}\n`,
    ];
    await world.write(join(config, 'systemd/qemu-system', `${vm}.env`), lines.join(''));
    const shared = `SHARED_DIR=${world.image.store}\n`;
    await world.write(join(config, 'systemd/virtiofsd', `${vm}-store.env`), shared);
    const both = `virtiofsd@${vm}-store.socket virtiofsd@${vm}-store.service`;
    const needs = `[Unit]\nRequires=${both}\nAfter=${both}\n`;
    await world.write(join(units, `${guestUnit(vm)}.d/override.conf`), needs);
    await manager(world, 'daemon-reload');
  },
  cut: async (world, vm) => {
    // Not through its ExecStop: a guest that is wedged would be waited for.
    await manager(world, 'kill', '--kill-whom=main', '--signal=KILL', guestUnit(vm)).catch(() => undefined);
    await manager(world, 'stop', guestUnit(vm), storeUnit(vm), `virtiofsd@${vm}-store.socket`);
    await manager(world, 'reset-failed', guestUnit(vm)).catch(() => undefined);
  },
};

export const unitsOf = (world: World): GuestUnits => (world.host.name === 'this' ? plain : kdevops);

/** The end of what a unit has said. */
export const lastLines = (world: World, unit: string) =>
  world.dev(['journalctl', `--user-unit=${unit}`, '--lines=30', '--output=cat']);
