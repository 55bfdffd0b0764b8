import { describe, expect, it } from 'vitest';
import { guestSettings } from '../../../src/core/config/guest.js';
import { parseConfig } from '../../../src/core/config/parse.js';
import { learn, type Learned, quietLimit } from '../../../src/core/watch/quiet.js';
import { BOOT, VirtualGuest } from '../../support/virtual-guest.js';

const parsed = parseConfig('', 'test.yaml');
if (!parsed.ok) throw new Error('the defaults are a configuration');
const settings = guestSettings(parsed.config, 'vm1', { qmpDirectory: '/run' });
const after = (...boots: Parameters<typeof learn>[1][]): Learned => boots.reduce(learn, {});

describe('how long a boot may be silent', () => {
  it('is what the configuration says while nothing is known', () => {
    expect(quietLimit('kernel', {}, settings)).toBe(20_000);
    expect(quietLimit('firmware', {}, settings)).toBe(40_000);
    expect(quietLimit('up', {}, settings)).toBe(8_000);
  });

  it('grows with the first slow boot, shrinks only after three fast ones', () => {
    expect(quietLimit('initrd', after({ initrd: 90_000 }), settings)).toBe(137_000);
    const fast = { kernel: 2_000 };
    expect(quietLimit('kernel', after(fast, fast), settings)).toBe(20_000);
    expect(quietLimit('kernel', after(fast, fast, fast), settings)).toBe(8_000);
  });

  it('is bounded, and does not learn from a boot that was far from the usual', () => {
    const slow = { initrd: 3_600_000 };
    expect(quietLimit('initrd', after(slow), settings)).toBe(180_000);
    const usual = { initrd: 5_000 };
    expect(after(usual, usual, usual, slow)).toEqual(after(usual, usual, usual));
    expect(after(...Array.from({ length: 20 }, () => usual)).initrd).toHaveLength(8);
  });
});

describe('a guest that boots', () => {
  const boot = (guest: VirtualGuest, silence: number) => {
    guest.later(0, { type: 'boot', invocation: String(guest.now), reason: 'QEMU was started' });
    guest.lines(BOOT.slice(0, 2), 100);
    guest.lines(['Welcome to Debian GNU/Linux 12!', 'Started OpenSSH server.'], silence);
  };
  const looks = ({ effects }: VirtualGuest) => effects.filter(({ type }) => type === 'look').length;

  it('is looked at when it is silent for the first time, and left alone when that is its habit', () => {
    let up = 90_000;
    const guest = new VirtualGuest({ ssh: (at) => (at < up ? 'timed-out' : 'ok'), press: () => [] });
    boot(guest, 60_000);
    guest.run(120_000);
    const first = looks(guest);
    expect(first).toBeGreaterThan(0);
    up = guest.now + 90_000;
    boot(guest, 60_000);
    guest.run(120_000);
    expect([looks(guest), guest.findings]).toEqual([first, []]);
    expect(guest.state.learned.kernel).toHaveLength(2);
  });

  it('teaches nothing where the watchdog slept, or did not see it begin', () => {
    const guest = new VirtualGuest({ ssh: (at) => (at < 90_000 ? 'timed-out' : 'ok'), press: () => [] });
    boot(guest, 60_000);
    guest.run(10_000).run(20_000, { asleep: true }).run(100_000);
    expect([guest.state.phase.name, guest.state.learned]).toEqual(['up', {}]);
    expect(new VirtualGuest({}).run(30_000).state.learned).toEqual({});
  });
});
