/** The watchdog in the world, installed just as the README says. */
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Incident } from '../../src/core/report/incident.js';
import type { GuestStatus } from '../../src/core/watch/status.js';
import type { Check } from '../../src/daemon/check.js';
import type { DaemonStatus } from '../../src/daemon/control.js';
import { stopStore } from './guests.js';
import { user, type World } from './world.js';

const project = join(import.meta.dirname, '../..');

export const binary = join(user.home, '.local/bin/wedgewatch');
const incidents = join(user.home, '.local/state/wedgewatch/incidents');

/** Installs it as a user unit, and starts it. */
export async function startWatchdog(world: World): Promise<void> {
  await world.dev(['mkdir', '-p', join(user.home, '.local/bin')]);
  await world.dev(['ln', '-s', join(project, 'dist/cli/main.js'), binary]);
  const unit = join(project, 'systemd/wedgewatch.service');
  await world.dev(['systemctl', '--user', 'enable', '--now', unit]);
}

export async function readIncident(world: World, id: string): Promise<Incident> {
  return JSON.parse(await world.dev(['cat', join(incidents, id, 'incident.json')])) as Incident;
}

/** What `status` says of a guest. */
export async function guestStatus(
  world: World,
  vm: string,
  command = binary,
): Promise<GuestStatus | undefined> {
  const { guests } = JSON.parse(await world.dev([command, 'status', '--json'])) as DaemonStatus;
  return guests.find((guest) => guest.vm === vm);
}

/** What doctor finds of a guest: each check with its result. */
export async function checksOf(world: World, vm: string): Promise<Record<string, string>> {
  const said = await world.dev(['sh', '-c', `${binary} doctor ${vm} --json || true`]);
  const checks = (JSON.parse(said) as Check[]).filter(({ what }) => what.startsWith(`${vm}: `));
  return Object.fromEntries(checks.map(({ what, result }) => [what.slice(vm.length + 2), result]));
}

export async function waitForState(world: World, vm: string, state: string): Promise<void> {
  const is = async () => (await guestStatus(world, vm))?.state;
  await expect.poll(is, { timeout: 60_000, interval: 500 }).toBe(state);
}

/** Stops the guest's store, waits until the incident is there, and returns it. */
export async function wedgeAndCatch(world: World, vm: string): Promise<Incident> {
  await stopStore(world, vm);
  await waitForState(world, vm, 'held');
  const id = async () => (await guestStatus(world, vm))?.lastIncident ?? null;
  await expect.poll(id, { timeout: 10_000, interval: 200 }).not.toBeNull();
  return readIncident(world, (await id()) ?? '');
}
