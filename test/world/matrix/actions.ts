/** What is done to a guest, or to what runs it. */
import { setTimeout as delay } from 'node:timers/promises';
import { withQmp } from '../../../src/io/qmp/with-qmp.js';
import { guestUnit, qmpSocket, continueStore, restartStore, stopStore } from '../guests.js';
import type { World } from '../world.js';

export type Act = (world: World, vm: string) => Promise<unknown>;

const TRIES = 10;

async function qmp(world: World, vm: string, command: string, args: object): Promise<void> {
  const path = world.outside(qmpSocket(vm));
  const attempt = () => withQmp(path, { timeoutMs: 2_000 }, (session) => session.execute(command, args));
  // The watchdog may be connected itself, for a moment.
  for (let tries = 1; tries < TRIES; tries += 1) if (await attempt().then(Boolean, () => false)) return;
  await attempt();
}

const signal =
  (name: string): Act =>
  (world, vm) =>
    world.dev(['systemctl', '--user', 'kill', '--kill-who=main', `--signal=${name}`, guestUnit(vm)]);

/** Begins a scene in the guest, which is up. */
export const scene =
  (name: string): Act =>
  (world, vm) =>
    world.dev(['ssh', vm, `setsid sh /wedges/${name}.sh >/dev/console 2>&1 </dev/null &`]);

const SLOW_TURNS = 15;

/** It answers for a quarter of the time. */
const slowStore: Act = async (world, vm) => {
  for (let turn = 0; turn < SLOW_TURNS; turn += 1) {
    await stopStore(world, vm);
    await delay(1_500);
    await continueStore(world, vm);
    await delay(500);
  }
};

export const store = { stop: stopStore, goOn: continueStore, restart: restartStore, slow: slowStore };
export const machine = {
  pause: ((world, vm) => qmp(world, vm, 'stop', {})) satisfies Act,
  goOn: ((world, vm) => qmp(world, vm, 'cont', {})) satisfies Act,
};
export const process = { stop: signal('STOP'), goOn: signal('CONT') };
export const cable = {
  pull: ((world, vm) => qmp(world, vm, 'set_link', { name: 'net', up: false })) satisfies Act,
  plug: ((world, vm) => qmp(world, vm, 'set_link', { name: 'net', up: true })) satisfies Act,
};

/** The network is gone for so many seconds. */
export const away =
  (seconds: number): Act =>
  async (world, vm) => {
    await cable.pull(world, vm);
    await delay(1_000 * seconds);
    await cable.plug(world, vm);
  };

/** One after the other. */
export const both =
  (first: Act, second: Act): Act =>
  async (world, vm) => {
    await first(world, vm);
    await second(world, vm);
  };
