/**
 * A dump that is larger than journald's rate limit, by default made small for a small guest. At full size, with
 * journald's own limit: WEDGEWATCH_TASKS=3000 npx vitest run --project world test/world/lossless.test.ts
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Incident } from '../../src/core/report/incident.js';
import type { Check } from '../../src/daemon/check.js';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { verb } from './by-hand.js';
import { newVm, startGuest, stopGuest, waitForPrompt } from './guests.js';
import { user, World } from './world.js';

const project = join(import.meta.dirname, '../..');
const asked = process.env['WEDGEWATCH_TASKS'];
const tasks = Number(asked ?? 250);
const memory = tasks > 1000 ? '1536M' : '384M';
const conf = '[Journal]\nRateLimitIntervalSec=30s\nRateLimitBurst=400\n';
const uid = Number(user.runtime.split('/').at(-1));
const vm = newVm();
const log = join(user.home, `${vm}.console`);
const MINUTES = 600_000;

let world: World;

async function capture(name: string): Promise<{ code: number; incident: Incident; waiters: number }> {
  const began = performance.now();
  const { code, out, err } = await verb(world, `--quiet capture ${vm} --json`, MINUTES);
  if (out === '') throw new Error(`exit ${code}: ${err}`);
  const incident = JSON.parse(out) as Incident;
  const t = incident.dumps.findLast(({ key }) => key === 't')?.tasks ?? [];
  const waiters = t.filter(({ comm }) => comm === 'waiter').length;
  const { complete, incompleteBecause, dumps } = incident.evidence;
  const took = ((performance.now() - began) / 1000).toFixed(1);
  const sizes = dumps.map((dump) => `${dump.name} ${dump.lines} lines, ended by ${dump.endedBy}`).join('; ');
  process.stdout.write(
    `${name}: ${waiters} of ${tasks} waiters in t, complete ${complete}, exit ${code}, ${took} s; ${sizes}; ${incompleteBecause.join('; ')}\n`,
  );
  return { code, incident, waiters };
}

const rateLimit = async () => {
  const checks = JSON.parse((await verb(world, `doctor ${vm} --json`)).out) as Check[];
  return checks.find(({ what }) => what === 'journald rate limit');
};

/** The user may not read QEMU's copy of the console at first. */
async function start(): Promise<void> {
  await world.root(['rm', '-f', log]);
  const append = `loglevel=7 wedge.tasks=${tasks}`;
  await startGuest(world, { vm, mode: 'none', port: 2310, memory, append, log });
  await waitForPrompt(world, log, MINUTES);
  await world.dev(['chmod', '0', log]);
}

beforeAll(async () => {
  world = await World.up(await buildGuest(guestCache(), { log: () => undefined }));
  // What the console loses, memory would make up for.
  const config = 'memory: off\ncapture: {dumpTimeout: 10min}\ndetect: {secondLook: 1s}\n';
  await world.write(join(user.home, '.config/wedgewatch/config.yaml'), config);
  if (asked !== undefined) return;
  await world.write('/home/dev/limit.conf', conf);
  await world.root(['mkdir', '-p', '/etc/systemd/journald.conf.d']);
  await world.root(['cp', '/home/dev/limit.conf', '/etc/systemd/journald.conf.d/']);
  await world.root(['systemctl', 'restart', 'systemd-journald']);
}, MINUTES);

afterAll(() => world.down());

test('through journald alone it loses lines, and says so', { timeout: MINUTES }, async () => {
  await start();
  expect(await rateLimit()).toMatchObject({
    result: 'warning',
    detail: expect.stringMatching(/all its guests together: a dump of \d+ tasks/) as string,
    fix: expect.stringContaining('lossless-console.md') as string,
  });
  const { code, incident, waiters } = await capture('journald');
  expect(code).toBe(4);
  expect(incident.evidence.complete).toBe(false);
  expect(waiters).toBeLessThan(tasks);
});

test('from QEMU’s own log file it is whole', { timeout: MINUTES }, async () => {
  await world.dev(['chmod', '600', log]);
  expect((await verb(world, `doctor ${vm}`)).out).toContain(`dumps are read from ${log}`);
  const { incident, waiters } = await capture('logfile');
  expect(incident.evidence).toMatchObject({ complete: true, incompleteBecause: [] });
  expect(waiters).toBe(tasks);
  await stopGuest(world, vm);
});

test('through journald with the drop-in it is whole', { timeout: MINUTES }, async () => {
  const directory = '/etc/systemd/system/user@.service.d';
  await world.root(['mkdir', '-p', directory]);
  await world.root(['cp', join(project, 'systemd/user@.service.d/50-wedgewatch.conf'), directory]);
  await world.root(['systemctl', 'daemon-reload']);
  expect((await rateLimit())?.fix).toContain('its drop-in is installed and applies when');
  await world.root(['systemctl', 'restart', `user@${uid}.service`]);
  await start();
  expect((await rateLimit())?.result).toBe('ok');
  const { incident, waiters } = await capture('drop-in');
  expect(incident.evidence).toMatchObject({ complete: true, incompleteBecause: [] });
  expect(waiters).toBe(tasks);
});
