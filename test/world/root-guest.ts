/** A guest that is a unit of the system, and root's watchdog: the same units as a user's, from the other directories. */
import { join } from 'node:path';
import { sshConfig } from '../../src/guest/start.js';
import type { Incident } from '../../src/core/report/incident.js';
import type { GuestStatus } from '../../src/core/watch/status.js';
import type { DaemonStatus } from '../../src/daemon/control.js';
import { copy, environment, guestUnit, storeUnit } from './guest-units.js';
import { kdevopsArguments } from './kdevops-qemu.js';
import type { World } from './world.js';

const UNITS = '/etc/systemd/system';
const COMMAND = '/usr/local/bin/wedgewatch';
const project = join(import.meta.dirname, '../..');

/** Installs the watchdog as root would. */
export const installForSystem = (world: World): Promise<string> =>
  world.root([world.host.node, join(project, 'dist/cli/main.js'), 'install', '--system']);

/** Runs a verb of it; its exit code may be any. */
export const systemVerb = (world: World, words: string): Promise<string> =>
  world.root(['sh', '-c', `${COMMAND} --system ${words} || true`]);

export async function startRootGuest(world: World, vm: string, port: number): Promise<void> {
  const machine = { vm, port, image: world.image, append: 'loglevel=7 wedge.mode=job', memory: '256M' };
  const { args, kernelArgs } = kdevopsArguments(machine, '/run');
  const root = (path: string, text: string) => world.write(path, text, 'root');
  for (const name of ['qemu-system@.service', 'virtiofsd@.service', 'virtiofsd@.socket'])
    await copy(world, `debian-13/${name}`, join(UNITS, name), 'root');
  // Root's needs no namespace of its own.
  const serve = '/usr/libexec/virtiofsd --sandbox=none --shared-dir=${SHARED_DIR} --fd=3';
  await root(join(UNITS, 'virtiofsd@.service.d/root.conf'), `[Service]\nExecStart=\nExecStart=${serve}\n`);
  const needs = `virtiofsd@${vm}-store.socket ${storeUnit(vm)}`;
  await root(join(UNITS, `${guestUnit(vm)}.d/store.conf`), `[Unit]\nRequires=${needs}\nAfter=${needs}\n`);
  const lines = [environment('QEMU_ARGS', args), `KERNEL_ARGS='${kernelArgs}'\nVSOCK_CID=${port}\n`];
  await root(`/etc/systemd/qemu-system/${vm}.env`, lines.join(''));
  await root(`/etc/systemd/virtiofsd/${vm}-store.env`, `SHARED_DIR=${world.image.store}\n`);
  const key = `/root/.ssh/id_${vm}`;
  await root('/root/.ssh/config', sshConfig(vm, port, key));
  await world.root(['install', '--mode=600', world.image.sshKey, key]);
  await world.root(['systemctl', 'daemon-reload']);
  await world.root(['systemctl', 'start', guestUnit(vm)]);
}

export async function rootStatus(world: World, vm: string): Promise<GuestStatus | undefined> {
  const { guests } = JSON.parse(await world.root([COMMAND, '--system', 'status', '--json'])) as DaemonStatus;
  return guests.find((guest) => guest.vm === vm);
}

/** Stops its store. */
export const wedgeRoot = (world: World, vm: string): Promise<string> =>
  world.root(['systemctl', 'kill', '--signal=STOP', storeUnit(vm)]);

export async function rootIncident(world: World, id: string): Promise<Incident> {
  return JSON.parse(
    await world.root(['cat', `/var/lib/wedgewatch/incidents/${id}/incident.json`]),
  ) as Incident;
}
