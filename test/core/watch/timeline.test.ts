import { expect, it } from 'vitest';
import type { Finding, GuestEvent } from '../../../src/core/watch/events.js';
import { replay, type TimelineStart } from '../../../src/core/watch/timeline.js';
import { VirtualGuest } from '../../support/virtual-guest.js';

it('a recorded timeline is decided again in the same way', () => {
  const ssh = (at: number) => (at < 4_000_000 ? ('ok' as const) : ('timed-out' as const));
  const guest = new VirtualGuest({ ssh });
  guest.lines(['[    0.000000] Linux version 6.1.0', 'Started OpenSSH server.']);
  guest.run(4_060_000);
  const [start, ...events] = guest.timeline.lines().map((line) => JSON.parse(line) as unknown);
  const found: Finding[] = [];
  const state = replay(start as TimelineStart, events as GuestEvent[], (_state, _event, effects) => {
    for (const effect of effects) if (effect.type === 'file') found.push(effect.finding);
  });
  expect(state.name).toBe('held');
  expect(found.map(({ analysis }) => analysis.verdict)).toEqual(
    guest.findings.map(({ analysis }) => analysis.verdict),
  );
  expect(events.length).toBeLessThan(11_000);
});
