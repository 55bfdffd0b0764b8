import { describe, expect, it } from 'vitest';
import type { Look } from '../../../src/core/model.js';
import { guestStatus } from '../../../src/core/watch/status.js';
import { dead } from '../../support/panicked.js';
import {
  answers,
  BOOT,
  booted,
  golden,
  healthyFor,
  running,
  VirtualGuest,
} from '../../support/virtual-guest.js';

describe('a guest that wedges', () => {
  it('is suspected on two signals, looked at twice, captured and held', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000) })).run(60_000);
    expect(guest.path).toEqual(['starting', 'up', 'suspect', 'confirming', 'capturing', 'held']);
    expect(guest.pressed).toEqual(['8', 'w', 'h', 'w', 'h', 't', 'h', '7']);
    const [finding] = guest.findings;
    expect(finding?.analysis.verdict).toMatchObject({
      class: 'blocked',
      frame: 'filemap_fault',
      confidence: 'high',
    });
    expect(finding?.analysis.verdict.title).toMatch(
      /^pagein:109 stuck ≥5 s in page fault .* virtiofsd stopped\)$/,
    );
    expect(finding).toMatchObject({ complete: true, incompleteBecause: [] });
    expect(finding?.evidence.map(({ name, endedBy }) => `${name} ${endedBy}`)).toEqual([
      'sysrq-w.1 fence',
      'sysrq-w.2 fence',
      'sysrq-t fence',
    ]);
    expect((finding?.capturedAt ?? Infinity) - (finding?.wedgedSince ?? 0)).toBeLessThan(15_000);
  });

  it('is suspected 8 s after its last answer at the latest: a slow probe has a second one beside it', () => {
    for (let wedge = 30_000; wedge < 33_000; wedge += 500) {
      const guest = booted(new VirtualGuest({ ssh: healthyFor(wedge) })).run(60_000);
      expect(guest.findings[0]?.suspectAt ?? Infinity).toBeLessThanOrEqual(wedge + 8_000);
    }
  });

  it('waits in S with an empty w: t still tells', () => {
    const press = answers(golden('exec'));
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press })).run(60_000);
    expect(guest.findings[0]?.analysis.verdict).toMatchObject({
      class: 'waiting',
      frame: 'request_wait_answer',
    });
  });

  it('is caught before SSH ever answered', () => {
    const guest = booted(new VirtualGuest({ ssh: () => 'timed-out' })).run(60_000);
    expect(guest.path).toEqual(['starting', 'suspect', 'confirming', 'capturing', 'held']);
    expect(guest.findings).toHaveLength(1);
  });

  it('is held until SSH answers again, and that is noted', () => {
    const ssh = (at: number) => (at < 30_000 || at > 90_000 ? 'ok' : 'timed-out');
    const guest = booted(new VirtualGuest({ ssh })).run(120_000);
    expect(guest.path.slice(-4)).toEqual(['capturing', 'held', 'recovered', 'up']);
    expect(guest.findings).toHaveLength(1);
    const recovered = guest.effects.find(({ type }) => type === 'recovered');
    expect(recovered).toMatchObject({ because: 'SSH answers again' });
  });

  it('is captured at once when its kernel complains', () => {
    const guest = booted(new VirtualGuest({})).run(30_000);
    guest.lines(['[  150.0] INFO: task mount:88 blocked for more than 120 seconds.']);
    guest.run(6_000);
    expect(guest.findings).toHaveLength(1);
    expect(guest.pressed).toEqual(['8', 'w', 'h', 'w', 'h', 't', 'h', '7']);
  });

  it('is filed once for what the kernel repeats; that SSH answers, as before, is no recovery', () => {
    const guest = booted(new VirtualGuest({})).run(30_000);
    const report = (seconds: number) =>
      `[  ${seconds}.0] INFO: task mount:88 blocked for more than ${seconds} seconds.`;
    for (let turn = 1; turn < 10; turn += 1) guest.lines([report(120 * turn)], turn * 121_000);
    guest.run(20 * 60_000);
    expect(guest.findings).toHaveLength(1);
    expect(guest.path.slice(-2)).toEqual(['held', 'up']);
    expect(guest.effects.filter(({ type }) => type === 'recovered')).toEqual([]);
    guest.lines(['[ 2000.0] INFO: task umount:89 blocked for more than 120 seconds.']);
    guest.run(10_000);
    expect(guest.findings).toHaveLength(2);
  });

  it('has no incident of its second hang until that is filed', () => {
    const ssh = (at: number) => (at < 30_000 || (at > 90_000 && at < 150_000) ? 'ok' : 'timed-out');
    const guest = booted(new VirtualGuest({ ssh })).run(120_000);
    const status = () => guestStatus(guest.state, guest.settings, guest.now);
    expect(status()).toMatchObject({ state: 'up', incident: 'incident-1', busy: false });
    while (guest.state.name !== 'capturing') guest.run(500);
    expect(status()).toMatchObject({ incident: null, busy: true, lastIncident: 'incident-1' });
    guest.run(30_000);
    expect(status()).toMatchObject({ state: 'held', incident: 'incident-2', busy: false });
  });

  it('that panics is filed without a key', () => {
    const look = (at: number) => (at < 30_000 ? running : dead(at));
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), look })).run(30_000);
    guest.lines([
      '[  150.0] Kernel panic - not syncing: Fatal exception',
      '[  150.1] CPU: 0 PID: 1 Comm: init',
    ]);
    guest.run(8_000);
    expect(guest.pressed).toEqual([]);
    expect(guest.findings[0]?.analysis.verdict.class).toBe('panicked');
    expect(guest.state.name).toBe('panicked');
  });

  it('that QEMU itself keeps from answering is filed as qemu-stuck', () => {
    const look = (): Look => ({
      ...running,
      qmp: { ok: false, fault: 'main-loop-stuck', detail: 'greeted, then silent' },
    });
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), look })).run(60_000);
    expect(guest.findings[0]?.analysis.verdict.class).toBe('qemu-stuck');
    expect(guest.pressed).toEqual([]);
  });
});

describe('a guest that is not accused', () => {
  it('is silent for ever at its prompt', () => {
    const guest = booted(new VirtualGuest({})).run(3_600_000);
    expect(guest.path).toEqual(['starting', 'up']);
    expect(guest.pressed).toEqual([]);
  });

  it('loses SSH while its console goes on', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000) }));
    for (const [index, word] of 'abcdefghijklmnopqrstuvwxyz'.split('').entries())
      guest.lines([`new ${word} line`], index * 4_000);
    guest.run(80_000);
    expect(guest.path).toEqual(['starting', 'up']);
    // After a minute it is looked at all the same; what one capture shows is not enough.
    guest.run(20_000);
    expect([guest.path.at(-1), guest.findings]).toEqual(['up', []]);
  });

  it('has nothing stuck in its dumps: looked at, dropped, and looked at more rarely', () => {
    const press = answers(golden('idle'));
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press })).run(600_000);
    expect(guest.findings).toEqual([]);
    expect(guest.pressed.filter((key) => key === 't').length).toBeLessThanOrEqual(3);
    expect(guest.effects.filter(({ type }) => type === 'drop')).not.toHaveLength(0);
  });

  it('answers again between the looks; its loglevel is put back', () => {
    const ssh = (at: number) => (at < 30_000 || at > 42_500 ? 'ok' : 'refused');
    const guest = booted(new VirtualGuest({ ssh, config: 'detect: {secondLook: 20s}' })).run(90_000);
    expect(guest.findings).toEqual([]);
    expect(guest.pressed).toEqual(['8', 'w', 'h', '7']);
    expect(guest.path.slice(-2)).toEqual(['confirming', 'up']);
  });

  it('was paused through QMP', () => {
    const look = (): Look => ({ ...running, qmp: { ok: true, runState: 'paused', vcpus: [], block: null } });
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), look })).run(120_000);
    expect(guest.path.at(-1)).toBe('paused');
    expect(guest.findings).toEqual([]);
    expect(guest.pressed).toEqual([]);
  });

  it('was not seen because the watchdog slept', () => {
    const ssh = (at: number) => (at > 30_000 && at < 95_000 ? 'timed-out' : 'ok');
    const guest = booted(new VirtualGuest({ ssh })).run(31_000).run(63_000, { asleep: true }).run(60_000);
    expect(guest.path).toEqual(['starting', 'up']);
  });

  it('was not seen because the host was suspended: its wall clock tells', () => {
    const guest = booted(
      new VirtualGuest({ ssh: (at) => (at > 30_000 && at < 38_000 ? 'timed-out' : 'ok') }),
    );
    guest.run(33_000).jump(3_600_000);
    guest.run(60_000);
    expect(guest.path).toEqual(['starting', 'up']);
  });

  it('is being rebooted', () => {
    const ssh = (at: number) => (at < 30_000 || at > 50_000 ? 'ok' : 'refused');
    const guest = booted(new VirtualGuest({ ssh })).run(32_000);
    guest.lines(['[  40.0] reboot: Restarting system'], 1_000);
    guest.lines(BOOT, 6_000);
    guest.run(60_000);
    expect(guest.findings).toEqual([]);
    expect(guest.path).toEqual(['starting', 'up', 'starting', 'up']);
  });

  it('is being rebooted on a host that is so slow that its firmware needs most of a minute, and says nothing', () => {
    const ssh = (at: number) => (at < 30_000 || at > 100_000 ? 'ok' : 'timed-out');
    const guest = booted(new VirtualGuest({ ssh, press: () => [] })).run(30_000);
    guest.lines(['[  126.6] reboot: Restarting system', '[  126.6] reboot: machine restart'], 500);
    guest.lines(BOOT, 55_000);
    guest.run(120_000);
    expect(guest.findings).toEqual([]);
    expect(guest.path.filter((name) => name === 'held')).toEqual([]);
  });

  it.each([
    ['this host has no ssh', { ssh: () => 'host-fault' as const }],
    ['SSH is off', { config: 'ssh: {enabled: false}' }],
  ])('is silent and hears no keys, and %s: nobody speaks against it', (_case, script) => {
    const guest = booted(new VirtualGuest({ ...script, press: () => [] })).run(4 * 3_600_000);
    expect(guest.findings).toEqual([]);
  });

  it('cannot be probed because this host has no ssh: silence alone only looks', () => {
    const press = answers(golden('idle'));
    const guest = booted(new VirtualGuest({ ssh: () => 'host-fault', press })).run(300_000);
    expect(guest.findings).toEqual([]);
  });
});

it('catches a wedge although looks that found nothing came before', () => {
  // SSH comes and goes each minute for a quarter of an hour, then goes for good.
  const flaps = (at: number) => at < 870_000 && Math.floor(at / 30_000) % 2 === 0;
  const now = { press: answers(golden('idle')) };
  const guest = booted(
    new VirtualGuest({ ssh: (at) => (flaps(at) ? 'ok' : 'timed-out'), press: (key) => now.press(key) }),
  ).run(869_000);
  expect(guest.findings).toEqual([]);
  now.press = answers(golden('page-in'));
  expect(guest.run(60_000).findings).toHaveLength(1);
});

it('looks at most so often within the hour', () => {
  const ssh = (at: number) => (Math.floor(at / 30_000) % 2 === 0 ? ('ok' as const) : ('timed-out' as const));
  const guest = booted(new VirtualGuest({ ssh, press: answers(golden('idle')) })).run(3_500_000);
  expect(guest.effects.filter(({ type }) => type === 'open')).toHaveLength(20);
  expect(guest.findings).toEqual([]);
});

it('takes the same lines for news again after QEMU was started anew', () => {
  const quiet = ['Started OpenSSH server.', 'guest login:'];
  const guest = new VirtualGuest({});
  guest.lines(quiet);
  guest.run(60_000);
  guest.later(0, { type: 'boot', invocation: 'b', reason: 'QEMU was started' });
  guest.lines(quiet, 5_000);
  guest.run(10_000);
  expect(guest.state.console.lastProgress?.text).toBe('guest login:');
});

it('does not spend its looks of an hour on a guest that waited for a job as its SSH was lost', () => {
  const ssh = (at: number) => (at < 60_000 ? 'ok' : 'timed-out');
  const guest = booted(new VirtualGuest({ ssh, press: answers(golden('idle')) }));
  guest.lines(['[ ***  ] A start job is running for data.mount (1s / no limit)'], 50_000);
  guest.run(1_500_000);
  expect(guest.effects.filter(({ type }) => type === 'open').length).toBeLessThan(6);
});

it('a guest that begins anew in the middle of its dump has begun anew', () => {
  const press = (key: string) =>
    key === 't' ? answers(golden('page-in'))('t').slice(0, 50) : answers(golden('page-in'))(key as 'w');
  const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press })).run(30_000);
  while (!guest.pressed.includes('t')) guest.run(500);
  guest.lines(['[    0.000000] Linux version 6.1.0'], 1_000);
  guest.run(2_000);
  expect(guest.path).toContain('starting');
  expect(guest.state.name).toBe('starting');
});

it('captures at most so often within the hour', () => {
  const ssh = (at: number) => (Math.floor(at / 60_000) % 2 === 0 ? ('ok' as const) : ('timed-out' as const));
  const guest = booted(new VirtualGuest({ ssh })).run(3_000_000);
  expect(guest.findings).toHaveLength(3);
});

it('files what was proven when the guest is stopped in the middle of t', () => {
  const press = (key: string) => (key === 't' ? [] : answers(golden('page-in'))(key as 'w'));
  const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press })).run(30_000);
  while (!guest.pressed.includes('t')) guest.run(500);
  guest.later(100, { type: 'gone', reason: 'stopped' });
  guest.run(1_000);
  expect(guest.findings[0]).toMatchObject({ complete: false });
  expect(guest.findings[0]?.analysis.verdict.frame).toBe('filemap_fault');
  expect(guest.state.name).toBe('gone');
});
