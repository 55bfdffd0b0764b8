import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AppendFile } from '../../../src/io/archive/append-file.js';
import { ArchiveError } from '../../../src/io/archive/directory.js';
import { readIncidentOf, readIncidents } from '../../../src/io/archive/read.js';
import { updateIncident } from '../../../src/io/archive/update.js';
import { openIncident } from '../../../src/io/archive/writer.js';
import { incident, opening, partsOf, rawRow } from '../../fixtures/archive-sample.js';
import { mountedDirectory } from '../../support/small-disk.js';
import { temporaryDirectory } from '../../support/temporary.js';

const ALL = [
  ...['console.raw', 'console.txt', 'host.json', 'incident.json', 'report.html', 'stacks.folded'],
  ...[
    'stacks.speedscope.json',
    'stacks.txt',
    'sysrq-t.txt',
    'sysrq-w.1.txt',
    'timeline.jsonl',
    'verdict.txt',
  ],
];

async function written(root: string) {
  const writer = await openIncident(root, opening());
  await writer.raw(rawRow(0));
  void writer.dumpLine('sysrq-w.1', 'sysrq: Show Blocked State');
  void writer.dumpLine('sysrq-w.1', 'task:\u001b[31mevil\u202e state:D');
  void writer.raw(rawRow(1));
  await writer.dump('sysrq-t', ['sysrq: Show State', 'task:chroot state:D']);
  return writer;
}

describe('an incident', () => {
  it('is partial while it is written and has all its files when it is filed', async () => {
    const root = await temporaryDirectory();
    const writer = await written(root);
    expect(await readdir(join(root, 'incidents'))).toEqual([expect.stringMatching(/\.partial$/)]);
    const { path, missing } = await writer.file(incident(), partsOf());

    expect(missing).toEqual([]);
    expect(await readdir(join(root, 'incidents'))).toEqual([writer.id]);
    expect(path).toBe(join(root, 'incidents', writer.id));
    expect((await readdir(path)).sort()).toEqual(ALL);
    expect(await readFile(join(path, 'console.raw'))).toEqual(Buffer.concat([rawRow(0), rawRow(1)]));
    expect(await readFile(join(path, 'sysrq-w.1.txt'), 'utf8')).toBe(
      'sysrq: Show Blocked State\ntask: [31mevil  state:D\n',
    );
    expect(await readFile(join(path, 'timeline.jsonl'), 'utf8')).toBe(
      '{"type":"tick","at":1}\n{"type":"line","at":2,"text":"x"}\n',
    );
    expect(await readFile(join(path, 'stacks.folded'), 'utf8')).toBe('filemap_read;io_schedule 1\n');
    expect((await readFile(join(path, 'verdict.txt'), 'utf8')).split('\n')[0]).toBe(incident().verdict.title);
    expect(await readIncidentOf(path)).toEqual({ ok: true, incident: incident({ id: writer.id }) });
  });

  it.each([0o000, 0o022, 0o277])('is private under umask %o', async (umask) => {
    const root = await temporaryDirectory();
    const before = process.umask(umask);
    try {
      const { path } = await (await written(join(root, 'a/b'))).file(incident(), partsOf());
      for (const directory of [join(root, 'a/b/incidents'), path]) {
        expect((await stat(directory)).mode & 0o777).toBe(0o700);
      }
      for (const file of ALL) expect((await stat(join(path, file))).mode & 0o777, file).toBe(0o600);
    } finally {
      process.umask(before);
    }
  });

  it('of a hostile VM stays within the archive', async () => {
    const root = await temporaryDirectory();
    const writer = await openIncident(root, opening('../../../etc/\u0000x'));
    await writer.raw(rawRow(0));
    const { path } = await writer.file(incident(), partsOf());
    expect(path.startsWith(join(root, 'incidents', '20260918T101502Z._'))).toBe(true);
    expect(await readdir(root)).toEqual(['incidents']);
  });

  it('that was a false alarm is gone', async () => {
    const root = await temporaryDirectory();
    const writer = await written(root);
    await writer.drop();
    await writer.raw(rawRow(2));
    await writer.drop();
    expect(await readdir(join(root, 'incidents'))).toEqual([]);
    await expect(writer.file(incident(), partsOf())).rejects.toThrow('is already closed');
  });

  it('loses only the files that cannot be made, and names them', async () => {
    const root = await temporaryDirectory();
    const timeline = [{ at: 1n }];
    const moments = [
      {
        at: '',
        get text(): string {
          throw new Error('no such moment');
        },
      },
    ];
    const { path, missing } = await (
      await written(root)
    ).file(incident(), { ...partsOf(), timeline, moments });
    expect(missing.map(({ file }) => file)).toEqual(['timeline.jsonl', 'report.html']);
    expect(missing[1]?.why).toBe('no such moment');
    expect((await readdir(path)).sort()).toEqual(
      ALL.filter((file) => !missing.some((lost) => lost.file === file)),
    );
    // The page is made from the rest; the timeline was evidence.
    const read = await readIncidentOf(path);
    expect(read.ok && read.incident.evidence.incompleteBecause).toEqual([
      expect.stringMatching(/^timeline\.jsonl was not written in full: .*BigInt/),
    ]);
    expect(await readFile(join(path, 'verdict.txt'), 'utf8')).not.toContain('report.html');
  });

  it('links a dump that is too large for its page', async () => {
    const root = await temporaryDirectory();
    const writer = await openIncident(root, opening());
    await writer.dump('sysrq-w.1', ['small']);
    await writer.dump(
      'sysrq-t',
      Array.from({ length: 20_000 }, (_, n) => `${n} ${'x'.repeat(60)}`),
    );
    const { path } = await writer.file(incident(), partsOf());
    const html = await readFile(join(path, 'report.html'), 'utf8');
    expect(html).toMatch(/href="sysrq-t.txt">sysrq-t.txt<\/a>, \d+ KiB, is too large/);
    expect(html).toContain('<pre tabindex="0">small\n</pre>');
    expect((await readFile(join(path, 'sysrq-t.txt'), 'utf8')).split('\n')).toHaveLength(20_001);
  });
});

describe('AppendFile', () => {
  it('keeps the order, whether or not the caller waits', async () => {
    const path = join(await temporaryDirectory(), 'x');
    const file = new AppendFile(path);
    const rows = Array.from({ length: 5_000 }, (_, n) => Buffer.from(`${n}\n`));
    for (const row of rows) {
      const done = file.append(row);
      if (row.length % 3 === 0) await done;
      row.fill(0);
    }
    expect(await file.close()).toBeNull();
    expect(await readFile(path, 'utf8')).toBe(rows.map((_, n) => `${n}\n`).join(''));
  });

  it('holds a caller back that is faster than the disk, and cuts one that does not wait', async () => {
    const path = join(await temporaryDirectory(), 'x');
    const file = new AppendFile(path);
    const chunk = Buffer.alloc(2 << 20, 'x');
    const held = file.append(chunk);
    expect(await Promise.race([held.then(() => 'held'), Promise.resolve('at once')])).toBe('at once');
    await held;
    expect((await stat(path)).size).toBe(2 << 20);
    for (let n = 0; n < 20; n += 1) void file.append(chunk);
    expect(await file.close()).toMatch(/^the disk was too slow: cut after \d+ bytes$/);
    expect((await stat(path)).size).toBeLessThanOrEqual(22 << 20);
  });
});

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

describe('an archive that cannot be written', () => {
  it('says so on a read-only filesystem', async () => {
    const root = await mountedDirectory('ro');
    if (root === null) return;
    const opened = openIncident(root, opening());
    await expect(opened).rejects.toThrow(ArchiveError);
    await expect(opened).rejects.toThrow(
      `${root}/incidents cannot be written: its filesystem is read-only. Fix: `,
    );
  });

  it('says so where a file is in its place', async () => {
    const root = await temporaryDirectory();
    await writeFile(join(root, 'incidents'), '');
    await expect(openIncident(root, opening())).rejects.toThrow(
      'incidents cannot be written: a file is in its place. Fix: move that away',
    );
  });
});

describe('updateIncident', () => {
  it('notes the recovery, keeps what it does not know, and the mode', async () => {
    const root = await temporaryDirectory();
    const { path } = await (await written(root)).file(incident(), partsOf());
    const file = join(path, 'incident.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('{\n', '{\n "tomorrow": 1,\n'));
    await updateIncident(path, { recoveredAt: '2026-09-18T10:20:00.000Z' });
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({
      schemaVersion: 1,
      tomorrow: 1,
      recoveredAt: '2026-09-18T10:20:00.000Z',
      fingerprint: incident().fingerprint,
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it('leaves a damaged one as it is, and says so', async () => {
    const path = join(await temporaryDirectory(), 'x');
    await mkdir(path);
    await writeFile(join(path, 'incident.json'), '{"schemaVersion":2}');
    await expect(updateIncident(path, { recoveredAt: 'now' })).rejects.toThrow('has schemaVersion 2');
    expect(await readFile(join(path, 'incident.json'), 'utf8')).toBe('{"schemaVersion":2}');
  });
});
