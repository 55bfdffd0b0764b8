import { expect, test } from 'vitest';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { assets } from '../../src/guest/build.js';
import { wedgeNames, wedgeRecipe } from '../../src/guest/wedges.js';

test('a script of guest/wedges is a mode of the guest, a C source a program in it', async () => {
  const recipe = await wedgeRecipe();
  expect(recipe.assets).toMatchObject({
    init: 'init',
    'wedges/common.sh': 'wedges/common.sh',
    'wedges/frozen-fs.sh': 'wedges/frozen-fs.sh',
    'wedges/hog.c': 'bin/hog',
  });
});

test('each wedge begins by saying how it is made: that is the head of its golden log', async () => {
  const names = await wedgeNames();
  expect(names).not.toContain('common');
  for (const name of names) {
    expect(await readFile(join(assets, 'wedges', `${name}.sh`), 'utf8'), name).toMatch(/^# [A-Z]/);
  }
});
