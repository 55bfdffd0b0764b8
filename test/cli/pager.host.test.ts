import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { page, pagerOf } from '../../src/cli/pager.js';
import { temporaryDirectory } from '../support/temporary.js';

it.each([
  [{}, 'less'],
  [{ PAGER: 'more' }, 'more'],
  [{ PAGER: 'more', WEDGEWATCH_PAGER: 'most -s' }, 'most -s'],
  [{ PAGER: 'cat' }, null],
  [{ PAGER: 'more', WEDGEWATCH_PAGER: '' }, null],
])('of %j the pager is %j', (env, pager) => {
  expect(pagerOf(env)).toBe(pager);
});

it('is given the text as its input, and no word of it as a command', async () => {
  const file = join(await temporaryDirectory(), 'seen');
  const text = `$(touch ${file}.evil) \`id\`; rm -rf\n`;
  expect(await page(text, `cat > ${file}`, { PATH: '/usr/bin:/bin' })).toBe(true);
  expect(await readFile(file, 'utf8')).toBe(text);
  await expect(readFile(`${file}.evil`)).rejects.toThrow();
});

it('says that it could not be run, and outlives one that leaves early', async () => {
  expect(await page('x\n', 'no-such-pager 2>/dev/null', { PATH: '/usr/bin:/bin' })).toBe(false);
  expect(await page('x\n'.repeat(1e6), 'true', { PATH: '/usr/bin:/bin' })).toBe(true);
});

it('gets options of less that colours need, unless the user has some', async () => {
  const file = join(await temporaryDirectory(), 'less');
  await writeFile(file, '');
  await page('', `printf %s "$LESS" > ${file}`, { PATH: '/usr/bin:/bin' });
  expect(await readFile(file, 'utf8')).toBe('FRX');
  await page('', `printf %s "$LESS" > ${file}`, { PATH: '/usr/bin:/bin', LESS: 'S' });
  expect(await readFile(file, 'utf8')).toBe('S');
});
