import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { guestSettings } from '../../src/core/config/guest-settings.js';
import { configSchema } from '../../src/core/config/schema.js';
import { initialState } from '../../src/core/watch/state.js';
import type { StateFile } from '../../src/core/watch/state-file.js';
import type { FiledCase, GuestHandle } from '../../src/daemon/guest-handle.js';
import { StateFiles } from '../../src/daemon/state-files.js';
import { monotonicMs } from '../../src/io/clock.js';
import { stateFileName } from '../../src/io/state-names.js';
import { incident } from '../fixtures/archive-sample.js';
import { temporaryDirectory } from '../support/temporary.js';

async function shown(...vms: string[]) {
  const directory = join(await temporaryDirectory(), 'states');
  const config = configSchema.parse({ status: { directory } });
  const guests = new Map<string, GuestHandle>();
  for (const vm of vms) {
    const settings = guestSettings(config, vm, { qmpDirectory: '/nonexistent' });
    guests.set(vm, { vm, settings, state: initialState(vm, monotonicMs()) } as unknown as GuestHandle);
  }
  const said: string[] = [];
  const waiting = new Map<string, string>();
  const pathOf = (id: string) => waiting.get(id) ?? `/archive/incidents/${id}`;
  const services = { pending: { pathOf } };
  const files = new StateFiles({ guests, config, services }, (_level, text) => said.push(text));
  const read = async (vm: string) =>
    JSON.parse(await readFile(join(directory, stateFileName(vm)), 'utf8')) as StateFile;
  const hang = (vm: string, more: Partial<FiledCase> = {}) => {
    const hung = { ...incident(), id: '20260918T101502Z.vm.0123abcd' };
    const filed = { directory: `/archive/incidents/${hung.id}`, title: '', byHand: false, incident: hung };
    files.filed(guests.get(vm)!, { ...filed, ...more });
  };
  return { directory, guests, files, said, read, hang, waiting };
}

it('tells state, class, kernel, test and the newest hang, and that nobody watches any more', async () => {
  const { directory, guests, files, read, hang, said } = await shown('vm1');
  await files.round();
  expect(await read('vm1')).toMatchObject({ vm: 'vm1', watched: true, state: 'unknown', incident: null });
  const { state } = guests.get('vm1')!;
  state.name = 'held';
  state.console.release = '6.12.1';
  state.console.test = { at: state.since, name: 'generic/475' };
  hang('vm1');
  await files.round();
  await files.round();
  const { verdict } = incident();
  expect(await read('vm1')).toMatchObject({
    state: 'held',
    kernel: '6.12.1',
    test: { name: 'generic/475' },
    armed: null,
    incident: {
      path: '/archive/incidents/20260918T101502Z.vm.0123abcd',
      verdict: verdict.title,
      class: verdict.class,
    },
  });
  const file = await stat(join(directory, 'vm1.json'));
  expect([(await stat(directory)).mode & 0o777, file.mode & 0o777]).toEqual([0o700, 0o644]);
  expect(file.size).toBeLessThan(2000);
  await files.stop();
  expect(await read('vm1')).toMatchObject({ watched: false, state: 'held' });
  expect(await readdir(directory)).toEqual(['vm1.json']);
  expect(said).toEqual([]);
});

it('a capture by hand is no hang; one that waits for the archive is shown where it waits', async () => {
  const { files, read, hang, waiting } = await shown('vm1');
  hang('vm1', { byHand: true });
  await files.round();
  await files.round();
  expect((await read('vm1')).incident).toBeNull();
  waiting.set('20260918T101502Z.vm.0123abcd', '/run/pending/it');
  hang('vm1');
  await files.round();
  await files.round();
  expect((await read('vm1')).incident?.path).toBe('/run/pending/it');
});

it('tells of the hang that an earlier run told of, as long as it is in the archive', async () => {
  const { directory, guests, files, read, hang } = await shown('vm1');
  const path = await temporaryDirectory();
  const again = () => {
    const config = configSchema.parse({ status: { directory } });
    const services = { pending: { pathOf: () => path } };
    return new StateFiles({ guests, config, services }, () => undefined);
  };
  hang('vm1', { directory: path });
  await files.stop();
  const told = { ...(await read('vm1')).incident!, path };
  await writeFile(
    join(directory, 'vm1.json'),
    JSON.stringify({ writer: 'wedgewatch 0.1.0', vm: 'vm1', incident: told }),
  );
  const next = again();
  await next.round();
  expect((await read('vm1')).incident).toEqual(told);
  await next.stop();
  await rm(path, { recursive: true });
  await again().round();
  expect((await read('vm1')).incident).toBeNull();
});

it('writes only what has changed', async () => {
  const { directory, guests, files } = await shown('vm1', 'vm2');
  await files.round();
  const times = async () =>
    Promise.all(['vm1', 'vm2'].map(async (vm) => (await stat(join(directory, `${vm}.json`))).ino));
  const before = await times();
  guests.get('vm2')!.state.name = 'up';
  await files.round();
  const after = await times();
  expect([after[0] === before[0], after[1] === before[1]]).toEqual([true, false]);
});

it('removes the files of guests that are gone, and nobody else’s', async () => {
  const { directory, guests, files } = await shown('vm1', 'vm2');
  await mkdir(directory);
  const old = new Date(Date.now() - 3_600_000);
  const others = {
    'earlier.json': JSON.stringify({ writer: 'wedgewatch 0.1.0', vm: 'earlier' }),
    'young.json': JSON.stringify({ writer: 'wedgewatch 0.1.0', vm: 'young' }),
    'moved.json': JSON.stringify({ writer: 'wedgewatch 0.1.0', vm: 'earlier' }),
    'mine.json': '{"vm": "mine"}',
    'notes.txt': 'wedgewatch',
  };
  for (const [name, text] of Object.entries(others)) {
    await writeFile(join(directory, name), text);
    if (name !== 'young.json') await utimes(join(directory, name), old, old);
  }
  await files.round();
  guests.delete('vm2');
  await files.round();
  expect((await readdir(directory)).sort()).toEqual([
    'mine.json',
    'moved.json',
    'notes.txt',
    'vm1.json',
    'young.json',
  ]);
});

it('one that cannot be written is told once, costs no other, and comes back', async () => {
  const { directory, files, said, read } = await shown('vm1', 'vm2');
  await mkdir(join(directory, 'vm1.json', 'in-the-way'), { recursive: true });
  await files.round();
  await files.round();
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/^status\.directory .*vm1\.json.*Fix: /);
  expect(files.problem()).toBe(said[0]);
  expect((await read('vm2')).vm).toBe('vm2');
  await rm(directory, { recursive: true });
  await files.round();
  await files.round();
  expect(files.problem()).toBeNull();
  expect((await readdir(directory)).sort()).toEqual(['vm1.json', 'vm2.json']);
});

it('names no file outside, and no two VMs by the same one', () => {
  expect(stateFileName('vm-1a2b3c4d')).toBe('vm-1a2b3c4d.json');
  const hostile = [
    'a%2Fb',
    'a/b',
    '../../etc/passwd',
    '…',
    'ä'.repeat(150),
    `${'ä'.repeat(149)}b`,
    '*',
    'a.json.new',
  ];
  const names = hostile.map(stateFileName);
  expect(new Set(names).size).toBe(hostile.length);
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9._~%=-]{1,250}\.json$/);
  expect(names[2]).toBe('..%2F..%2Fetc%2Fpasswd.json');
});
