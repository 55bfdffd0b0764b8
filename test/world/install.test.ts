/** As a new user has it: a tarball or a package on a Debian 13 that has Node and guests, and nothing else of ours. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { call } from '../../src/guest/call.js';
import { newVm, startGuest, stopGuest, waitForSsh } from './guests.js';
import { binary, guestStatus, waitForState, wedgeAndCatch } from './watchdog.js';
import { user, World } from './world.js';

const project = join(import.meta.dirname, '../..');
const units = join(user.home, '.config/systemd/user');
const vm = newVm();

let world: World;
let names: { tarball: string; deb: string };

const manager = (...words: string[]) => world.dev(['systemctl', '--user', ...words]);
const isActive = () => manager('is-active', 'wedgewatch').catch(() => 'inactive');

const limitOf = () => world.root(['systemctl', 'cat', 'user@1990.service']);

beforeAll(async () => {
  world = await World.up(await buildGuest(guestCache(), { log: () => undefined }));
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', world.share];
  await call('npm', pack, { cwd: project, timeoutMs: 120_000 });
  const tarball = (await readdir(world.share)).find((name) => name.endsWith('.tgz')) ?? '';
  const script = join(project, 'packaging/deb.sh');
  const path = await call(script, [tarball], { cwd: world.share, timeoutMs: 150_000 });
  names = { tarball: join('/share', tarball), deb: path.replace(/^.*\//, '/share/') };
});

afterAll(() => world.down());

test('unpacked, it runs without a build, says what it would do, and then does it', async () => {
  await world.dev(['mkdir', 'wedgewatch']);
  await world.dev(['tar', 'xf', names.tarball, '-C', 'wedgewatch', '--strip-components=1']);
  const main = 'wedgewatch/dist/cli/main.js';
  const planned = await world.dev([main, 'install', '--dry-run']);
  expect(planned).toContain(`link    ${binary} -> ${user.home}/${main}`);
  await expect(world.dev(['ls', units])).rejects.toThrow('No such file');
  expect(await world.dev([main, 'install'])).toBe(planned);
  expect(await world.dev(['cat', '.local/share/man/man1/wedgewatch.1'])).toContain('.Sh NAME');
  expect(await manager('show', '--value', '--property=ExecStart', 'wedgewatch')).toContain(
    `argv[]=/usr/bin/node ${user.home}/${main} run ;`,
  );
  expect(await manager('is-enabled', 'wedgewatch')).toBe('enabled');
  expect(await isActive()).toBe('active');
});

test('root does what it is told, and an upgrade is an install again', async () => {
  const main = `${user.home}/wedgewatch/dist/cli/main.js`;
  const told = (await world.dev([main, 'install', '--dry-run'])).match(/^ +sudo .*$/gm) ?? [];
  expect(told).toHaveLength(3);
  for (const line of told) await world.root(['sh', '-c', line.trim().replace('sudo ', '')]);
  expect(await limitOf()).toContain('LogRateLimitBurst=10000000');
  expect(await world.dev([main, 'install'])).not.toContain('sudo');
  expect(await isActive()).toBe('active');
});

test('a guest that wedges is caught, and its hang is listed', async () => {
  await startGuest(world, { vm, mode: 'job', port: 2601 });
  await waitForSsh(world, vm);
  await waitForState(world, vm, 'up');
  const { verdict } = await wedgeAndCatch(world, vm);
  expect(verdict.class).toBe('blocked');
  expect(await world.dev([binary, 'list'])).toContain(verdict.title.slice(0, 60));
});

test('uninstalled, nothing of it is left but the evidence', async () => {
  await world.dev([binary, 'uninstall']);
  expect(await isActive()).toBe('inactive');
  await world.root(['rm', '-r', '/etc/systemd/system/user@.service.d']);
  const left = await world.dev(['find', units, join(user.home, '.local'), '-name', '*wedgewatch*']);
  expect(left.split('\n')).toEqual([join(user.home, '.local/state/wedgewatch')]);
});

test('Debian’s package brings command, units and journald’s limit; its user starts it, and the guest is seen', async () => {
  await world.root(['dpkg', '--install', names.deb]);
  const steps = await world.dev(['wedgewatch', 'install']);
  expect(steps).not.toMatch(/^(?:write|link|as root)/m);
  expect(await manager('show', '--value', '--property=FragmentPath', 'wedgewatch')).toBe(
    '/usr/lib/systemd/user/wedgewatch.service',
  );
  expect(await limitOf()).toContain('LogRateLimitBurst=10000000');
  // A small Debian has dpkg leave out manuals.
  expect(await world.root(['dpkg-deb', '--contents', names.deb])).toContain('/man/man1/wedgewatch.1.gz');
  const status = async () => (await guestStatus(world, vm, 'wedgewatch'))?.state;
  await expect.poll(status, { timeout: 30_000, interval: 500 }).toBeDefined();
  await stopGuest(world, vm);
  await world.dev(['wedgewatch', 'uninstall']);
  await world.root(['dpkg', '--purge', 'wedgewatch']);
  await expect(world.dev(['wedgewatch', '--version'])).rejects.toThrow(/No such file/);
});
