import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AppendFile } from '../../../src/io/archive/append-file.js';
import { readIncidentOf } from '../../../src/io/archive/read.js';
import { updateIncident } from '../../../src/io/archive/update.js';
import { openIncident } from '../../../src/io/archive/writer.js';
import { incident, opening, partsOf, rawRow } from '../../fixtures/archive-sample.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { ALL, written } from '../../support/written.js';

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

describe('an archive that cannot be written', () => {
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
