import { expect, it } from 'vitest';
import { answers, booted, golden, healthyFor, VirtualGuest } from '../../support/virtual-guest.js';

/** A guest that wedges; rows fall out of its first dump of blocked tasks. */
function wedged(repeated: boolean): VirtualGuest {
  const kernel = answers(golden('page-in'));
  let asked = 0;
  const guest: VirtualGuest = new VirtualGuest({
    ssh: healthyFor(60_000),
    press: (key) => {
      if (key === 'w' && (asked += 1) === 1)
        for (const rows of [1_000, 234])
          guest.later(110, { type: 'left-out', rows, bytes: 2 * rows, repeated });
      return kernel(key);
    },
  });
  booted(guest).run(120_000);
  return guest;
}

it('a dump that rows are left out of is incomplete, and says so', () => {
  const [finding] = wedged(false).findings;
  expect(finding?.complete).toBe(false);
  expect(finding?.incompleteBecause).toEqual([
    'sysrq-w.1: 1234 rows of the console left out: it prints faster than it can be read',
  ]);
  expect(finding?.evidence.map(({ name, complete }) => [name, complete])).toEqual([
    ['sysrq-w.1', false],
    ['sysrq-w.2', true],
    ['sysrq-t', true],
  ]);
});

it('of rows that repeat the one before nothing is lost', () => {
  expect(wedged(true).findings[0]?.complete).toBe(true);
});
