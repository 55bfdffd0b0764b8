import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeDirectory } from '../../src/io/files.js';
import { temporaryDirectory } from '../support/temporary.js';

it('makes a directory and those above it, once', async () => {
  const path = join(await temporaryDirectory(), 'a/b/c');
  await Promise.all([makeDirectory(path, 0o700), makeDirectory(path, 0o700)]);
  await makeDirectory(path);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
});

it('fails where a file is in the way, and where the kernel makes no directory', async () => {
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'file'), '');
  await expect(makeDirectory(join(directory, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
  await expect(makeDirectory(join(directory, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  await expect(makeDirectory('/proc/none/of/it')).rejects.toMatchObject({ code: 'ENOENT' });
});
