/** The manual page, as it is built, by a formatter that checks it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../support/temporary.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const run = (...words: string[]) =>
  execFileSync(process.execPath, [main, ...words], {
    encoding: 'utf8',
    env: { ...process.env, SOURCE_DATE_EPOCH: '1789000000' },
  });

it('is clean to mandoc, and says of each verb and option what --help does', async () => {
  const file = join(await temporaryDirectory(), 'wedgewatch.1');
  await writeFile(file, run('man'));
  const lint = spawnSync('mandoc', ['-Tlint', '-Wstyle', file], { encoding: 'utf8' });
  expect(lint.error).toBeUndefined();
  // Whether other pages are installed says nothing of this one.
  const found = lint.stdout
    .split('\n')
    .filter((line) => line !== '' && !/lacks .* entry|mandoc\.db/.test(line));
  expect(found).toEqual([]);
  const shown = execFileSync('mandoc', ['-Tutf8', '-Owidth=1000', file], { encoding: 'utf8' })
    // Bold, as terminals that print on paper do it.
    .replaceAll(new RegExp(`.${String.fromCharCode(8)}`, 'g'), '')
    .replace(/\u2010/g, '-');
  const help = run('--help');
  const verbs = [...help.matchAll(/^ {2}([a-z]+) /gm)]
    .map(([, verb]) => verb ?? '')
    .filter((verb) => verb !== 'help');
  expect(verbs.length).toBeGreaterThan(15);
  const mute: string[] = [];
  for (const verb of verbs) {
    expect(shown).toMatch(new RegExp(`^ {3}${verb}$`, 'm'));
    const flags = [...run(verb, '--help').matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag]) => flag);
    for (const flag of flags) if (flag !== '--help') expect(shown).toContain(flag);
    if (!flags.includes('--json') && verb !== 'config') mute.push(verb);
  }
  expect(shown).toContain(`All verbs but ${mute.join(', ').replace(/, (?=\w+$)/, ' and ')} take --json.`);
  expect(help).not.toMatch(/^ {2}man\b/m);
  expect(shown).toContain('September');
}, 60_000);
