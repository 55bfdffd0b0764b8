import { afterAll, beforeAll, expect, test } from 'vitest';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { consoleOf, guestUnit, startGuest, stopGuest, waitForSsh } from './guests.js';
import { machineDirectory } from './machine.js';
import { World } from './world.js';

let world: World;

beforeAll(async () => {
  const image = await buildGuest(guestCache(), { log: () => undefined });
  world = await World.up(image);
});

afterAll(() => world.down());

test('the user inside has a manager, and sees node and the project', async () => {
  expect(await world.dev(['systemctl', '--user', 'is-active', 'default.target'])).toBe('active');
  expect(await world.dev([process.execPath, '--version'])).toBe(process.version);
  expect(await world.dev(['cat', `${import.meta.dirname}/world.test.ts`])).toContain('sees node');
});

test('a healthy guest answers SSH, and its console is in the user’s journal', async () => {
  await startGuest(world, { vm: 'healthy', mode: 'none', port: 2201 });
  await waitForSsh(world, 'healthy');
  expect(await world.dev(['ssh', 'healthy', 'cat /proc/sys/kernel/sysrq'])).toBe('1');
  // SSH may answer before the last line of the boot is in the journal.
  const console = () => consoleOf(world, 'healthy');
  await expect.poll(console, { timeout: 10_000 }).toContain('guest login:');
  await stopGuest(world, 'healthy');
  const state = await world.dev([
    'systemctl',
    '--user',
    'show',
    '--value',
    '--property=ActiveState',
    guestUnit('healthy'),
  ]);
  expect(state).toBe('inactive');
  expect(await world.root(['sh', '-c', 'pgrep -x qemu-system-x86 || true'])).toBe('');
});

test('nothing is left of a world that went down', async () => {
  await world.down();
  const { base, root } = machineDirectory(process.pid);
  expect(existsSync(base)).toBe(false);
  expect(await readFile('/proc/self/mounts', 'utf8')).not.toContain(root);
});
