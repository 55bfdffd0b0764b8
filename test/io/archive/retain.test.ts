import { lstat, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { configSchema } from '../../../src/core/config/schema.js';
import { incidentId } from '../../../src/core/report/incident.js';
import { displaceOldest, retain, retainable, scheduleRetention } from '../../../src/io/archive/retain.js';
import { temporaryDirectory } from '../../support/temporary.js';

const DAY = 86_400_000;
const now = Date.UTC(2026, 8, 18);
const name = (daysAgo: number) => incidentId(now - daysAgo * DAY, 'store', '00c0ffee');
const limits = { maxIncidents: 2, maxAge: 90 * DAY, maxSize: 1 << 20 };
const names = (gone: { name: string }[]) => gone.map((one) => one.name);

async function archive(...names: string[]): Promise<{ root: string; parent: string }> {
  const root = await temporaryDirectory();
  const parent = join(root, 'incidents');
  await mkdir(parent);
  for (const one of names) {
    await mkdir(join(parent, one));
    await writeFile(join(parent, one, 'verdict.txt'), 'stuck\n');
  }
  return { root, parent };
}

it('removes the old ones, and what a kill left of an earlier removal', async () => {
  const { root, parent } = await archive(name(1), name(2), name(3), name(100), `${name(200)}.removing`);
  expect(names((await retainable(root, limits, now)).gone)).toEqual([name(100), name(3)]);
  expect(await readdir(parent)).toHaveLength(5);
  expect(names((await retain(root, limits, now)).gone)).toEqual([name(100), name(3)]);
  expect((await readdir(parent)).sort()).toEqual([name(2), name(1)]);
});

it('measures what is there, and keeps what is pinned', async () => {
  const { root, parent } = await archive(name(1), name(2), name(3));
  await writeFile(join(parent, name(3), 'pinned'), '');
  await writeFile(join(parent, name(2), 'console.raw'), Buffer.alloc(2 << 20));
  expect((await retain(root, limits, now)).gone).toMatchObject([
    { name: name(2), bytes: (2 << 20) + 6, why: 'beyond archive.maxSize, 1.0 MiB' },
  ]);
  expect((await readdir(parent)).sort()).toEqual([name(3), name(1)]);
});

it('gives way to a new incident on a full disk, oldest first, but not the newest ten', async () => {
  const days = Array.from({ length: 13 }, (_, n) => n + 1);
  const { root, parent } = await archive(...days.map(name));
  await writeFile(join(parent, name(13), 'pinned'), '');
  expect([await displaceOldest(root), await displaceOldest(root), await displaceOldest(root)]).toEqual([
    name(12),
    name(11),
    null,
  ]);
  expect(await readdir(parent)).toHaveLength(11);
});

it('touches nothing that is not an incident of ours', async () => {
  const { root, parent } = await archive(name(1));
  await mkdir(join(parent, name(300)));
  await mkdir(join(parent, 'notes'));
  await writeFile(join(parent, 'notes', 'verdict.txt'), '');
  await writeFile(join(parent, name(301)), 'a file');
  await mkdir(join(parent, `${name(302)}.1-1.partial`));
  const { parent: elsewhere } = await archive(name(400));
  await symlink(join(elsewhere, name(400)), join(parent, name(400)));
  const before = (await readdir(parent)).sort();
  expect((await retain(root, limits, now)).gone).toEqual([]);
  expect(await displaceOldest(root)).toBeNull();
  expect((await readdir(parent)).sort()).toEqual(before);
  expect((await lstat(join(elsewhere, name(400), 'verdict.txt'))).isFile()).toBe(true);
});

it('finds nothing to do without an archive', async () => {
  expect(await retain(join(await temporaryDirectory(), 'none'), limits, now)).toEqual({
    gone: [],
    doubted: 0,
  });
});

it('names the directory that resists', async () => {
  const { root } = await archive();
  await writeFile(join(root, 'file'), '');
  await expect(retain(join(root, 'file'), limits, now)).rejects.toThrow('file/incidents cannot be written');
});

beforeEach(
  () =>
    void vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] }),
);
afterEach(() => void vi.useRealTimers());

it('runs by the schedule, in UTC', async () => {
  vi.setSystemTime(Date.UTC(2026, 8, 18, 3, 16, 30));
  const recent = Array.from({ length: 20 }, (_, n) => name(n + 1));
  const { root, parent } = await archive(...recent, name(100));
  const removed: string[] = [];
  const stop = scheduleRetention(root, configSchema.parse({}).archive, {
    onRemoved: (gone) => removed.push(...names(gone)),
    onError: (message) => removed.push(message),
  });
  await vi.advanceTimersByTimeAsync(20_000);
  expect(removed).toEqual([]);
  await vi.advanceTimersByTimeAsync(15_000);
  await vi.waitFor(() => expect(removed).toEqual([name(100)]));
  expect((await readdir(parent)).sort()).toEqual(recent.sort());
  await stop();
});

it('keeps everything and says so where the clock runs a season ahead', async () => {
  vi.setSystemTime(now + 91 * DAY);
  const all = Array.from({ length: 50 }, (_, n) => name(n + 1));
  const { root, parent } = await archive(...all);
  const said: string[] = [];
  const stop = scheduleRetention(
    root,
    { ...configSchema.parse({}).archive, schedule: '* * * * *' },
    {
      onRemoved: (gone) => said.push(...names(gone)),
      onError: (message) => said.push(message),
    },
  );
  await vi.advanceTimersByTimeAsync(61_000);
  await vi.waitFor(() => expect(said).not.toEqual([]));
  expect(said[0]).toMatch(
    /^30 incidents, more than half, .* If today is 2026-12-18, .* prune --trust-clock$/,
  );
  expect(await readdir(parent)).toHaveLength(50);
  await stop();
});
