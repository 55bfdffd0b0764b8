import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listIncidents } from '../../src/cli/list.js';
import { incident } from '../fixtures/archive-sample.js';
import { archive, list, NOW, put, run } from '../support/archive.js';
import { temporaryDirectory } from '../support/temporary.js';

const ids = (out: string) => [...out.matchAll(/ ([0-9a-f]{8})$/gm)].map((match) => match[1]);

describe('list', () => {
  it('prints the newest last, without borders and whole where it is no terminal', async () => {
    const { code, out } = await list(await archive());
    expect(code).toBe(0);
    expect(out.split('\n')[0]).toMatch(/^TIME \(UTC\) {11}VM {5}VERDICT +TASKS {2}EVIDENCE +SEEN +ID$/);
    expect(out).toContain(incident().verdict.title);
    expect(out).toMatch(
      /^2026-09-18 10:25:02 {2}build {2}.* 1\/3 {2}incomplete: no fence in t {2}once +aa000002$/m,
    );
    expect(out).toMatch(
      /^2026-09-18 10:35:02 {2}store {2}.* 1\/3 {2}w w t +2 times since 2026-09-18, first on 6\.18\.0-rc3 {2}bb000003$/m,
    );
    expect(ids(out)).toEqual(['aa000001', 'aa000002', 'bb000003']);
  });

  it('fits a terminal', async () => {
    const { out } = await list(await archive(), {}, 100);
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
    expect(out).toContain('chroot:441 stuck');
    expect(ids(out)).toHaveLength(3);
    expect(out).toMatch(/ 2× +bb000003$/m);
  });

  it.each([40, 80, 100, 200])(
    'has one line an incident at %i columns, the verdict with the most room',
    async (columns) => {
      const { out } = await list(await archive(), {}, columns);
      const [head = '', ...lines] = out.trimEnd().split('\n');
      expect(lines).toHaveLength(3);
      for (const line of columns < 80 ? [] : [head, ...lines])
        expect(line.length).toBeLessThanOrEqual(columns);
      expect(head.includes('TIME (UTC)')).toBe(columns === 200);
      expect(head.includes('SEEN')).toBe(columns >= 100);
      expect(head).toMatch(/ AGO +VM +VERDICT .* EVIDENCE .*ID$/);
      expect(lines[0]).toMatch(/ 1 h +store +chroot:441 stuck/);
      if (columns >= 80)
        expect(head.indexOf('EVIDENCE') - head.indexOf('VERDICT')).toBeGreaterThanOrEqual(40);
    },
  );

  it('shows in red who has not recovered', async () => {
    const root = await archive();
    await put(root, 30, 'cc000001', { recoveredAt: '2026-09-18T10:50:00.000Z' });
    const { out } = await run((terminal) => listIncidents(root, {}, terminal, NOW), 120, true);
    const red = out.split('\n').filter((line) => line.includes('\u001b[31mchroot'));
    expect(red).toHaveLength(3);
    expect(red.join()).not.toContain('cc000001');
  });

  it.each([
    [{ since: '45min' }, ['bb000003']],
    [{ since: '2026-09-18T10:25' }, ['aa000002', 'bb000003']],
    [{ since: '2026-09-18T12:25+02:00' }, ['aa000002', 'bb000003']],
    [{ since: '2026-09-18' }, ['aa000001', 'aa000002', 'bb000003']],
    [{ vm: 'store' }, ['aa000001', 'bb000003']],
    [{ fingerprint: 'ff' }, ['aa000002']],
    [{ vm: 'store', since: '1h 30min' }, ['aa000001', 'bb000003']],
  ])('filters by %j', async (options, wanted) => {
    const { code, out } = await list(await archive(), options);
    expect(ids(out)).toEqual(wanted);
    expect(code).toBe(0);
  });

  it('says that none matches with 3, and as JSON with an empty list', async () => {
    const root = await archive();
    expect(await list(root, { vm: 'other' })).toEqual({
      code: 3,
      out: '',
      err: 'wedgewatch: no incident matches\n',
    });
    expect(await list(root, { vm: 'other', json: true })).toEqual({ code: 3, out: '[]\n', err: '' });
    expect((await list(await temporaryDirectory())).code).toBe(3);
  });

  it('prints JSON', async () => {
    const { out } = await list(await archive(), { json: true, vm: 'build' });
    expect(JSON.parse(out)).toMatchObject([
      {
        shortId: 'aa000002',
        tasks: { stuck: 1, all: 3 },
        seen: 1,
        firstKernel: '6.18.0-rc3',
        complete: false,
        class: 'blocked',
      },
    ]);
  });

  it.each([
    ['biuld', 'no incident matches; did you mean build?'],
    ['lab', 'no incident matches'],
  ])('knows no VM %s', async (vm, text) => {
    expect(await list(await archive(), { vm })).toEqual({ code: 3, out: '', err: `wedgewatch: ${text}\n` });
  });

  it.each(['yesterday', '5', '2026-13-45', '5m'])('refuses --since %s', async (since) => {
    const { code, err } = await list(await archive(), { since });
    expect(code).toBe(2);
    expect(err).toContain(`--since ${since}: expected a duration`);
  });

  it('says where the archive cannot be read', async () => {
    const root = await temporaryDirectory();
    await writeFile(join(root, 'incidents'), '');
    expect(await list(root)).toMatchObject({
      code: 5,
      err: expect.stringContaining('incidents cannot be read') as string,
    });
  });

  it('colours only what is asked for', async () => {
    const root = await archive();
    const plain = await run((terminal) => listIncidents(root, {}, terminal, NOW), 120);
    const coloured = await run((terminal) => listIncidents(root, {}, terminal, NOW), 120, true);
    expect(plain.out).not.toContain('\u001b');
    expect(coloured.out).toContain('\u001b[33mincomplete');
  });

  it('keeps a terminal from obeying a guest', async () => {
    const root = await archive();
    const evil = '\u001b[2J\u009b1m\u202eevil\nrow';
    await put(root, 30, 'cc000001', { verdict: { ...incident().verdict, title: evil } });
    const { out } = await list(root);
    // eslint-disable-next-line no-control-regex -- their absence is the point
    expect(out).not.toMatch(/[\u001b\u009b\u202e]/);
    expect(out.trimEnd().split('\n')).toHaveLength(5);
    expect((await list(root, { json: true })).out).not.toMatch(/[\u009b\u202e]/);
  });
});
