import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { DumpFile } from '../../src/daemon/dump-file.js';
import type { Rows } from '../../src/core/console/rows.js';
import { temporaryDirectory } from '../support/temporary.js';

const texts = ({ bytes }: Rows) => Buffer.from(bytes).toString().split('\n').slice(0, -1);

async function opened(path: string) {
  const rows: string[] = [];
  const lost: string[] = [];
  const file = await DumpFile.open(path, {
    onRows: (parts) => void rows.push(...parts.flatMap(texts)),
    onLost: (why) => void lost.push(why),
  });
  onTestFinished(() => file?.close());
  return { file, rows, lost };
}

it('holds the rows that come back until the capture has begun, and knows where they begin', async () => {
  const path = join(await temporaryDirectory(), 'console');
  await writeFile(path, 'one\ntwo\nlogi');
  const { file, rows } = await opened(path);
  expect(file?.context.flatMap(texts)).toEqual(['one', 'two']);
  expect(file?.position).toMatchObject({ kind: 'file', path, offset: 8 });
  await appendFile(path, 'n: \nthree\n');
  await expect.poll(() => rows, { interval: 50, timeout: 300 }).toEqual([]);
  file?.begin();
  await expect.poll(() => rows, { timeout: 5_000 }).toEqual(['login: ', 'three']);
});

it('is none where it is no file that can be read', async () => {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, 'console'));
  for (const path of [join(directory, 'console'), join(directory, 'missing')]) {
    const { file, lost } = await opened(path);
    expect(file).toBeNull();
    expect(lost).toHaveLength(1);
  }
});
