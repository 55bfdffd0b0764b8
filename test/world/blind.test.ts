/** A guest whose console is not in the journal: nothing of it can be read, and nobody is blamed for that but the host. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { guestUnit, newVm, startGuest, waitForSsh } from './guests.js';
import { binary, checksOf, guestStatus, startWatchdog, waitForState, wedgeAndCatch } from './watchdog.js';
import { user, World } from './world.js';

const vm = newVm();
const silent = `${guestUnit(vm)} has logged nothing`;

let world: World;

beforeAll(async () => {
  world = await World.up(await buildGuest(guestCache(), { log: () => undefined }));
  await startWatchdog(world);
});

afterAll(() => world.down());

test('status and doctor call it blind, with reason and fix, although its SSH answers', async () => {
  const dropIn = join(user.home, '.config/systemd/user', `${guestUnit(vm)}.d/60-silent.conf`);
  await world.write(dropIn, '[Service]\nStandardOutput=null\nStandardError=null\n');
  await startGuest(world, { vm, mode: 'job', port: 2701 });
  await waitForSsh(world, vm);
  await waitForState(world, vm, 'up');
  await expect
    .poll(async () => (await guestStatus(world, vm))?.class, { timeout: 40_000, interval: 500 })
    .toBe('blind');
  expect(await guestStatus(world, vm)).toMatchObject({ blind: { why: silent } });
  const said = await world.dev([binary, 'status', vm]);
  expect(said).toContain(`blind: not one line of its console was read in this boot: ${silent}`);
  expect(said).toMatch(/^ {2}to see it: give QEMU -serial mon:stdio and the guest console=ttyS0/m);
  expect(await checksOf(world, vm)).toMatchObject({ console: 'fault', SSH: 'ok' });
});

test('wedged, its memory tells where; that its console was not read is a reason, and nothing of its keyboard', async () => {
  const { verdict, evidence } = await wedgeAndCatch(world, vm);
  expect(verdict.title).toMatch(/virtiofs:store \(\/mnt\/store\).*\(virtiofsd is stopped\)/);
  expect(verdict.reasons.join('\n')).toContain('not one line of its console was read in this boot: ');
  expect(evidence).toMatchObject({ complete: true });
  expect(JSON.stringify([verdict, evidence])).not.toMatch(/PS\/2 keyboard|kernel\.sysrq/);
  await world.dev(['systemctl', '--user', 'kill', '--kill-whom=main', '--signal=KILL', guestUnit(vm)]);
});
