import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { compileTo } from '../support/compile.js';

const POINTS = 6;
const compiled = mkdtempSync(join(tmpdir(), 'wedgewatch-compiled-'));
let main = '';

beforeAll(async () => {
  main = join(dirname(await compileTo(compiled, 'unused')), '../../src/cli/main.js');
}, 60_000);
afterAll(() => rmSync(compiled, { recursive: true }));

it('a capture that is killed anywhere is one incident with the console’s own bytes after the next start', async () => {
  const bench = join(import.meta.dirname, '../../bench/kill.mjs');
  const { stdout } = await execa(process.execPath, [bench, String(POINTS), main], { timeout: 290_000 });
  expect(stdout).not.toContain('FAILED');
  expect(stdout.match(/, killed after \d+ ms/g)).toHaveLength(POINTS);
}, 300_000);
