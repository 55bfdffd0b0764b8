/** What the heads of the golden logs do not say; those test/golden/golden.test.ts compares. */
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { golden } from '../../support/virtual-guest.js';

const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };

describe('real guests', () => {
  it('has no verdict where the bodies are hidden', () => {
    const hidden = parseDumps(golden('hidden')).slice(0, 2);
    expect(analyze(hidden, context).verdict).toMatchObject({
      class: 'unknown',
      title: 'no verdict: w: the bodies are hidden: the console loglevel is below 7.',
    });
  });

  it('folds the idle kernel threads', () => {
    const { groups } = analyze(parseDumps(golden('idle')), context);
    const busy = groups.filter(({ idle }) => !idle);
    expect(groups.reduce((sum, { count }) => sum + count, 0)).toBe(60);
    expect(new Set(busy.flatMap(({ comms }) => comms))).toEqual(
      new Set(['init', 'dropbear', 'sh', 'sleep', 'cat']),
    );
  });
});
