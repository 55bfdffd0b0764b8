/** Guests of whose console not one line was read. */
import { expect, it } from 'vitest';
import type { Look } from '../../../src/core/model.js';
import { guestStatus } from '../../../src/core/watch/status.js';
import { BOOT, healthyFor, MACHINE, running, VirtualGuest } from '../../support/virtual-guest.js';

const WEDGE = 60_000;
const unread = () => ({ why: 'vm1.service has logged nothing', fix: 'give QEMU -serial mon:stdio' });
const look = (): Look => ({ ...running, shares: [] });
const silent = () => [];

it('is blind, with reason and fix, although its SSH answers; and is not said to hear no keys', () => {
  const guest = new VirtualGuest({ unread, press: silent, look }).run(15_000);
  expect(guestStatus(guest.state, guest.settings, guest.now).class).toBe('healthy');
  guest.run(45_000);
  expect(guestStatus(guest.state, guest.settings, guest.now)).toMatchObject({
    state: 'up',
    class: 'blind',
    reasons: [
      'not one line of its console was read in this boot: vm1.service has logged nothing',
      'SSH answers',
    ],
    blind: { fix: 'give QEMU -serial mon:stdio' },
  });
  expect(guestStatus(guest.state, guest.settings, guest.now).armed ?? '').not.toMatch(/brings no HELP/);
});

it('no verdict blames it for what the host did not read', () => {
  const guest = new VirtualGuest({ unread, ssh: healthyFor(WEDGE), press: silent, look }).run(180_000);
  const [finding, ...more] = guest.findings;
  expect(more).toEqual([]);
  const { verdict } = finding!.analysis;
  expect(verdict.class).toBe('unknown');
  expect(verdict.title).toMatch(
    /could not be seen: not one line of its console was read in this boot: vm1\.service has logged nothing$/,
  );
  expect(
    JSON.stringify([verdict, finding?.incompleteBecause, finding?.rungs.map(({ detail }) => detail)]),
  ).not.toMatch(/PS\/2|kernel\.sysrq|the guest gives/);
  expect(verdict.reasons).toContain('To see it: give QEMU -serial mon:stdio');
});

it('its silence is no signal: SSH that is away for less than half a minute brings no look', () => {
  const ssh = (at: number) => (at > WEDGE && at < WEDGE + 25_000 ? 'timed-out' : 'ok');
  const guest = new VirtualGuest({ unread, ssh, press: silent, look }).run(180_000);
  expect(guest.pressed.filter((key) => key === 'w')).toEqual([]);
});

it('that never answered SSH either is accused of nothing', () => {
  const guest = new VirtualGuest({ unread, ssh: () => 'refused', press: silent, look }).run(900_000);
  expect([guest.findings, guest.pressed]).toEqual([[], []]);
  expect(guestStatus(guest.state, guest.settings, guest.now).class).toBe('blind');
});

it('is seen from its first line on', () => {
  const guest = new VirtualGuest({ unread: (at) => (at < WEDGE ? unread() : null), look });
  guest.lines(BOOT, WEDGE);
  guest.run(2 * WEDGE);
  expect(guestStatus(guest.state, guest.settings, guest.now)).toMatchObject({
    class: 'healthy',
    blind: null,
  });
});

it('a boot that says its first word after seconds is learned from, as any other', () => {
  const guest = new VirtualGuest({
    unread: (at) => (at < 4_000 ? unread() : null),
    ssh: (at) => (at < 20_000 ? 'timed-out' : 'ok'),
    machine: () => MACHINE,
    look,
  });
  guest.later(0, { type: 'boot', invocation: '1', reason: 'QEMU was started' });
  guest.lines(['SeaBIOS (version 1.16.3)', ...BOOT], 4_000);
  guest.run(40_000);
  expect(guest.state.qemu.learned.firmware?.[0]).toBeGreaterThanOrEqual(3_500);
});
