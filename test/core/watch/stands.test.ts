/** How soon memory is read, and accuses, once SSH owes its banner. */
import { expect, it } from 'vitest';
import { memoryAt, recordedTasks } from '../../support/memory-dumps.js';
import type { Script } from '../../support/script.js';
import { answers, booted, golden, healthyFor, VirtualGuest } from '../../support/virtual-guest.js';

const WEDGE = 30_000;

/** A guest that stands from WEDGE on; when it is read from then on, in ms after the first probe that nobody answered. */
function wedged(greetsWithin = 10) {
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
  const guest = booted(new VirtualGuest({ ssh, memory, press })).run(WEDGE);
  if (guest.state.ssh.last !== null) guest.state.ssh.last.tookMs = greetsWithin;
  const [finding] = guest.run(30_000).findings;
  return { reads, suspectAfter: (finding?.suspectAt ?? Infinity) - failed };
}

it('a guest is read half a second after SSH failed to greet, and suspected a second later, without a tick', () => {
  const { reads, suspectAfter } = wedged();
  expect(reads.slice(0, 2)).toEqual([500, 1_500]);
  expect(suspectAfter).toBeLessThan(1_600);
});

it('one that greets slowly is given twice that, up to a second', () => {
  expect(wedged(300).reads[0]).toBe(1_000);
  expect(wedged(2_000).reads[0]).toBe(1_000);
});
