import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { incident } from '../fixtures/archive-sample.js';
import { archive, put, show } from '../support/archive.js';
import { temporaryDirectory } from '../support/temporary.js';

describe('show', () => {
  it('prints the newest, its verdict first, and where its files are', async () => {
    const root = await archive();
    const { code, out } = await show(root);
    expect(code).toBe(0);
    expect(out.split('\n')[0]).toBe(incident().verdict.title);
    expect(out).toContain('chroot:441 → virtiofsd:812');
    expect(out).toMatch(/^Seen: +2 times since 2026-09-18, first on 6\.18\.0-rc3$/m);
    expect(out).toMatch(new RegExp(`^Files in ${root}/incidents/[^/]*bb000003$[^]*^  incident.json `, 'm'));
  });

  it.each([
    ['bb', 0],
    ['aa000001', 0],
    ['20260918T101502Z.store', 0],
    ['/var/lib/incidents/20260918T101502Z.store.aa000001/', 0],
    ['aa000002', 4],
    ['aa', 2],
    ['2026', 2],
    ['ee', 3],
    ['/', 3],
  ])('%s: exit code %d', async (wanted, code) => {
    expect((await show(await archive(), wanted)).code).toBe(code);
  });

  it('lists what an ambiguous id could be', async () => {
    const { err, out } = await show(await archive(), 'aa');
    expect(out).toBe('');
    expect(err).toMatch(/aa could be any of\n {2}\S+aa000001 .*\n {2}\S+aa000002 .*\n$/);
  });

  it('says what there is instead of an unknown id', async () => {
    expect((await show(await archive(), 'ee')).err).toContain('no incident ee; wedgewatch list shows');
    expect(await show(await temporaryDirectory())).toEqual({
      code: 3,
      out: '',
      err: 'wedgewatch: there is no incident yet\n',
    });
    expect((await show(await archive(), 'ee', true)).out).toBe('[]\n');
  });

  it('prints incident.json as it is', async () => {
    const { out, code } = await show(await archive(), 'bb', true);
    expect(JSON.parse(out)).toMatchObject({ schemaVersion: 1, vm: 'store', dumps: [{ key: 't' }] });
    expect(code).toBe(0);
  });

  it('of a damaged incident prints its verdict.txt, and 4', async () => {
    const root = await archive();
    const path = await put(root, 40, 'dd000001');
    await writeFile(join(path, 'incident.json'), '{"schema');
    await writeFile(join(path, 'verdict.txt'), 'stuck in x\nbecause \u001b[5m y\n');
    expect(await show(root, 'dd')).toEqual({
      code: 4,
      out: 'stuck in x\nbecause  [5m y\n',
      err: 'wedgewatch: damaged: incident.json is not JSON; above is its verdict.txt\n',
    });
    expect(await show(root, 'dd', true)).toMatchObject({ code: 4, out: '' });
  });

  it('keeps a terminal from obeying a guest', async () => {
    const root = await archive();
    const title = '\u001b[2J\u009b1m\u202eevil\nrow';
    await put(root, 30, 'cc000001', { verdict: { ...incident().verdict, title } });
    for (const json of [false, true]) {
      const { out } = await show(root, 'cc', json);
      for (const bad of ['\u001b', '\u009b', '\u202e', 'evil\nrow']) expect(out).not.toContain(bad);
    }
  });
});
