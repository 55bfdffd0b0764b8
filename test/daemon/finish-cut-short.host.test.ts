import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { incident, opening } from '../fixtures/archive-sample.js';
import { compiled } from '../support/compiled.js';
import { temporaryDirectory } from '../support/temporary.js';

const ID = incident().id;
const built = compiled('finish-partials.js');

async function partial(raw: Buffer | string, attempts = ''): Promise<string> {
  const root = await temporaryDirectory();
  const directory = join(root, 'incidents', `${ID}.999999999-1${attempts}.partial`);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await writeFile(join(directory, 'console.raw'), raw);
  await writeFile(join(directory, 'opening.json'), JSON.stringify({ ...opening(), position: null }));
  return root;
}

/** With a heap that rows kept as objects would fill. */
const finish = (root: string, heapMb = 64) =>
  execa(process.execPath, [`--max-old-space-size=${heapMb}`, built.fixture, root], { timeout: 100_000 });

const filed = async (root: string) =>
  JSON.parse(await readFile(join(root, 'incidents', ID, 'incident.json'), 'utf8')) as {
    verdict: { title: string };
    evidence: { incompleteBecause: string[] };
  };

const DUMP = [
  '[    9.000000] sysrq: Show Blocked State',
  '[    9.100000] sysrq: HELP : loglevel(0-9)',
  '',
].join('\n');

it.each([
  ['12 MB of newlines', Buffer.alloc(12 << 20, '\n')],
  ['4 MB of one-byte lines', Buffer.alloc(4 << 20, 'a\n')],
  ['12 MB in one line', Buffer.alloc(12 << 20, 'a')],
])(
  'a capture of %s is completed by the next start',
  async (_of, flood) => {
    const root = await partial(Buffer.concat([Buffer.from(DUMP), flood]));
    await finish(root);
    expect(await readdir(join(root, 'incidents'))).toEqual([ID]);
    const { evidence } = await filed(root);
    expect(evidence.incompleteBecause[0]).toMatch(/was killed in the middle of this capture/);
  },
  120_000,
);

it('one whose analysis has failed twice is filed without it', async () => {
  const root = await partial(DUMP, '.2');
  await finish(root);
  expect(await readdir(join(root, 'incidents'))).toEqual([ID]);
  const { verdict, evidence } = await filed(root);
  expect(verdict.title).toBe('where the guest is stuck is unknown: its analysis failed 2 times');
  expect(evidence.incompleteBecause).toContain(
    'its analysis failed 2 times. Fix: run wedgewatch analyze on its console.raw',
  );
  expect(await readFile(join(root, 'incidents', ID, 'console.raw'), 'utf8')).toBe(DUMP);
}, 60_000);
