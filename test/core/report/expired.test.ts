import fc from 'fast-check';
import { expect, it } from 'vitest';
import { expired, type Limits, type Stored } from '../../../src/core/report/expired.js';
import { incidentId } from '../../../src/core/report/incident.js';

const DAY = 86_400_000;
const now = Date.UTC(2026, 8, 18);
const name = (daysAgo: number, vm = 'store') => incidentId(now - daysAgo * DAY, vm, '00c0ffee');
const one = (daysAgo: number, bytes = 1, pinned = false): Stored => ({ name: name(daysAgo), bytes, pinned });

const gone = (stored: Stored[], limits: Partial<Limits>) =>
  expired(stored, { maxIncidents: 100, maxAge: 90 * DAY, maxSize: 1000, ...limits }, now).gone.map((old) => [
    old.name,
    old.why,
  ]);
/** As many as no age removes, at the end of the archive. */
const recent = (count = 20, vm = 'store') =>
  Array.from({ length: count }, (_, n) => ({ ...one(0, 1), name: name(n / 100, vm) }));

it('removes what is too old, oldest first', () => {
  const why = 'older than archive.maxAge, 90d';
  expect(gone([one(1), one(100), one(91), one(89), ...recent()], {})).toEqual([
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

const aged = (vm: string, days: number[]) => days.map((ago) => ({ ...one(ago), name: name(ago, vm) }));
const days = (count: number) => Array.from({ length: count }, (_, n) => n + 1);
const ahead = (stored: Stored[], trustClock?: boolean) =>
  expired(stored, { maxIncidents: 1000, maxAge: 90 * DAY, maxSize: 1e6 }, now + 91 * DAY, trustClock);

it('removes nothing of the newest 20, nor of the newest 3 of each guest, for its age', () => {
  const rare = aged('rare', [400, 300, 200, 100]);
  const { gone: old } = expired(
    [...rare, ...recent(30)],
    { maxIncidents: 100, maxAge: 90 * DAY, maxSize: 1000 },
    now,
  );
  expect(old.map((any) => any.name)).toEqual([name(400, 'rare')]);
  expect(ahead(aged('store', days(20)))).toEqual({ gone: [], doubted: 0 });
});

it('does not believe a clock that would empty the archive, unless told to', () => {
  const stored = aged('store', days(80));
  expect(ahead(stored)).toEqual({ gone: [], doubted: 60 });
  const { gone: old, doubted } = ahead(stored, true);
  expect([old.length, doubted]).toEqual([60, 0]);
  expect(old.map((any) => any.name)).not.toContain(name(20));
});

it('lets no guest push out the incidents of another', () => {
  const loud = aged('loud', days(30));
  const quiet = aged('quiet', [80, 81]);
  const byNumber = gone([...loud, ...quiet], { maxIncidents: 10 }).map(([id]) => id);
  expect(byNumber).toHaveLength(22);
  expect(byNumber.some((id) => id?.includes('quiet'))).toBe(false);
  const large = [{ ...one(1, 4000), name: name(1, 'loud') }, ...aged('quiet', [80, 81])];
  expect(gone(large, { maxSize: 1000 })).toEqual([]);
});

const guest = fc.constantFrom('a', 'b', 'c', 'd');
const piece = fc.record({ vm: guest, ago: fc.integer({ min: 0, max: 89 }), bytes: fc.nat(600) });
const bounds = fc.record({ maxIncidents: fc.integer({ min: 1, max: 20 }), maxSize: fc.nat(3000) });
const pieces = fc.uniqueArray(piece, { maxLength: 40, selector: ({ vm, ago }) => `${vm}${ago}` });

it('leaves no more than the limits allow, and to each guest its share', () => {
  fc.assert(
    fc.property(pieces, bounds, (some, limits) => {
      const stored = some.map(({ vm, ago, bytes }) => ({ name: name(ago, vm), bytes, pinned: false }));
      const old = gone(stored, limits).map(([id]) => id);
      expect(old).toEqual([...old].sort((a = '', b = '') => (a.slice(0, 16) < b.slice(0, 16) ? -1 : 0)));
      const kept = stored.filter((stays) => !old.includes(stays.name));
      expect(kept.length).toBeLessThanOrEqual(limits.maxIncidents);
      const newest = [...stored].sort((x, y) => (x.name < y.name ? -1 : 1)).at(-1);
      const sum = (those: Stored[]) => those.reduce((total, { bytes }) => total + bytes, 0);
      expect(sum(kept.filter((any) => any !== newest)) <= limits.maxSize).toBe(true);
      if (newest !== undefined) expect(kept).toContain(newest);
      const vms = new Set(some.map(({ vm }) => vm));
      for (const vm of vms) {
        const own = stored.filter((any) => any.name.includes(`Z.${vm}.`));
        const within = own.length <= limits.maxIncidents / vms.size && sum(own) <= limits.maxSize / vms.size;
        if (within) expect(own.every((any) => kept.includes(any))).toBe(true);
      }
    }),
  );
});
