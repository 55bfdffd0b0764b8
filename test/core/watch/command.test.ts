/** Guests whose SSH greets out of memory: what a command that hangs tells, and what it must not. */
import { describe, expect, it } from 'vitest';
import type { Look } from '../../../src/core/model.js';
import { guestStatus } from '../../../src/core/watch/status.js';
import { answers, booted, golden, running, VirtualGuest } from '../../support/virtual-guest.js';

const WEDGE = 30_000;
const idle = answers(golden('idle'));
const blocked = answers(golden('page-in'));
const waiting = answers(golden('exec'));
const noShares = (): Look => ({ ...running, shares: [] });
const hangsFrom =
  (from: number, until = Infinity) =>
  (at: number) =>
    at < from || at >= until ? 400 : Infinity;
const statusOf = (guest: VirtualGuest) => guestStatus(guest.state, guest.settings, guest.now);
const asked = (guest: VirtualGuest) => guest.effects.filter(({ type }) => type === 'run-command').length;
const titles = (guest: VirtualGuest) => guest.findings.map(({ analysis }) => analysis.verdict.title);

describe('a guest whose disk is dead, and whose server greets', () => {
  it('is filed, with the steps as its reason, where the server of its share is dead', () => {
    const guest = booted(new VirtualGuest({ command: hangsFrom(WEDGE), press: waiting })).run(150_000);
    expect(guest.findings).toHaveLength(1);
    const [finding] = guest.findings;
    expect(finding?.why[0]).toBe('ssh: banner ok, login ok, command has hung for 15 s');
    expect(finding?.analysis.verdict.class).toBe('waiting');
    expect((finding?.capturedAt ?? Infinity) - WEDGE).toBeLessThan(90_000);
    expect(finding?.wedgedSince).toBeGreaterThanOrEqual(WEDGE);
    expect(statusOf(guest)).toMatchObject({ state: 'held', class: 'waiting', ssh: { kind: 'ok' } });
    expect(statusOf(guest).ssh?.steps.map(({ says }) => says)).toEqual(['ok', 'ok', 'ok', 'hangs']);
  });

  it('is filed once a second capture shows the same stack, where nothing else is known', () => {
    const guest = booted(new VirtualGuest({ command: hangsFrom(WEDGE), press: blocked, look: noShares }));
    guest.run(200_000);
    expect(guest.findings).toHaveLength(1);
    expect(guest.findings[0]?.analysis.verdict.reasons[0]).toMatch(/^A capture \d+ s earlier showed/);
  });

  it('is asked at once when its console falls silent', () => {
    const guest = booted(new VirtualGuest({ command: hangsFrom(100_000), press: waiting }));
    for (let at = 0; at < 110_000; at += 2_000) guest.lines([`at ${'x'.repeat(at / 1_000 + 1)}`], at);
    guest.run(150_000);
    expect((guest.findings[0]?.capturedAt ?? Infinity) - 110_000).toBeLessThan(35_000);
  });

  it('recovers when a command runs again, and not because its server greets', () => {
    const guest = booted(new VirtualGuest({ command: hangsFrom(WEDGE, 250_000), press: waiting }));
    guest.run(249_000);
    expect(guest.state.name).toBe('held');
    guest.run(60_000);
    expect(guest.path.slice(-3)).toEqual(['held', 'recovered', 'up']);
    const because = 'a command over SSH works again';
    expect(guest.effects.find(({ type }) => type === 'recovered')).toMatchObject({ because });
    expect(guest.findings).toHaveLength(1);
  });

  it('piles nothing up in ten hours: one command is out at a time, then ever longer pauses', () => {
    const guest = booted(new VirtualGuest({ command: hangsFrom(WEDGE), press: idle })).run(36_000_000);
    expect(asked(guest)).toBeLessThan(20);
    expect(titles(guest)).toEqual([]);
    expect(statusOf(guest)).toMatchObject({ state: 'up', class: 'suspect' });
    expect(statusOf(guest).reasons[0]).toMatch(/^ssh: banner ok, login ok, command has hung for 9 h/);
  });

  it('is filed as unknown after three minutes where nobody can look into it', () => {
    const guest = booted(new VirtualGuest({ command: hangsFrom(WEDGE), press: () => [], look: noShares }));
    guest.run(400_000);
    expect(titles(guest)).toEqual([expect.stringMatching(/^commands over SSH have hung for 3 min/)]);
  });
});

describe('no incident', () => {
  it.each([40_000, 60_000])(
    'a guest that takes %d ms for a command: it is looked at once, then known to be slow',
    (ms) => {
      const guest = booted(new VirtualGuest({ command: (at) => (at < WEDGE ? 400 : ms), press: idle }));
      guest.run(900_000);
      expect(titles(guest)).toEqual([]);
      expect(guest.path.filter((name) => name === 'suspect')).toHaveLength(1);
      expect(statusOf(guest).class).toBe('healthy');
    },
  );

  it('a slow guest in which something is blocked in one look, and not in the next', () => {
    let looks = 0;
    const press = (key: Parameters<typeof idle>[0]) => {
      if (key === 'w') looks += 1;
      return (looks % 2 === 1 ? blocked : idle)(key);
    };
    const command = (at: number) => (at < WEDGE ? 400 : 100_000);
    expect(titles(booted(new VirtualGuest({ command, press, look: noShares })).run(600_000))).toEqual([]);
  });

  it('a guest without credentials: the steps end at the banner, and that is said', () => {
    const guest = booted(new VirtualGuest({ command: () => null, press: idle })).run(3_600_000);
    expect(titles(guest)).toEqual([]);
    expect(asked(guest)).toBeLessThan(8);
    const ssh = statusOf(guest).evidence.find(({ side }) => side === 'ssh');
    expect(ssh?.says).toMatch(/banner ok, login failed .*Permission denied/);
    expect(ssh?.doubt).toBe('nothing is known beyond the banner');
  });

  it('a paused guest, while its command was out', () => {
    const paused = (at: number) => at > 100_000 && at < 300_000;
    const guest = booted(
      new VirtualGuest({
        ssh: (at) => (paused(at) ? 'timed-out' : 'ok'),
        command: (at) => (paused(at + 2_000) ? Infinity : 400),
        look: (at) => ({
          ...running,
          qmp: { ok: true, runState: paused(at) ? 'paused' : 'running', vcpus: [], block: null },
        }),
        press: idle,
      }),
    ).run(600_000);
    expect(titles(guest)).toEqual([]);
    expect(guest.pressed).toEqual([]);
  });

  it('logs in about once a minute, and not at all where that is off', () => {
    expect(asked(booted(new VirtualGuest({ press: idle })).run(3_600_000))).toBeLessThanOrEqual(61);
    const off = booted(new VirtualGuest({ config: 'ssh: {login: false}', press: idle })).run(600_000);
    expect(asked(off)).toBe(0);
    expect(statusOf(off).evidence.find(({ side }) => side === 'ssh')?.says).toMatch(/ssh\.login is off/);
  });

  it('the lines of a second login are no news', () => {
    const guest = booted(new VirtualGuest({ press: idle })).run(20_000);
    const login = (turn: number) => [
      `[  OK  ] Started session-${turn}.scope - Session ${turn} of User root.`,
      `sshd[${900 + turn}]: Accepted publickey for root from 10.0.2.2 port ${40_000 + turn} ssh2: ED25519 SHA256:abcDEF`,
    ];
    guest.lines(login(1));
    guest.run(5_000);
    const { quietSince } = guest.state.console;
    guest.lines(login(2));
    guest.run(5_000);
    expect(guest.state.console.quietSince).toBe(quietSince);
  });
});
