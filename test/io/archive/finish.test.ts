import { cp, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Analyse, type CutShort, finishPartials } from '../../../src/io/archive/finish.js';
import { HelperFailed } from '../../../src/io/helper-process.js';
import { readIncidentOf, readIncidents } from '../../../src/io/archive/read.js';
import { openIncident } from '../../../src/io/archive/writer.js';
import {
  analyseCut,
  incident,
  finish,
  finishBy,
  opening,
  partsOf,
  rawRow,
  STARTED_AT_MS,
} from '../../fixtures/archive-sample.js';
import { temporaryDirectory } from '../../support/temporary.js';

const ID = incident().id;
const DEAD = '999999999-1';

async function partialWith(
  files: Record<string, string | Buffer>,
  name = `${ID}.${DEAD}.partial`,
): Promise<string> {
  const root = await temporaryDirectory();
  const partial = join(root, 'incidents', name);
  await mkdir(partial, { recursive: true });
  for (const [file, content] of Object.entries(files)) await writeFile(join(partial, file), content);
  return root;
}

describe('a capture that was cut short', () => {
  it('is completed from its own files, and says what happened', async () => {
    const root = await partialWith({
      'console.raw': rawRow(0),
      'sysrq-w.1.txt': 'sysrq: Show Blocked State\n',
      'sysrq-t.txt': '',
      'opening.json': JSON.stringify(opening('real name')),
      'report.html.new': '<ht',
      reserve: 'x',
    });
    const seen: CutShort[] = [];
    const analyse: Analyse = (cut) => {
      seen.push(cut);
      return analyseCut(cut);
    };
    const { finished } = await finishPartials(root, finishBy(analyse));
    const path = join(root, 'incidents', ID);
    expect(finished).toEqual([{ path, missing: [] }]);
    expect(seen).toMatchObject([
      {
        id: ID,
        startedAtMs: STARTED_AT_MS,
        accusation: { vm: 'real name', why: incident().why },
        dumps: [{ name: 'sysrq-w.1', path: expect.stringMatching(/sysrq-w\.1\.txt$/) as string }],
        raw: expect.stringMatching(/console\.raw$/) as string,
      },
    ]);
    const read = await readIncidentOf(path);
    expect(read.ok && read.incident.evidence).toMatchObject({
      complete: false,
      incompleteBecause: ['the watchdog was killed in the middle of this capture'],
    });
    expect(await readdir(path)).toEqual(
      expect.arrayContaining(['verdict.txt', 'incident.json', 'report.html', 'console.raw', 'console.txt']),
    );
    expect(await readdir(path)).not.toEqual(expect.arrayContaining(['opening.json']));
    expect(await readFile(join(path, 'verdict.txt'), 'utf8')).toContain('Evidence: INCOMPLETE');
  });

  it('takes the name of the directory where the note of its start was torn', async () => {
    const root = await partialWith({ 'console.raw': 'x', 'opening.json': '{"vm":"st' }, `${ID}.partial`);
    let cut: CutShort | undefined;
    const analyse: Analyse = (given) => {
      cut = given;
      return analyseCut(given);
    };
    await finishPartials(root, finishBy(analyse));
    expect(cut).toMatchObject({ startedAtMs: STARTED_AT_MS, accusation: { vm: 'store', why: [] } });
  });

  it('without evidence is removed', async () => {
    const root = await partialWith({ 'console.raw': '', 'opening.json': '{}', 'verdict.txt': '' });
    const { removed } = await finishPartials(root, finish);
    expect(removed).toHaveLength(1);
    expect(await readdir(join(root, 'incidents'))).toEqual([]);
  });

  it('keeps its analysis where there was one, and what it has lost', async () => {
    const source = await temporaryDirectory();
    const writer = await openIncident(source, opening());
    await writer.raw(rawRow(0));
    const { path } = await writer.file(incident(), partsOf());
    const root = await partialWith({});
    const partial = join(root, 'incidents', `${writer.id}.${DEAD}.partial`);
    await cp(path, partial, { recursive: true });
    await rm(join(partial, 'host.json'));
    await rm(join(partial, 'report.html'));
    await finishPartials(
      root,
      finishBy(() => Promise.reject(new Error('not asked again'))),
    );
    const row = (await readIncidents(root))[0];
    expect(row).toMatchObject({
      id: writer.id,
      evidence: 'incomplete: the watchdog was killed in the middle of this capture: host.json is missing',
    });
    expect((await stat(join(row!.path, 'report.html'))).size).toBeGreaterThan(1000);
  });

  it('stays for the next start where its analysis fails', async () => {
    const root = await partialWith({ 'console.raw': 'x' });
    const { failed } = await finishPartials(
      root,
      finishBy(() => Promise.reject(new Error('cannot parse that'))),
    );
    expect(failed).toMatchObject([{ why: 'cannot parse that' }]);
    const [left] = await readdir(join(root, 'incidents'));
    expect(left).toMatch(/\.partial$/);
    expect(await readdir(join(root, 'incidents', left!))).toEqual(['console.raw']);
    // As it would be after the next start: the owner is gone.
    await rename(join(root, 'incidents', left!), join(root, 'incidents', `${ID}.${DEAD}.partial`));
    expect((await finishPartials(root, finish)).finished).toHaveLength(1);
  });

  it('is completed once where several do it at the same time', async () => {
    const root = await partialWith({ 'console.raw': rawRow(0) });
    const results = await Promise.all([1, 2, 3].map(() => finishPartials(root, finish)));
    expect(results.flatMap(({ finished }) => finished)).toHaveLength(1);
    expect(results.flatMap(({ failed }) => failed)).toEqual([]);
    expect(await readdir(join(root, 'incidents'))).toEqual([ID]);
  });
});

it('the capture of a process that lives is left alone', async () => {
  const root = await temporaryDirectory();
  const writer = await openIncident(root, opening());
  await writer.raw(rawRow(0));
  const none = { finished: [], removed: [], failed: [] };
  expect(await finishPartials(root, finish)).toEqual(none);
  const { missing } = await writer.file(incident(), partsOf());
  expect(missing).toEqual([]);
  expect(await finishPartials(root, finish)).toEqual(none);
});

it('what is not ours is left alone', async () => {
  const root = await partialWith({ file: 'x' }, 'download.partial');
  await finishPartials(root, finish);
  expect(await readdir(join(root, 'incidents'))).toEqual(['download.partial']);
});

describe('a capture whose analysis dies', () => {
  const dies = () => Promise.reject(new HelperFailed('it needed more than 512 MB'));

  it('is tried twice and then filed as it is, in the same start', async () => {
    const root = await partialWith({ 'console.raw': 'x', 'opening.json': JSON.stringify(opening()) });
    const names: string[] = [];
    const { finished, failed } = await finishPartials(root, async () => {
      names.push(...(await readdir(join(root, 'incidents'))));
      return dies();
    });
    expect(names).toEqual([
      expect.stringMatching(/\.1\.partial$/) as string,
      expect.stringMatching(/\.2\.partial$/) as string,
    ]);
    expect(failed).toEqual([]);
    expect(finished).toMatchObject([{ path: join(root, 'incidents', ID) }]);
    const read = await readIncidentOf(join(root, 'incidents', ID));
    expect(read.ok && read.incident.verdict.class).toBe('unknown');
  });

  it('keeps its count where the watchdog dies with it', async () => {
    const root = await partialWith({ 'console.raw': 'x' }, `${ID}.${DEAD}.1.partial`);
    let tries = 0;
    await finishPartials(root, () => {
      tries += 1;
      return dies();
    });
    expect(tries).toBe(1);
  });

  it('is not counted where the watchdog was only told to stop', async () => {
    const root = await partialWith({ 'console.raw': 'x' });
    const stop = new AbortController();
    const ended = () => {
      stop.abort();
      return dies();
    };
    const { failed } = await finishPartials(root, ended, stop.signal);
    expect(failed).toEqual([]);
    const [left] = await readdir(join(root, 'incidents'));
    expect(left).toMatch(/\.\d+-\d+\.partial$/);
  });
});
