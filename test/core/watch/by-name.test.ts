/** A guest whose SSH greets on the port that QEMU forwards, while ssh does not know it: user and key are not known. */
import { expect, it } from 'vitest';
import { guestStatus } from '../../../src/core/watch/status.js';
import { booted, golden, answers, VirtualGuest } from '../../support/virtual-guest.js';

const idle = answers(golden('idle'));
const asked = (guest: VirtualGuest, what: string) => guest.effects.filter(({ type }) => type === what).length;
const statusOf = (guest: VirtualGuest) => guestStatus(guest.state, guest.settings, guest.now);

it('is never logged in to, and status says why and how to change that', () => {
  const guest = booted(new VirtualGuest({ way: () => 'port', press: idle })).run(3_600_000);
  expect(asked(guest, 'run-command')).toBe(0);
  const { ssh, state, evidence } = statusOf(guest);
  expect(state).toBe('up');
  expect(ssh?.way).toBe('by the port that QEMU forwards; ssh does not know vm1');
  const says = evidence.find(({ side }) => side === 'ssh');
  expect(says?.says).toMatch(
    /^answers: ok, by the port that QEMU forwards; banner ok, login not known \(ssh does not know vm1: add its Include line .*\)$/,
  );
  expect(says?.doubt).toBe('nothing is known beyond the banner');
});

it('is accused by its banner as any other', () => {
  const ssh = (at: number) => (at < 30_000 ? 'ok' : 'timed-out');
  const guest = booted(new VirtualGuest({ ssh, way: () => 'port' })).run(90_000);
  expect(guest.findings).toHaveLength(1);
});

it('is asked over no SSH where its keys fail, and the incident says why', () => {
  const guest = booted(new VirtualGuest({ way: () => 'vsock', press: () => [] }));
  guest.run(20_000);
  guest.later(0, { type: 'capture-asked', note: null, keys: null });
  guest.run(200_000);
  const rung = guest.findings[0]?.rungs.find(({ rung: name }) => name === 'sysrq-trigger');
  expect(rung).toMatchObject({
    outcome: 'skipped',
    detail: expect.stringMatching(/^ssh does not know vm1: /) as string,
  });
});

it('is logged in to once ssh knows it', () => {
  const way = (at: number) => (at < 600_000 ? ('port' as const) : null);
  const guest = booted(new VirtualGuest({ way, press: idle })).run(599_000);
  const read = asked(guest, 'read-facts');
  guest.run(70_000);
  expect(asked(guest, 'read-facts')).toBe(read + 1);
  expect(asked(guest, 'run-command')).toBeGreaterThan(0);
  expect(statusOf(guest).ssh).toMatchObject({ way: null });
  expect(statusOf(guest).ssh?.steps.map(({ says }) => says)).toEqual(['ok', 'ok', 'ok', 'ok']);
});
