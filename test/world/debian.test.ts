import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { buildDebian } from './debian-image.js';
import { guestUnit, startDebianGuest, stopGuest, stopStore, waitForSsh } from './guests.js';
import { World } from './world.js';

let world: World;
const bootMs = 240_000;

beforeAll(async () => {
  const options = { log: (line: string) => process.stdout.write(`${line}\n`) };
  world = await World.up(await buildGuest(guestCache(), options), await buildDebian(guestCache(), options));
}, 900_000);

afterAll(() => world.down());

const consoleOf = (vm: string) =>
  world.dev(['journalctl', `--user-unit=${guestUnit(vm)}`, '--output=cat', '--all']);

test(
  'a Debian guest boots its own systemd to SSH, with the store mounted',
  async () => {
    await startDebianGuest(world, { vm: 'debian', port: 2301 });
    await waitForSsh(world, 'debian', bootMs);
    expect(await world.dev(['ssh', 'debian', 'cat /proc/1/comm'])).toBe('systemd');
    expect(await world.dev(['ssh', 'debian', 'ls /mnt/store'])).toContain('dropbear');
    expect(await consoleOf('debian')).toContain('SSH server');
    await stopGuest(world, 'debian');
  },
  bootMs + 60_000,
);

test(
  'a start job that reads from a stopped store goes on spinning, before SSH',
  async () => {
    await startDebianGuest(world, { vm: 'job', port: 2302, wedge: 'start-job' });
    await expect.poll(() => consoleOf('job'), { timeout: bootMs }).toContain('wedge: ready');
    await stopStore(world, 'job');
    const spinner = /(?:A start job is running for Reader of the store|Job wedge-start-job).*no limit/;
    await expect.poll(() => consoleOf('job'), { timeout: 60_000 }).toMatch(spinner);
    await stopGuest(world, 'job');
  },
  bootMs + 120_000,
);

test(
  'a required mount that fails ends in the emergency shell',
  async () => {
    await startDebianGuest(world, { vm: 'emergency', port: 2303, wedge: 'emergency' });
    await expect
      .poll(() => consoleOf('emergency'), { timeout: bootMs })
      .toContain('You are in emergency mode');
    await stopGuest(world, 'emergency');
  },
  bootMs + 60_000,
);
