import { describe, expect, it } from 'vitest';
import { guestSettings } from '../../../src/core/config/guest-settings.js';
import { parseConfig } from '../../../src/core/config/parse-config.js';
import { learn, type Learned, quietLimit } from '../../../src/core/watch/slices/quiet.js';
import type { Machine } from '../../../src/core/host/machine.js';
import { BOOT, MACHINE, VirtualGuest } from '../../support/virtual-guest.js';

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
    const guest = new VirtualGuest({
      ssh: (at) => (at < up ? 'timed-out' : 'ok'),
      press: () => [],
      machine: () => MACHINE,
    });
    boot(guest, 60_000);
    guest.run(120_000);
    const first = looks(guest);
    expect(first).toBeGreaterThan(0);
    up = guest.now + 90_000;
    boot(guest, 60_000);
    guest.run(120_000);
    expect([looks(guest), guest.findings]).toEqual([first, []]);
    expect(guest.state.qemu.learned.kernel).toHaveLength(2);
  });

  /** A guest whose boot is silent for a minute, with what guests before it have learned. */
  const slow = (machine: Machine | null, before?: VirtualGuest) => {
    const guest = new VirtualGuest({
      ssh: (at) => (at < 90_000 ? 'timed-out' : 'ok'),
      press: () => [],
      machine: () => machine,
    });
    if (before !== undefined) guest.learned = before.learned;
    boot(guest, 60_000);
    return guest.run(120_000);
  };

  it('is left alone when that is the habit of its kernel and machine, whatever its name', () => {
    const first = slow(MACHINE);
    expect(looks(first)).toBeGreaterThan(0);
    expect([...first.learned.keys()]).toEqual(['6.12.3 on q35, 4 vCPUs, 4096 MiB, kvm']);
    expect(looks(slow({ ...MACHINE, pid: 77 }, first))).toBe(0);
    expect(looks(slow({ ...MACHINE, release: '7.1.0' }, first))).toBeGreaterThan(0);
    expect(looks(slow({ ...MACHINE, model: 'q35, 4 vCPUs, 4096 MiB, tcg' }, first))).toBeGreaterThan(0);
  });

  it('is known by the release on its console, where -kernel does not name one', () => {
    const first = slow({ ...MACHINE, release: null });
    expect([...first.learned.keys()]).toEqual(['6.1.0 on q35, 4 vCPUs, 4096 MiB, kvm']);
    expect(looks(slow({ ...MACHINE, release: null }, first))).toBe(0);
  });

  it('teaches nothing where its QEMU was not found', () => {
    const guest = slow(null);
    expect([guest.learned.size, guest.state.qemu.learned]).toEqual([0, {}]);
    expect(guest.state.qemu.asked.pauseMs).toBe(60_000);
    expect(guest.effects.filter(({ type }) => type === 'identify').length).toBeLessThan(9);
  });

  it('forgets its QEMU when another is started, and asks again although it asked the old one', () => {
    const guest = new VirtualGuest({ machine: (at) => ({ ...MACHINE, pid: at < 5_000 ? 1 : 2 }) });
    guest.run(4_000);
    expect(guest.state.qemu.machine?.pid).toBe(1);
    guest.later(2_000, { type: 'boot', invocation: 'b', reason: 'QEMU was started' });
    guest.run(2_000);
    expect([guest.state.qemu.machine, guest.state.qemu.learnedFor]).toEqual([null, null]);
    guest.run(500);
    expect(guest.state.qemu.machine?.pid).toBe(2);
  });

  it('drops the answer of a QEMU that ended while it was asked for', () => {
    const guest = new VirtualGuest({ machine: (at) => ({ ...MACHINE, pid: at <= 500 ? 1 : 2 }) });
    guest.later(500.5, { type: 'boot', invocation: 'b', reason: 'QEMU was started' });
    expect(guest.run(1_000).state.qemu.machine).toBeNull();
    expect(guest.run(500).state.qemu.machine?.pid).toBe(2);
  });

  it('teaches nothing where the watchdog slept, or did not see it begin', () => {
    const guest = new VirtualGuest({ ssh: (at) => (at < 90_000 ? 'timed-out' : 'ok'), press: () => [] });
    boot(guest, 60_000);
    guest.run(10_000).run(20_000, { asleep: true }).run(100_000);
    expect([guest.state.boot.phase.name, guest.state.qemu.learned]).toEqual(['up', {}]);
    expect(new VirtualGuest({}).run(30_000).state.qemu.learned).toEqual({});
  });
});
