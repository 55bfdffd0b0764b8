/** Deadlines that passed while this host was late: unknown, and nobody's fault. */
import { describe, expect, it } from 'vitest';
import type { Look, SshProbe } from '../../../src/core/model.js';
import { guestStatus } from '../../../src/core/watch/status.js';
import { commandAsked, commandEnded, noCommand, stepCame } from '../../../src/core/watch/slices/command.js';
import { lateBy, tellLate, unknownHost } from '../../../src/core/watch/slices/host.js';
import { answers, booted, golden, healthyFor, running, VirtualGuest } from '../../support/virtual-guest.js';

const FROM = 30_000;
const idle = answers(golden('idle'));
const notes = ({ effects }: VirtualGuest) =>
  effects.flatMap((effect) => (effect.type === 'note' ? [effect.text] : []));
const fails =
  (until: number) =>
  (at: number): SshProbe['kind'] =>
    at >= FROM && at < until ? 'timed-out' : 'ok';
const silentQemu =
  (late: (at: number) => boolean) =>
  (at: number): Look => {
    const qmp = { ok: false as const, fault: 'main-loop-stuck' as const, detail: 'silent' };
    return { ...running, qmp: { ...qmp, ...(late(at) && { late: true as const }) } };
  };

describe('a probe that was given up on a late host', () => {
  it('is no failure: the guest stays up, and the host is named', () => {
    const guest = booted(new VirtualGuest({ ssh: fails(120_000), late: () => true, press: idle }));
    guest.run(119_000);
    expect(guest.state.ssh).toMatchObject({ failures: 0 });
    expect([guest.path, guest.findings]).toEqual([['starting', 'up'], []]);
    expect(notes(guest).filter((text) => text.startsWith('this host was late'))).toEqual([
      'this host was late, and accuses nobody: an SSH probe is void (timed-out)',
      'this host was late, and accuses nobody: an SSH probe is void (timed-out)',
    ]);
    const late = (at: number) => at < 60_000;
    const later = booted(new VirtualGuest({ ssh: healthyFor(FROM), late })).run(58_000);
    expect(later.findings).toEqual([]);
    later.run(20_000);
    expect(later.findings.map(({ analysis }) => analysis.verdict.class)).toEqual(['blocked']);
  });

  it('neither confirms a panic that a program printed, nor contradicts it', () => {
    const guest = booted(new VirtualGuest({ ssh: fails(50_000), late: () => true, press: idle })).run(FROM);
    guest.lines(['[    5.0] Kernel panic - not syncing: all fine'], 100);
    guest.run(15_000);
    expect([guest.state.claims.panic?.failed, guest.findings]).toEqual([0, []]);
    guest.run(20_000);
    expect(guest.state.claims.panic).toBeNull();
  });
});

describe('a look that failed on a late host', () => {
  it('is no look: QEMU is asked again, and the guest is captured once it answers', () => {
    const look = (at: number) => (at < 41_000 ? silentQemu(() => true)(at) : running);
    const guest = booted(new VirtualGuest({ ssh: healthyFor(FROM), look })).run(60_000);
    expect(guest.path).not.toContain('qemu-stuck');
    expect(guest.findings.map(({ analysis }) => analysis.verdict.class)).toEqual(['blocked']);
    expect(notes(guest)).toContain('this host was late, and accuses nobody: a look is void (silent)');
  });

  it('never calls QEMU stuck, however long that lasts', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(FROM), look: silentQemu(() => true) }));
    guest.run(180_000);
    expect(guest.path).not.toContain('qemu-stuck');
  });

  it('does not hide a QEMU that is stuck', () => {
    const look = silentQemu((at) => at < 42_000);
    const guest = booted(new VirtualGuest({ ssh: healthyFor(FROM), look })).run(70_000);
    expect(guest.findings.map(({ analysis }) => analysis.verdict.class)).toEqual(['qemu-stuck']);
  });
});

describe('a command over SSH', () => {
  const asked = () => {
    const command = noCommand();
    commandAsked(command, 0);
    stepCame(command, 'connect', 0);
    return command;
  };
  const { settings } = new VirtualGuest();

  it('that was given up on a late host tells nothing, and the next one is sent in its time', () => {
    const command = asked();
    const result = { kind: 'timed-out', step: 'command', detail: '', tookMs: 9, late: true } as const;
    expect(commandEnded(command, result, { settings: settings.ssh, at: 180_000 })).toBeNull();
    expect(command).toMatchObject({ inFlight: false, startedAt: null, hangs: 0, last: null });
  });

  it('is given the time that the watchdog was late by', () => {
    const step = (lateMs: number) => {
      const guest = booted(new VirtualGuest({ command: (at) => (at < 60_000 ? Infinity : 400) })).run(12_000);
      for (let n = 0; n < 12; n += 1) guest.run(500).run(lateMs, { asleep: true });
      return guest.state.command.hangsSince;
    };
    expect(step(0)).toBeNull();
    expect(step(1_500)).toBeNull();
  });
});

it('a tick is late by what it comes after its time', () => {
  const host = { ...unknownHost(), lastTickAt: 1_000 };
  expect([lateBy(host, 1_500), lateBy(host, 1_700), lateBy(host, 2_500)]).toEqual([0, 0, 1_000]);
  expect([tellLate(host, 5), tellLate(host, 6), tellLate(host, 70_000)]).toEqual([true, false, true]);
});

it('status says of the host that it was late', () => {
  const guest = booted(
    new VirtualGuest({ ssh: fails(60_000), late: () => true, host: () => ({ io: 1 }) }),
  ).run(50_000);
  const { evidence } = guestStatus(guest.state, guest.settings, guest.now);
  expect(evidence.find(({ side }) => side === 'host')?.says).toMatch(/; it was late itself \d s ago$/);
});
