import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { compiled } from '../support/compiled.js';

interface Round {
  peak: number;
  lab: { incident: string | null };
  catchingUp: { leftOut: number } | null;
  captures: { directory: string | null }[];
}

const SECONDS = 6;
const built = compiled();

async function flooded(...args: string[]): Promise<Round> {
  const bench = join(import.meta.dirname, '../../bench/flood.mjs');
  const fixed = ['--file', '--only', '--json', `--seconds=${SECONDS}`, `--main=${built.main}`];
  const { stdout } = await execa(process.execPath, [bench, ...args, ...fixed], { timeout: 140_000 });
  return JSON.parse(stdout) as Round;
}

it('a guest that prints short lines while it is captured costs neither memory nor another guest its verdict', async () => {
  const { peak, lab, catchingUp } = await flooded('1', '1', '2', '--vary', '--captured');
  expect(peak).toBeLessThan(300);
  expect(lab.incident).toContain('lab');
  expect(catchingUp?.leftOut).toBeGreaterThan(SECONDS * 50_000);
}, 150_000);

it('so does one that prints long lines as fast as a disk takes them', async () => {
  const { peak, lab } = await flooded('100', '1', '4096', '--vary');
  expect(peak).toBeLessThan(300);
  expect(lab.incident).toContain('lab');
}, 150_000);
