import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { formatProblem } from '../../src/core/config/problem.js';
import { configSchema } from '../../src/core/config/schema.js';
import { knownPath, readKnown } from '../../src/io/known-file.js';
import { temporaryDirectory } from '../support/temporary.js';

const entry = (title: string, pattern: string) =>
  `- title: ${title}\n  link: https://example.org/${title}\n  pattern: ${pattern}\n`;
const hang = (verdict: string) => ({ fingerprint: null, verdict, startedAt: '2026-09-18T10:15:02.000Z' });
const config = (known: string | null) => configSchema.parse({ known });

it('reads a file, or each list of a directory in the order of names', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'b.yaml'), entry('second', 'fuse'));
  await writeFile(join(directory, 'a.yml'), entry('first', 'fuse_x'));
  await writeFile(join(directory, 'README.md'), '# ours\n');
  await mkdir(join(directory, '.git'));
  const all = await readKnown(config(directory));
  expect(all.problems).toEqual([]);
  expect(all.find(hang('in fuse_x'))?.title).toBe('first');
  expect(all.find(hang('in fuse_y'))?.title).toBe('second');
  const one = await readKnown(config(join(directory, 'b.yaml')));
  expect(one.find(hang('in fuse_x'))?.title).toBe('second');
});

it('leaves out a list with a mistake, says so, and takes the others', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'a.yaml'), `${entry('first', 'fuse')}  pattrn: x\n`);
  await writeFile(join(directory, 'b.yaml'), entry('second', 'fuse'));
  const { find, problems } = await readKnown(config(directory));
  expect(problems.map(formatProblem)).toEqual([
    `${join(directory, 'a.yaml')}:4:3: [0].pattrn: unknown key; did you mean [0].pattern?`,
  ]);
  expect(find(hang('fuse'))?.title).toBe('second');
});

it('misses what was named, and not what nobody has made yet', async () => {
  const directory = await temporaryDirectory();
  const named = await readKnown(config(join(directory, 'none')));
  expect(named.problems.map(formatProblem)).toEqual([expect.stringContaining('none: ENOENT') as string]);
  const env = { XDG_CONFIG_HOME: directory };
  expect(await readKnown(config(null), env)).toMatchObject({ problems: [] });
  await mkdir(join(directory, 'wedgewatch'));
  await writeFile(join(directory, 'wedgewatch/known.yaml'), entry('own', 'fuse'));
  expect((await readKnown(config(null), env)).find(hang('fuse'))?.title).toBe('own');
  expect(knownPath(config('~/known'), { HOME: '/home/me' }).path).toMatch(/^\/.+\/known$/);
});
