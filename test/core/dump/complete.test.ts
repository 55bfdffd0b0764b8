import { expect, it } from 'vitest';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { fence, stacks, task } from '../../support/stacks.js';

const w = 'sysrq: Show Blocked State';
const t = 'sysrq: Show State';
const one = task('cat', 9, 'D', stacks.pageIn);

it.each([
  ['a whole dump', [w, ...one, fence], undefined],
  ['bare headers', one, ['no-header']],
  [
    'several losses',
    [w, ...one.slice(0, -1), '** 31 printk messages dropped **'],
    ['no-fence', 'lines-lost', 'stacks-cut'],
  ],
  ['a blocked task without a stack', [w, one[0]!, fence], ['stackless']],
  ['hidden bodies', [t, fence], ['bodies-hidden']],
  ['an empty dump', [w, fence], ['nothing-in-it']],
])('says by a code what is wrong with %s', (_case, lines, codes) => {
  const [dump] = parseDumps(lines);
  expect(dump?.incompleteCodes).toEqual(codes);
  expect(dump?.incompleteBecause).toHaveLength(codes?.length ?? 0);
});
