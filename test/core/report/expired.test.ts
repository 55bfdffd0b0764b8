import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expired } from '../../../src/core/report/expired.js';
import { incidentId } from '../../../src/core/report/incident.js';

const DAY = 86_400_000;
const now = Date.UTC(2026, 8, 18);
const name = (daysAgo: number, vm = 'store') => incidentId(now - daysAgo * DAY, vm, '00c0ffee');

it('removes what is too old, oldest first', () => {
  const names = [name(1), name(100), name(91), name(89)];
  expect(expired(names, { maxIncidents: 10, maxAgeMs: 90 * DAY, nowMs: now })).toEqual([name(100), name(91)]);
});

it('removes the oldest beyond the number', () => {
  const names = [name(3), name(1), name(2)];
  expect(expired(names, { maxIncidents: 2, maxAgeMs: 90 * DAY, nowMs: now })).toEqual([name(3)]);
});

it('does not count or remove what is no incident', () => {
  const names = ['lost+found', 'notes', `${name(200)}.partial`, name(1)];
  expect(expired(names, { maxIncidents: 1, maxAgeMs: 90 * DAY, nowMs: now })).toEqual([]);
});

it('leaves at most maxIncidents, and nobody older goes later than a younger one', () => {
  const ages = fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: 30 });
  fc.assert(
    fc.property(ages, fc.integer({ min: 1, max: 20 }), (days, maxIncidents) => {
      const names = days.map((ago) => name(ago));
      const gone = expired(names, { maxIncidents, maxAgeMs: 90 * DAY, nowMs: now });
      const kept = names.filter((one) => !gone.includes(one));
      expect(kept.length).toBeLessThanOrEqual(maxIncidents);
      expect([...gone, ...kept.sort()]).toEqual([...names].sort());
    }),
  );
});
