/** Full and read-only filesystems. Mounting them needs root. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ArchiveError } from '../../../src/io/archive/directory.js';
import { readIncidents } from '../../../src/io/archive/read.js';
import { updateIncident } from '../../../src/io/archive/update.js';
import { openIncident } from '../../../src/io/archive/writer.js';
import { incident, opening, partsOf } from '../../fixtures/archive-sample.js';
import { mountedDirectory } from '../../support/small-disk.js';
import { ALL, written } from '../../support/written.js';

describe('a disk without space', () => {
  it('leaves the verdict of a console that filled it, and says what is cut', async () => {
    const root = await mountedDirectory('size=100k');
    if (root === null) return;
    const writer = await openIncident(root, opening());
    const chunk = Buffer.alloc(8 << 10, 'x');
    for (let n = 0; n < 40; n += 1) await writer.raw(chunk);
    const { path, missing } = await writer.file(incident(), partsOf());

    expect(missing[0]).toMatchObject({
      file: 'console.raw',
      why: expect.stringContaining('ENOSPC') as string,
    });
    const { size } = await stat(join(path, 'console.raw'));
    expect(size).toBeGreaterThan(30 << 10);
    expect(size).toBeLessThan(40 * chunk.length);
    expect((await readIncidents(root))[0]).toMatchObject({
      id: writer.id,
      verdict: incident().verdict.title,
      evidence: expect.stringMatching(/^incomplete: console.raw was not .*: no space left/) as string,
    });
    const lost = missing.map(({ file }) => file);
    expect((await readdir(path)).sort()).toEqual(
      ALL.filter((file) => file === 'console.raw' || (!lost.includes(file) && !file.startsWith('sysrq'))),
    );
  });

  it('lists and shows an incident whose stacks do not fit', async () => {
    const root = await mountedDirectory('size=300k');
    if (root === null) return;
    const writer = await openIncident(root, opening());
    const [dump] = incident().dumps;
    const tasks = Array.from({ length: 3_000 }, () => dump!.tasks[0]!);
    await writer.file(incident({ dumps: [{ ...dump!, tasks }] }), {});
    expect((await readIncidents(root))[0]).toMatchObject({
      verdict: incident().verdict.title,
      evidence: expect.stringMatching(/^incomplete: incident.json was not .*: no space left/) as string,
    });
  });

  it('makes room for new evidence by the oldest incidents, and by nothing else', async () => {
    const root = await mountedDirectory('size=600k');
    if (root === null) return;
    await writeFile(join(root, 'not ours'), Buffer.alloc(8 << 10));
    for (let day = 1; day <= 14; day += 1) {
      const old = join(root, 'incidents', `202609${String(day).padStart(2, '0')}T000000Z.store.00c0ffee`);
      await mkdir(old, { recursive: true });
      await writeFile(join(old, 'verdict.txt'), Buffer.alloc(28 << 10, 'x'));
    }
    const writer = await openIncident(root, opening());
    const chunk = Buffer.alloc(8 << 10, 'x');
    for (let n = 0; n < 20; n += 1) await writer.raw(chunk);
    expect(await writer.settle()).toEqual([]);
    expect((await stat(join(writer.partial, 'console.raw'))).size).toBe(20 * chunk.length);
    const left = (await readdir(join(root, 'incidents'))).filter((name) => !name.endsWith('.partial')).sort();
    expect(left.length).toBeLessThan(14);
    expect(left.length).toBeGreaterThanOrEqual(10);
    expect(left.at(-1)).toMatch(/^20260914/);
    expect((await stat(join(root, 'not ours'))).size).toBe(8 << 10);
  });

  it('that takes not even the verdict keeps the partial incident for the next start', async () => {
    const root = await mountedDirectory('size=100k');
    if (root === null) return;
    const writer = await openIncident(root, opening());
    await writer.raw(Buffer.alloc(8 << 10, 'x'));
    await writer.dumpLine('sysrq-w.1', 'sysrq: Show Blocked State');
    expect(await writer.settle()).toEqual([]);
    await writeFile(join(root, 'other'), Buffer.alloc(200 << 10)).catch(() => undefined);
    await writeFile(join(writer.partial, 'reserve'), '');
    const filled = writeFile(join(root, 'more'), Buffer.alloc(200 << 10));
    await expect(filled).rejects.toThrow('ENOSPC');
    const failed = writer.file(incident(), partsOf());
    await expect(failed).rejects.toThrow(ArchiveError);
    await expect(failed).rejects.toThrow(/\.partial cannot be written: no space left on the device/);
    expect((await stat(join(writer.partial, 'console.raw'))).size).toBe(8 << 10);
  });

  it('does not cost a filed incident its record', async () => {
    const root = await mountedDirectory('size=200k');
    if (root === null) return;
    const { path } = await (await written(root)).file(incident(), partsOf());
    await writeFile(join(root, 'other'), Buffer.alloc(400 << 10)).catch(() => undefined);
    const before = await readFile(join(path, 'incident.json'), 'utf8');
    const update = updateIncident(path, { recoveredAt: '2026-09-18T10:20:00.000Z' });
    await expect(update).rejects.toThrow(ArchiveError);
    expect(await readFile(join(path, 'incident.json'), 'utf8')).toBe(before);
    expect(await readdir(path)).not.toContain('incident.json.new');
  });
});

it('an archive on a read-only filesystem says so', async () => {
  const root = await mountedDirectory('ro');
  if (root === null) return;
  const opened = openIncident(root, opening());
  await expect(opened).rejects.toThrow(ArchiveError);
  await expect(opened).rejects.toThrow(
    `${root}/incidents cannot be written: its filesystem is read-only. Fix: `,
  );
});
