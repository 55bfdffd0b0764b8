import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expired, type Limits, type Stored } from '../../../src/core/report/expired.js';
import { incidentId } from '../../../src/core/report/incident.js';

const DAY = 86_400_000;
const now = Date.UTC(2026, 8, 18);
const name = (daysAgo: number, vm = 'store') => incidentId(now - daysAgo * DAY, vm, '00c0ffee');
const one = (daysAgo: number, bytes = 1, pinned = false): Stored => ({ name: name(daysAgo), bytes, pinned });

const gone = (stored: Stored[], limits: Partial<Limits>) =>
  expired(stored, { maxIncidents: 100, maxAge: 90 * DAY, maxSize: 1000, ...limits }, now).map((old) => [
    old.name,
    old.why,
  ]);

it('removes what is too old, oldest first', () => {
  const why = 'older than archive.maxAge, 90d';
  expect(gone([one(1), one(100), one(91), one(89)], {})).toEqual([
    [name(100), why],
    [name(91), why],
  ]);
});

it('removes the oldest beyond the number', () => {
  expect(gone([one(3), one(1), one(2)], { maxIncidents: 2 })).toEqual([
    [name(3), 'beyond archive.maxIncidents, 2'],
  ]);
});

it('removes the oldest until the rest fits, but not the newest for that', () => {
  const why = 'beyond archive.maxSize, 1.0 KiB';
  expect(gone([one(4, 600), one(3, 10), one(2, 600), one(1, 300)], {})).toEqual([[name(4), why]]);
  expect(gone([one(2, 10), one(1, 5000)], {})).toEqual([[name(2), why]]);
});

it('keeps what is pinned, and does not count it', () => {
  const stored = [one(200, 5000, true), one(3), one(2), one(1)];
  expect(gone(stored, { maxIncidents: 3 })).toEqual([]);
  expect(gone(stored, { maxIncidents: 2 })).toEqual([[name(3), 'beyond archive.maxIncidents, 2']]);
});

it('does not count or remove what is no incident', () => {
  const names = ['lost+found', 'notes', `${name(200)}.partial`];
  const others = names.map((other) => ({ name: other, bytes: 5000, pinned: false }));
  expect(gone([...others, one(1)], { maxIncidents: 1 })).toEqual([]);
});

it('leaves no more than the limits allow, and nobody older goes later than a younger one', () => {
  const ages = fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: 30 });
  const limits = fc.record({ maxIncidents: fc.integer({ min: 1, max: 20 }), maxSize: fc.nat(3000) });
  fc.assert(
    fc.property(ages, limits, (days, bounds) => {
      const stored = days.map((ago) => one(ago, 10 * ago));
      const old = gone(stored, bounds).map(([id]) => id);
      const kept = stored.filter((stays) => !old.includes(stays.name));
      expect(kept.length).toBeLessThanOrEqual(bounds.maxIncidents);
      const bytes = kept.reduce((sum, stays) => sum + stays.bytes, 0);
      expect(kept.length <= 1 || bytes <= bounds.maxSize).toBe(true);
      const names = kept.map((stays) => stays.name).sort();
      expect([...old, ...names]).toEqual(stored.map((any) => any.name).sort());
    }),
  );
});
