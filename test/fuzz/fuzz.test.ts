/** A short run of what fuzz.mjs does at length. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { analyze } from '../../src/core/analysis/analysis.js';
import { cleanRow } from '../../src/core/console/clean.js';
import { RowSplitter } from '../../src/core/console/rows.js';
import { parseDumps } from '../../src/core/dump/parse-dumps.js';
import { goldenNames, readGolden } from '../golden/golden.mjs';
import { mutated } from './mutate.mjs';

const logs = [
  ...goldenNames().map((name) => readGolden(name).log),
  readFileSync(new URL('formats.log', import.meta.url)),
];

it.each([1, 2, 3])('survives a thousand mutated logs of seed %i', (seed) => {
  const seen = new Set<string>();
  for (let index = 0; index < 1000; index += 1) {
    const splitter = new RowSplitter();
    const rows = splitter.push(mutated(logs, seed, index));
    const last = splitter.flush();
    const lines = [...rows, ...(last ? [last] : [])].flatMap(cleanRow);
    const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
    const { verdict } = analyze(parseDumps(lines), context);
    seen.add(verdict.class);
  }
  // The inputs still mean something: they are not all rubbish.
  expect(seen).toContain('blocked');
  expect(seen.size).toBeGreaterThan(3);
});
