/**
 * A guest that is stopped while it is captured. Its unit's ExecStop powers it down through the QMP socket that the
 * watchdog uses, and gives up half a second after it has sent its words: the power-down must get through all the same.
 * WEDGEWATCH_STOPS=20 stops it so often.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askCapture, askStatus, controlSocket } from '../../src/daemon/control.js';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { consoleOf, guestUnit, newVm, startGuest, waitForSsh } from './guests.js';
import { startWatchdog, waitForState } from './watchdog.js';
import { user, World } from './world.js';

const STOPS = Number(process.env['WEDGEWATCH_STOPS'] ?? 3);
/** A capture asks for three dumps, and takes a second or two. */
const STEP_MS = 180;
const STEPS = 8;
const vm = newVm();

let world: World;

beforeAll(async () => {
  world = await World.up(await buildGuest(guestCache(), { log: () => undefined }));
  await startWatchdog(world);
  await startGuest(world, { vm, mode: 'none', port: 2601 });
});

afterAll(() => world.down());

const manager = (...words: string[]) => world.dev(['systemctl', '--user', ...words]);
const powerDowns = async () => (await consoleOf(world, vm)).match(/reboot: Power down/g)?.length ?? 0;

test(
  `stopped in the middle of a capture it is powered down cleanly, ${STOPS} of ${STOPS}`,
  async () => {
    const control = world.outside(controlSocket(user.runtime));
    const captured = async () => (await askStatus(control)).guests.find((guest) => guest.vm === vm)?.busy;
    for (let stop = 1; stop <= STOPS; stop += 1) {
      if (stop > 1) await manager('start', guestUnit(vm));
      await waitForSsh(world, vm);
      await waitForState(world, vm, 'up');
      const capture = askCapture(control, vm, { note: null, keys: null }).catch(() => undefined);
      await expect.poll(captured, { timeout: 10_000, interval: 20 }).toBe(true);
      await delay((stop % STEPS) * STEP_MS);
      const began = performance.now();
      await manager('stop', guestUnit(vm));
      const seconds = (performance.now() - began) / 1_000;
      process.stdout.write(
        `stop ${stop}: ${seconds.toFixed(1)} s, ${(stop % STEPS) * STEP_MS} ms into the capture\n`,
      );
      expect(await powerDowns()).toBe(stop);
      expect(await manager('show', '--value', '--property=Result', guestUnit(vm))).toBe('success');
      expect(seconds).toBeLessThan(60);
      await capture;
    }
  },
  STOPS * 120_000,
);
