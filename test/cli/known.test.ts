/** What a team knows of a hang, where an incident is shown. */
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { exportIncident } from '../../src/cli/export.js';
import { listFleet } from '../../src/cli/list-all.js';
import { listIncidents, type ListOptions } from '../../src/cli/list.js';
import { showIncident } from '../../src/cli/show.js';
import { type FindKnown, knownFinder } from '../../src/core/config/known.js';
import { incident } from '../fixtures/archive-sample.js';
import { archive, NOW, put, run } from '../support/archive.js';
import { temporaryDirectory } from '../support/temporary.js';

const link = 'https://example.org/1';
const known = (ignoreUntil: string | null = null): FindKnown =>
  knownFinder([{ title: 'dead virtiofsd', link, fingerprint: '8d4f3a1b', pattern: null, ignoreUntil }]);

describe('a known hang', () => {
  it('is named in list', async () => {
    const root = await archive();
    const { out } = await run((terminal) => listIncidents(root, {}, terminal, NOW, known()));
    expect(out.split('\n').slice(4)).toEqual([
      'known: https://example.org/1 (dead virtiofsd): aa000001, bb000003',
      '',
    ]);
    const json = await run((terminal) => listIncidents(root, { json: true }, terminal, NOW, known()));
    expect(JSON.parse(json.out)).toMatchObject([{ known: { link, ignored: false } }, { known: null }, {}]);
  });

  it('is named in show, and in its JSON', async () => {
    const root = await archive();
    const text = await run((terminal) => showIncident(root, 'bb', {}, terminal, known()));
    expect(text.out).toMatch(/^Known: +https:\/\/example\.org\/1 \(dead virtiofsd\)$/m);
    const json = await run((terminal) => showIncident(root, 'bb', { json: true }, terminal, known()));
    expect(JSON.parse(json.out)).toMatchObject({ schemaVersion: 1, known: { link } });
  });

  it('fails a JUnit report with its link, and is skipped there while it is ignored', async () => {
    const root = await archive();
    const junit = (find: FindKnown) =>
      run((terminal) => exportIncident(root, 'bb', { junit: true }, terminal, new PassThrough(), find));
    expect((await junit(known('2026-09-17'))).out).toMatch(
      /failures="1" errors="0" skipped="0"[^]*<failure message="chroot:441[^"]*; known: https:\/\/example\.org\/1 \(dead/,
    );
    expect((await junit(known('2026-09-18'))).out).toMatch(
      /failures="0" errors="0" skipped="1"[^]*<skipped message="chroot:441[^"]*; known: [^"]*, ignored until 2026-09-18\)"\/>/,
    );
  });

  it('is a link in an issue', async () => {
    const root = await archive();
    const { out } = await run((terminal) =>
      exportIncident(root, 'bb', { github: true }, terminal, new PassThrough(), known()),
    );
    expect(out).toContain('\n- Known: <https://example.org/1> `dead virtiofsd`\n');
  });
});

describe('list --all', () => {
  /** `alpha` is a whole archive, `beta` has only incidents, as a hook uploads them; `.git` and the like hold none. */
  async function fleet(): Promise<string> {
    const directory = await temporaryDirectory();
    await rename(await archive(), join(directory, 'alpha'));
    const root = await temporaryDirectory();
    await put(root, 50, 'cc000001');
    await put(root, 55, 'cc000002', { kernel: '7.0.0', verdict: { ...incident().verdict, title: 'newest' } });
    await rename(join(root, 'incidents'), join(directory, 'beta'));
    await mkdir(join(directory, '.git'));
    return directory;
  }
  const all = (directories: string[], options: ListOptions = {}, find: FindKnown = () => null) =>
    run((terminal) => listFleet(directories, options, terminal, NOW, find));

  it('counts fingerprints across hosts, the most frequent first', async () => {
    const directory = await fleet();
    const { code, out } = await all([directory], {}, known());
    expect(code).toBe(0);
    expect(out.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^TIMES {2}HOSTS +FIRST +LAST +FINGERPRINT +VERDICT$/),
      expect.stringMatching(/^ {4}4 {2}alpha, beta {2}2026-09-18 {2}2026-09-18 {2}8d4f3a1b {5}newest$/),
      expect.stringMatching(/^ {4}1 {2}alpha {8}2026-09-18 {2}2026-09-18 {2}ffff {9}chroot:441 stuck/),
      'known: https://example.org/1 (dead virtiofsd): 8d4f3a1b',
    ]);
    expect(JSON.parse((await all([directory], { json: true })).out)).toMatchObject([
      {
        count: 4,
        hosts: [
          { host: 'alpha', count: 2 },
          { host: 'beta', count: 2 },
        ],
        kernels: ['6.18.0-rc3', '7.0.0'],
        known: null,
      },
      { count: 1, fingerprint: 'ffff' },
    ]);
  });

  it('takes hosts one by one, and filters', async () => {
    const directory = await fleet();
    const both = [join(directory, 'alpha'), `${join(directory, 'beta')}/`];
    expect((await all(both, { json: true })).out).toBe((await all([directory], { json: true })).out);
    expect(JSON.parse((await all(both, { json: true, vm: 'build' })).out)).toMatchObject([{ count: 1 }]);
    expect(await all(both, { json: true, vm: 'nobody' })).toMatchObject({ code: 3, out: '[]\n' });
  });

  it('writes nothing into a directory that is no archive', async () => {
    const directory = await fleet();
    await all([directory]);
    await expect(readFile(join(directory, 'beta/index.jsonl'))).rejects.toThrow('ENOENT');
    await expect(readFile(join(directory, 'index.jsonl'))).rejects.toThrow('ENOENT');
  });

  it('does not compare fingerprints of different versions, and says what it could not count', async () => {
    const root = await archive();
    await put(root, 30, 'dd000001', { fingerprintVersion: 2 });
    const path = await put(root, 40, 'dd000002');
    await rename(join(path, 'incident.json'), join(path, 'gone'));
    const { out, err } = await all([root], { json: true });
    expect((JSON.parse(out) as { count: number }[]).map(({ count }) => count).sort()).toEqual([1, 1, 2]);
    expect(err).toBe('wedgewatch: 1 damaged incident not counted\n');
  });

  it.each([
    ['/nowhere', 'cannot be read'],
    ['.', 'holds no incidents. Fix: name an archive'],
  ])('of %s ends with 5', async (directory, why) => {
    expect(await all([directory])).toMatchObject({ code: 5, err: expect.stringContaining(why) as string });
  });
});
