/** The world itself: a Debian 13 whose user runs guests as kdevops does. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import {
  consoleOf,
  continueStore,
  guestUnit,
  inGuest,
  newVm,
  startGuest,
  stopGuest,
  stopStore,
  waitForSsh,
} from './guests.js';
import { expectTold, GITHUB, guardedJob } from './guarded.js';
import { machineDirectory } from './machine.js';
import { World } from './world.js';

const [healthy, waiting, guarded] = [newVm(), newVm(), newVm()];

let world: World;

const property = (unit: string, name: string) =>
  world.dev(['systemctl', '--user', 'show', '--value', `--property=${name}`, unit]);

beforeAll(async () => {
  const image = await buildGuest(guestCache(), { log: () => undefined });
  world = await World.up(image);
});

afterAll(() => world.down());

test('it is a Debian 13 with its own node, and its user has a manager and sees the project', async () => {
  expect(await world.dev(['cat', '/etc/os-release'])).toMatch(/^VERSION_ID="13"$/m);
  expect(await world.dev(['systemctl', '--version'])).toMatch(/^systemd 257 /);
  expect(await world.dev([world.host.node, '--version'])).toMatch(/^v20\.19\./);
  expect(await world.dev(['systemctl', '--user', 'is-active', 'default.target'])).toBe('active');
  expect(await world.dev(['cat', `${import.meta.dirname}/world.test.ts`])).toContain('sees the project');
});

test('a healthy guest answers SSH, and its console is in the user’s journal, in the slice of its unit', async () => {
  await startGuest(world, { vm: healthy, mode: 'none', port: 2201 });
  await waitForSsh(world, healthy);
  expect(await inGuest(world, healthy, 'cat /proc/sys/kernel/sysrq')).toBe('1');
  // SSH may answer before the last line of the boot is in the journal.
  const slice = ['journalctl', '--user', '--output=cat', '_SYSTEMD_USER_SLICE=machine.slice'];
  await expect.poll(() => world.dev(slice), { timeout: 10_000 }).toContain('guest login:');
  // No machined for the user: as on most hosts of kdevops.
  expect(await consoleOf(world, healthy)).toMatch(/^Failed to open .*io\.systemd\.Machine/m);
});

test('stopped, it is powered down through QMP, as by its button', async () => {
  const began = performance.now();
  await world.dev(['systemctl', '--user', 'stop', guestUnit(healthy)]);
  expect(performance.now() - began).toBeLessThan(20_000);
  expect(await property(guestUnit(healthy), 'Result')).toBe('success');
  expect(await property(guestUnit(healthy), 'ActiveState')).toBe('inactive');
  expect(await consoleOf(world, healthy)).toMatch(/power button: shutting down[^]*reboot: Power down/);
  const left = () => world.root(['sh', '-c', 'pgrep -x "qemu-system-x86|virtiofsd" || true']);
  await expect.poll(left, { timeout: 10_000 }).toBe('');
});

test('its store is served by processes of its unit; with them stopped it waits, by name or without', async () => {
  await startGuest(world, { vm: waiting, mode: 'job', port: 2202, ssh: 'unknown' });
  await waitForSsh(world, waiting);
  await expect(world.dev(['ssh', waiting, 'true'])).rejects.toThrow(/Could not resolve hostname/);
  const group = await property(`virtiofsd@${waiting}-store.service`, 'ControlGroup');
  expect(await world.root(['sh', '-c', `wc -l </sys/fs/cgroup${group}/cgroup.procs`])).toBe('2');
  await stopStore(world, waiting);
  await expect(waitForSsh(world, waiting, 3_000)).rejects.toThrow();
  await continueStore(world, waiting);
  await waitForSsh(world, waiting);
  await stopStore(world, waiting);
  await stopGuest(world, waiting);
  expect(await property(guestUnit(waiting), 'ActiveState')).toBe('inactive');
  expect(await world.root(['sh', '-c', 'pgrep -x "qemu-system-x86|virtiofsd" || true'])).toBe('');
});

test('a guard without a daemon: the job that passes, and the one whose guest wedges, in the forms of GitHub', async () => {
  const vm = guarded;
  await startGuest(world, { vm, mode: 'job', port: 2203, append: 'quiet' });
  await waitForSsh(world, vm);
  expect(await guardedJob(world, `${vm} -- true`)).toMatchObject({ code: 0, out: '', err: '' });
  const job = guardedJob(world, `${vm} -- ssh ${vm} 'touch /tmp/begun; sleep 600'`, GITHUB);
  await expect
    .poll(() => inGuest(world, vm, 'ls /tmp/begun').catch(String), { timeout: 30_000 })
    .toBe('/tmp/begun');
  await stopStore(world, vm);
  await expectTold(world, await job, vm);
  await stopGuest(world, vm);
});

test('nothing is left of a world that went down', async () => {
  await world.down();
  const { base, root } = machineDirectory(process.pid);
  expect(existsSync(base)).toBe(false);
  expect(await readFile('/proc/self/mounts', 'utf8')).not.toContain(root);
});
