/**
 * The older host: systemd 252, the virtiofsd of QEMU 7.2, units of our own. A short set that shows that nothing is lost
 * there. It is this machine's own system that is booted, so the set is skipped, by name, where this is no Debian 12.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { expectWhole } from './demo-output.js';
import { continueStore, newVm, startGuest, stopGuest, waitForSsh } from './guests.js';
import { thisMachine } from './host.js';
import { checksOf, guestStatus, startWatchdog, waitForState, wedgeAndCatch } from './watchdog.js';
import { World } from './world.js';

const { name, isDebian12 } = thisMachine();
const [healthy, later] = [newVm(), newVm()];

let world: World;

describe.skipIf(!isDebian12)(`Debian 12${isDebian12 ? '' : `, which ${name} is not`}`, () => {
  beforeAll(async () => {
    world = await World.up(await buildGuest(guestCache(), { log: () => undefined }), { host: 'this' });
    await startWatchdog(world);
  });

  afterAll(() => world.down());

  test('has the older systemd', async () => {
    expect(await world.dev(['systemctl', '--version'])).toMatch(/^systemd 252 /);
  });

  test('a healthy guest is armed and up, and doctor finds nothing wrong', async () => {
    await startGuest(world, { vm: healthy, mode: 'none', port: 2501 });
    await waitForSsh(world, healthy);
    await waitForState(world, healthy, 'up');
    const armed = async () => (await guestStatus(world, healthy))?.armed;
    await expect.poll(armed, { timeout: 20_000 }).toBe('yes');
    const ok = { QMP: 'ok', console: 'ok', SSH: 'ok', SysRq: 'ok', 'share store': 'ok', memory: 'ok' };
    expect(await checksOf(world, healthy)).toEqual(ok);
  });

  test('a guest that comes later is seen, its page-in caught with whole dumps; let go, it recovers', async () => {
    await startGuest(world, { vm: later, mode: 'job', port: 2502, append: 'quiet' });
    await waitForSsh(world, later);
    await waitForState(world, later, 'up');
    const incident = await wedgeAndCatch(world, later);
    expect(incident.verdict).toMatchObject({ class: 'blocked', frame: 'filemap_fault' });
    expect(incident.verdict.title).toMatch(
      /page-in .*virtiofs:store .*\((?:inferred; virtiofsd|virtiofsd is) stopped\)/,
    );
    expectWhole(incident);
    await continueStore(world, later);
    await waitForState(world, later, 'recovered');
    await stopGuest(world, later);
    await waitForState(world, later, 'gone');
  });

  test('the healthy one beside it was never accused', async () => {
    expect(await guestStatus(world, healthy)).toMatchObject({ state: 'up', lastIncident: null });
  });
});
