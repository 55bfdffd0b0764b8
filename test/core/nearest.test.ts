import fc from 'fast-check';
import { expect, it } from 'vitest';
import { didYouMean, nearest } from '../../src/core/nearest.js';

it.each<[word: string, names: string[], meant: string | null]>([
  ['nmae', ['name', 'unit', 'qmp', 'console', 'ssh'], 'name'],
  ['intervall', ['timeout', 'interval'], 'interval'],
  ['boot_silence', ['silence', 'bootSilence'], 'bootSilence'],
  ['debain', ['alpine', 'debian'], 'debian'],
  ['Debian-13', ['debian13'], 'debian13'],
  ['vm', ['vm1'], 'vm1'],
  ['colour', ['timeout'], null],
  ['', ['timeout'], null],
  ['name', [], null],
])('%s of %j is %s', (word, names, meant) => {
  expect(nearest(word, names)).toBe(meant);
  expect(didYouMean(word, names)).toBe(meant === null ? '' : `; did you mean ${meant}?`);
});

it('is one of the names, whatever the word', () => {
  const text = fc.string({ unit: 'binary', maxLength: 300 });
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 5 }), (word, names) => {
      const found = nearest(word, names);
      expect(found === null || names.includes(found)).toBe(true);
    }),
    { numRuns: 50 },
  );
});
