/**
 * Guests that are no unit of their user: of libvirt, of plain QEMU, of virtme-ng, each found by its process; and one of the
 * system, watched by root. Each is wedged once.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Incident } from '../../src/core/report/incident.js';
import type { Check } from '../../src/daemon/check.js';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { expectWhole } from './demo-output.js';
import { startDomain, startMicrovm, startPlain, waitUntilUp } from './other-guests.js';
import {
  installForSystem,
  rootIncident,
  rootStatus,
  startRootGuest,
  systemVerb,
  wedgeRoot,
} from './root-guest.js';
import { shareScenes } from './scenes.js';
import { checksOf, guestStatus, startWatchdog, waitForState, wedgeAndCatch } from './watchdog.js';
import { user, World } from './world.js';

const [domain, plain, microvm, ofRoot] = ['domain', 'plain', 'virtme-ng', 'of-root'];
const found = [domain, plain, microvm];
const isStopped = /page-in .*virtiofs:store .*\(virtiofsd is stopped\)/;

let world: World;
let caught: Record<string, Incident>;

beforeAll(async () => {
  const image = await buildGuest(guestCache(), { log: () => undefined });
  world = await World.up(image);
  const scenes = await shareScenes(image, world.share, 'scenes');
  await world.root(['chmod', '-R', 'a+rX', '/share/scenes']);
  await world.write(join(user.home, '.config/wedgewatch/config.yaml'), 'discover: {processes: true}\n');
  await Promise.all([startWatchdog(world), installForSystem(world)]);
  await Promise.all([
    startDomain(world, scenes, { vm: domain, port: 2751 }),
    startPlain(world, scenes, { vm: plain, port: 2752, qmpPort: 4477 }),
    startMicrovm(world, scenes, { vm: microvm, port: 2753 }),
    startRootGuest(world, ofRoot, 2754),
  ]);
  await Promise.all(found.map((vm) => waitUntilUp(world, vm)));
});

afterAll(() => world.down());

test('each is found, with its QMP, its console and its SSH', async () => {
  for (const vm of found) {
    await waitForState(world, vm, 'up');
    expect(await checksOf(world, vm)).toMatchObject({ QMP: 'ok', console: 'ok', memory: 'ok' });
    expect((await guestStatus(world, vm))?.ssh?.kind).toBe('ok');
  }
});

test('that of the system is seen by root’s watchdog alone, and doctor finds nothing wrong with it', async () => {
  await expect
    .poll(async () => (await rootStatus(world, ofRoot))?.armed, { timeout: 60_000, interval: 500 })
    .toBe('yes');
  expect(await rootStatus(world, ofRoot)).toMatchObject({ state: 'up', ssh: { kind: 'ok' } });
  expect(await guestStatus(world, ofRoot)).toBeUndefined();
  for (const vm of found) expect(await rootStatus(world, vm)).toBeUndefined();
  const checks = JSON.parse(await systemVerb(world, `doctor ${ofRoot} --json`)) as Check[];
  expect(checks.filter(({ result }) => result !== 'ok').map(({ what }) => what)).toEqual([
    'journald rate limit',
  ]);
});

test('each that is wedged is caught, with the server that is stopped', async () => {
  const incidents = found.map(async (vm) => [vm, await wedgeAndCatch(world, vm)] as const);
  caught = Object.fromEntries(await Promise.all([...incidents, wedgeAndCatchRoot()]));
  for (const vm of [...found, ofRoot]) {
    expect(caught[vm]?.verdict, vm).toMatchObject({ class: 'blocked', frame: 'filemap_fault' });
    expect(caught[vm]?.verdict.title, vm).toMatch(isStopped);
    expect(caught[vm]?.evidence, vm).toMatchObject({ complete: true, incompleteBecause: [] });
  }
});

async function wedgeAndCatchRoot(): Promise<[string, Incident]> {
  await wedgeRoot(world, ofRoot);
  const id = async () => (await rootStatus(world, ofRoot))?.lastIncident ?? null;
  await expect.poll(id, { timeout: 60_000, interval: 500 }).not.toBeNull();
  return [ofRoot, await rootIncident(world, (await id()) ?? '')];
}

test.for([domain, plain, ofRoot])('%s: keys go through its QMP, and bring whole dumps', (vm) => {
  const incident = caught[vm];
  expect(incident?.capture[0]).toMatchObject({ rung: 'send-key', outcome: 'worked' });
  if (incident) expectWhole(incident);
});

test('virtme-ng: it has no keyboard; its memory shows all', () => {
  const incident = caught[microvm];
  expect(incident?.capture[0]).toMatchObject({ rung: 'send-key', outcome: 'failed' });
  expect(incident?.evidence.dumps[0]).toMatchObject({ name: 'memory', complete: true });
});

test('root’s daemon runs with three of its rights, and writes to no place but its own', async () => {
  const pid = await world.root(['systemctl', 'show', '--property=MainPID', '--value', 'wedgewatch']);
  const status = await world.root(['cat', `/proc/${pid}/status`]);
  // CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE
  expect(/^CapEff:\t(\S+)$/m.exec(status)?.[1]).toBe('0000000000080006');
  const mounts = await world.root(['cat', `/proc/${pid}/mounts`]);
  expect(mounts).toMatch(/^\S+ \/ \S+ ro[, ]/m);
  expect(mounts).toMatch(/^\S+ \/var\/lib\/wedgewatch \S+ rw[, ]/m);
});
