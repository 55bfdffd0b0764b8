import { expect, test } from 'vitest';
import { listStates } from '../../../src/core/memory/sample.js';
import { takeSnapshot } from '../../../src/core/memory/snapshot.js';
import { fakeGuest, taskAt } from './fake-guest.js';

test('a list of processes that led nowhere for a moment is walked again', () => {
  const { kernel, memory } = fakeGuest([1, 40, 41].map((pid) => ({ comm: `task${pid}`, pid })));
  let reads = 0;
  // A task that ended, and whose memory is another's now.
  memory.mutate = (into, va) => {
    if (va === taskAt(40) && ++reads === 1) into.fill(0xaa, 80, 88);
  };
  const snapshot = takeSnapshot(kernel, { registers: [] });
  expect(snapshot).toMatchObject({ complete: true });
  expect(snapshot.tasks).toHaveLength(3);
  reads = 0;
  expect(listStates(kernel)).toMatchObject({ broken: null });
});
