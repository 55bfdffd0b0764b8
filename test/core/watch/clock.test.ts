/** The wall clock of a host is set by people and by NTP: it moves, and no guest is to blame. */
import { expect, it } from 'vitest';
import { booted, VirtualGuest } from '../../support/virtual-guest.js';

it.each([3_600_000, -3_600_000, -90 * 86_400_000])(
  'accuses nobody when the wall clock moves by %s ms',
  (ms) => {
    const ssh = (at: number) => (at > 30_000 && at < 38_000 ? 'timed-out' : 'ok');
    const guest = booted(new VirtualGuest({ ssh })).run(33_000);
    guest.jump(ms);
    guest.run(60_000);
    expect(guest.path).toEqual(['starting', 'up']);
    expect(guest.findings).toEqual([]);
  },
);

it('accuses nobody of the silence of a minute in which it was stopped itself', () => {
  // SSH is away for some seconds longer than the watchdog: that is not long enough, of a guest that nobody watched.
  const ssh = (at: number) => (at > 30_000 && at < 95_500 ? 'timed-out' : 'ok');
  const guest = booted(new VirtualGuest({ ssh })).run(31_000).run(63_000, { asleep: true }).run(60_000);
  expect(guest.path).toEqual(['starting', 'up']);
});
