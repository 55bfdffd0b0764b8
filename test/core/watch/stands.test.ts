/** How soon memory is read, and accuses, once SSH owes its banner. */
import { expect, it } from 'vitest';
import { memoryAt, recordedTasks } from '../../support/memory-dumps.js';
import type { Script } from '../../support/script.js';
import { answers, booted, golden, healthyFor, VirtualGuest } from '../../support/virtual-guest.js';

const WEDGE = 30_000;

it('it is read half a second after SSH failed to greet, and suspected a second later, without a tick', () => {
  let failed = Infinity;
  const reads: number[] = [];
  const ssh = (at: number) => {
    if (at >= WEDGE) failed = Math.min(failed, at);
    return healthyFor(WEDGE)(at);
  };
  const memory: Script['memory'] = (at) => {
    if (at > failed) reads.push(at - failed);
    return memoryAt(recordedTasks('page-in'), at, { since: at < WEDGE ? null : WEDGE });
  };
  const press = answers(golden('page-in'));
  const guest = booted(new VirtualGuest({ ssh, memory, press })).run(60_000);
  expect(reads.slice(0, 2)).toEqual([500, 1_500]);
  expect((guest.findings[0]?.suspectAt ?? Infinity) - failed).toBeLessThan(1_600);
});
