import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readTestTime } from '../../src/io/test-times.js';
import { temporaryDirectory } from '../support/temporary.js';

it('reads how long a test took last, in a record of fstests', async () => {
  const path = join(await temporaryDirectory(), 'check.time');
  await writeFile(path, 'generic/001 5\ngeneric/0010 7\ngeneric/475 x\ngeneric/001 6\n');
  expect(await readTestTime(path, 'generic/001')).toBe(6_000);
  expect(await readTestTime(path, 'generic/475')).toBeNull();
  expect(await readTestTime(path, 'generic/00')).toBeNull();
  expect(await readTestTime(join(path, 'none'), 'generic/001')).toBeNull();
});
