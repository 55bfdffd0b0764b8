import { expect, it, onTestFinished, vi } from 'vitest';
import { configSchema } from '../../src/core/config/schema.js';
import { Presence } from '../../src/daemon/absence.js';
import { Daemon } from '../../src/daemon/daemon.js';
import type { Guest } from '../../src/daemon/guest.js';
import { temporaryDirectory } from '../support/temporary.js';

const NAMES = ['one', 'two', 'three'];

/** Guests of a daemon that was not started. */
async function guests(): Promise<{ daemon: Daemon; all: Guest[] }> {
  const directory = await temporaryDirectory();
  const entry = (name: string) => ({ name, unit: `${name}.service`, qmp: `${directory}/${name}.sock` });
  const daemon = new Daemon({
    config: configSchema.parse({ discover: { enabled: false }, guests: NAMES.map(entry) }),
    ...{ log: () => undefined, state: directory, runtime: directory },
  });
  onTestFinished(() => daemon.stop());
  (daemon as unknown as { explicitGuests: () => void }).explicitGuests();
  return { daemon, all: [...daemon.guests.values()] };
}

it('asks for all guests together, once a second', async () => {
  const { all } = await guests();
  const isThere = vi.fn(() => Promise.resolve(true));
  const presence = new Presence({ isThere, onLongGone: () => Promise.resolve() });
  for (const at of [0, 500, 1_000, 1_500, 2_000]) await presence.tick(all, at);
  expect(isThere).toHaveBeenCalledTimes(3 * all.length);
});

it('tells who is gone, though of another one nothing is ever heard', async () => {
  const { all } = await guests();
  const [hangs, ...others] = all;
  let there = true;
  const isThere = vi.fn(({ qmpSocket }: { qmpSocket: string }) =>
    qmpSocket === hangs?.settings.qmpSocket ? new Promise<boolean>(() => undefined) : Promise.resolve(there),
  );
  const presence = new Presence({ isThere, onLongGone: () => Promise.resolve() });
  void presence.tick(all, 0);
  await vi.waitFor(() => expect(others.every(({ hadSocket }) => hadSocket)).toBe(true));
  there = false;
  void presence.tick(all, 1_000);
  await vi.waitFor(() => expect(others.map(({ state }) => state.name)).toEqual(['gone', 'gone']));
  expect(hangs?.state.name).toBe('unknown');
  // It takes one of the few threads that read files, and no more.
  expect(isThere).toHaveBeenCalledTimes(1 + 2 * others.length);
});

it('all guests remember one object for a tick', async () => {
  const { daemon, all } = await guests();
  const given = all.map((guest) => vi.spyOn(guest, 'handle'));
  vi.spyOn(daemon, 'blindness').mockReturnValue(null);
  for (const { reading } of all) reading.lookedBack = 'under way';
  await (daemon as unknown as { tick: () => Promise<void> }).tick();
  const ticks = new Set(given.map(({ mock }) => mock.calls[0]?.[0]));
  expect([...ticks].map((tick) => tick?.type)).toEqual(['tick']);
});
