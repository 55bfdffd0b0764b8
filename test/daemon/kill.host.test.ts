import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { compiled } from '../support/compiled.js';

const POINTS = 6;
const built = compiled();

it('a capture that is killed anywhere is one incident with the console’s own bytes after the next start', async () => {
  const bench = join(import.meta.dirname, '../../bench/kill.mjs');
  const { stdout } = await execa(process.execPath, [bench, String(POINTS), built.main], { timeout: 290_000 });
  expect(stdout).not.toContain('FAILED');
  expect(stdout.match(/, killed after \d+ ms/g)).toHaveLength(POINTS);
}, 300_000);
