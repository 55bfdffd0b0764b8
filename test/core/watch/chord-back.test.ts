/** What puts the loglevel back in a guest that is left in the middle of its capture. */
import { expect, it } from 'vitest';
import { chordBack } from '../../../src/core/watch/case/asking.js';
import { VirtualGuest } from '../../support/virtual-guest.js';

/** A guest whose dump by hand was asked for, and whose console answers so to each key. */
function asked(press: (key: string) => string[] | null): VirtualGuest {
  const guest = new VirtualGuest({ press, config: 'ssh: {enabled: false}' });
  guest.lines(['[    0.100000] Kernel command line: quiet', 'login: ']);
  guest.run(1_000);
  guest.later(0, { type: 'capture-asked', note: null, keys: null });
  return guest.run(1_500);
}

const digit = (key: string) => [
  `[  10.000000] sysrq: Changing Loglevel`,
  `[  10.000001] sysrq: Loglevel set to ${key}`,
];

it('is the level that the guest was booted with, once it confirmed a higher one', () => {
  const guest = asked((key) => (/^\d$/.test(key) ? digit(key) : []));
  expect(guest.pressed).toContain('w');
  expect(chordBack(guest.state)).toEqual({ key: '4', via: 'send-key' });
});

it('is pressed although the guest has not answered yet: what waits in its keyboard comes before it', () => {
  const guest = asked(() => []);
  expect(guest.pressed[0]).toBe('8');
  expect(chordBack(guest.state)).toEqual({ key: '4', via: 'send-key' });
});

it('is none where the guest refuses digits, or nothing was asked', () => {
  const guest = asked((key) =>
    /^\d$/.test(key) ? ['[  10.000000] sysrq: This sysrq operation is disabled.'] : [],
  );
  expect(guest.pressed).toContain('w');
  expect(chordBack(guest.state)).toBeNull();
  expect(chordBack(new VirtualGuest().state)).toBeNull();
});
