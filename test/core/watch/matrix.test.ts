/** The scenarios that real guests are put through, in virtual time: class, incident or none, and when. */
import { describe, expect, it } from 'vitest';
import type { CpuSample, Look, SysrqKey } from '../../../src/core/model.js';
import { assess } from '../../../src/core/watch/assess.js';
import { memoryAt, recordedTasks } from '../../support/memory-dumps.js';
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
import { keptFromRunning } from '../../support/starving.js';

const WEDGE = 30_000;
const idle = answers(golden('idle'));
const pageIn = answers(golden('page-in'));
const kept = keptFromRunning(idle);
const resting = recordedTasks('idle');
const spinner = (second: number) => `[ ***  ] A start job is running for data.mount (${second}s / no limit)`;

/** A QEMU whose vCPU runs all the time, or never; its disk does so many requests a second. */
const load =
  ({ busy = false, requests = 0, samples = [] as CpuSample[] }) =>
  (at: number): Look => ({
    ...running,
    shares: [{ tag: 'store', socket: '/s', server: { pid: 7, comm: 'virtiofsd', state: 'S' } }],
    qmp: {
      ok: true,
      runState: 'running',
      vcpus: [{ index: 0, threadId: 9, cpuMs: busy ? at : 0, samples }],
      block: { reads: Math.floor((at / 1000) * requests), writes: 0 },
    },
  });

/** A QEMU that this signal or debugger keeps from running. */
const halted = (state: string) => (): Look => ({
  ...running,
  qemu: { pid: 1, state },
  qmp: { ok: false, fault: 'no-greeting', detail: 'no greeting' },
});

/** Four samples of registers, each at `pc`. */
const at = (...pcs: string[]): CpuSample[] =>
  Array.from({ length: 4 }, (_, index) => ({
    pc: pcs[index % pcs.length] ?? '',
    halted: false,
    user: true,
    masked: false,
  }));

/** Blocked in one look, not in the next. */
function slow(): (key: SysrqKey) => string[] {
  let looks = 0;
  return (key) => {
    if (key === 'w') looks += 1;
    return (looks % 2 === 1 ? pageIn : idle)(key);
  };
}

const classOf = (guest: VirtualGuest) => assess(guest.state, guest.settings, guest.now).class;
const sides = (guest: VirtualGuest) =>
  assess(guest.state, guest.settings, guest.now).evidence.map(({ side }) => side);

/** One incident of that class, archived so many milliseconds after the wedge at the latest. */
function expectIncident(guest: VirtualGuest, kind: string, withinMs: number): void {
  expect(guest.findings.map(({ analysis }) => analysis.verdict.class)).toEqual([kind]);
  expect((guest.findings[0]?.capturedAt ?? Infinity) - WEDGE).toBeLessThanOrEqual(withinMs);
  expect(sides(guest)).toEqual(['console', 'ssh', 'qemu', 'host']);
}

function expectNone(guest: VirtualGuest, kind: string): void {
  expect(guest.findings.map(({ analysis, why }) => [analysis.verdict.title, why])).toEqual([]);
  expect(classOf(guest)).toBe(kind);
  expect(sides(guest)).toEqual(['console', 'ssh', 'qemu', 'host']);
}

describe('an incident', () => {
  it('page-in on a dead share, of a guest that was up', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(WEDGE), press: pageIn })).run(60_000);
    expectIncident(guest, 'blocked', 12_500);
    expect(classOf(guest)).toBe('blocked');
  });

  it('page-in before SSH ever answered', () => {
    const guest = booted(new VirtualGuest({ ssh: () => 'timed-out', press: pageIn })).run(60_000);
    expectIncident(guest, 'blocked', 0);
  });

  it('exec with an empty w', () => {
    const press = answers(golden('exec'));
    expectIncident(
      booted(new VirtualGuest({ ssh: healthyFor(WEDGE), press })).run(60_000),
      'waiting',
      12_500,
    );
  });

  it('exec of a guest without SSH: the second capture proves what the first could not', () => {
    const press = answers(golden('exec'));
    const guest = booted(new VirtualGuest({ config: 'ssh: {enabled: false}', press })).run(120_000);
    expectIncident(guest, 'waiting', 40_000);
    expect(guest.findings[0]?.analysis.verdict.reasons[0]).toMatch(
      /^A capture \d+ s earlier showed .* same stack/,
    );
  });

  it('a wedge behind a start-job spinner', () => {
    const guest = booted(new VirtualGuest({ ssh: () => 'timed-out', press: pageIn }));
    for (let second = 1; second < 90; second += 1) guest.lines([spinner(second)], second * 1_000);
    expectIncident(guest.run(90_000), 'blocked', 0);
    expect(guest.findings[0]?.awaiting).toMatch(/^data\.mount \(\d+s \/ no limit\)$/);
  });

  it('every CPU taken by a real-time loop: the registers prove it', () => {
    const look = load({ busy: true, samples: at('55d3c0a01139', '55d3c0a0113c') });
    const guest = booted(new VirtualGuest({ ssh: healthyFor(WEDGE), press: kept, look })).run(60_000);
    expectIncident(guest, 'spinning', 15_000);
    expect(guest.findings[0]?.analysis.verdict.reasons[1]).toMatch(/they loop/);
  });

  it('a userspace livelock with a chatty console', () => {
    const look = load({ busy: true, samples: at('7f0000001000', '7f0000333000', '55d3c0a01139') });
    const guest = booted(new VirtualGuest({ ssh: healthyFor(WEDGE), press: kept, look }));
    guest.lines(['foo.service: Scheduled restart job, restart counter is at 1.'], 1_000);
    for (let second = 2; second < 120; second += 1)
      guest.lines([`foo.service: Scheduled restart job, restart counter is at ${second}.`], second * 1_000);
    expectIncident(guest.run(120_000), 'userspace', 75_000);
  });

  it('a panic: no key is pressed', () => {
    const look = (now: number) => (now < WEDGE ? running : dead(now));
    const guest = booted(new VirtualGuest({ ssh: healthyFor(WEDGE), look })).run(WEDGE);
    guest.lines(['[  150.0] Kernel panic - not syncing: Fatal exception']);
    expectIncident(guest.run(10_000), 'panicked', 7_000);
    expect(guest.pressed).toEqual([]);
  });

  it('a kernel complaint, at once', () => {
    const guest = booted(new VirtualGuest({ press: pageIn })).run(WEDGE);
    guest.lines(['[  150.0] INFO: task mount:88 blocked for more than 120 seconds.']);
    expectIncident(guest.run(10_000), 'blocked', 6_000);
  });

  it('an emergency shell, with what failed', () => {
    const guest = booted(new VirtualGuest({ ssh: () => 'refused', press: idle })).run(WEDGE);
    guest.lines([
      '[FAILED] Failed to mount /data.',
      '[DEPEND] Dependency failed for Local File Systems.',
      'You are in emergency mode. After logging in, type "journalctl -xb" to view',
    ]);
    guest.run(20_000);
    expectIncident(guest, 'userspace', 3_000);
    expect(guest.findings[0]?.analysis.verdict.title).toMatch(
      /^the boot gave up \(You are in emergency mode.*\): Failed to mount \/data\.$/,
    );
  });

  it('a boot that waits for a job without limit, and does nothing else', () => {
    const guest = booted(new VirtualGuest({ ssh: () => 'refused', press: idle, look: load({}) }));
    for (let second = 1; second < 900; second += 1) guest.lines([spinner(second)], second * 1_000);
    guest.run(400_000);
    expectNone(guest, 'userspace');
    guest.run(500_000);
    expect(guest.findings.map(({ analysis }) => analysis.verdict.title)).toEqual([
      expect.stringMatching(
        /^systemd waits for data\.mount \(\d+s \/ no limit\); no task of the kernel is stuck$/,
      ),
    ]);
  });

  it('a QEMU that was stopped by a signal, and forgotten: memory is all the evidence there is, and whole', () => {
    const guest = booted(
      new VirtualGuest({
        ssh: healthyFor(WEDGE),
        look: halted('T'),
        memory: (at) => memoryAt(resting, at, { since: null }),
      }),
    ).run(300_000);
    expectIncident(guest, 'paused', 80_000);
    expect(guest.findings[0]?.analysis.verdict.title).toMatch(
      /^QEMU itself \(pid 1\) has been stopped by a signal for \d+ s: kill -CONT 1 lets the guest run again$/,
    );
    expect(guest.findings[0]?.complete).toBe(true);
    expect(guest.pressed).toEqual([]);
  });

  it('a QEMU that greets and then answers nothing', () => {
    const look = (): Look => ({ ...running, qmp: { ok: false, fault: 'main-loop-stuck', detail: 'silent' } });
    expectIncident(
      booted(new VirtualGuest({ ssh: healthyFor(WEDGE), look })).run(60_000),
      'qemu-stuck',
      15_000,
    );
  });
});

describe('no incident', () => {
  it('paused through QMP', () => {
    const look = (): Look => ({ ...running, qmp: { ok: true, runState: 'paused', vcpus: [], block: null } });
    expectNone(booted(new VirtualGuest({ ssh: healthyFor(WEDGE), look })).run(120_000), 'paused');
  });

  it.each([
    ['stopped by a signal for a moment', 'T', 80_000],
    ['held by a debugger', 't', 600_000],
  ])('QEMU %s', (_, state, ms) => {
    expectNone(booted(new VirtualGuest({ ssh: healthyFor(WEDGE), look: halted(state) })).run(ms), 'paused');
  });

  it('a reboot loop', () => {
    const guest = new VirtualGuest({ ssh: () => 'refused', press: idle });
    for (let turn = 0; turn < 20; turn += 1)
      guest.lines(['SeaBIOS (version 1.16)', ...BOOT, `unit ${turn} failed`], turn * 35_000);
    expectNone(guest.run(700_000), 'booting');
  });

  it('a slow silent boot of 90 s that comes good', () => {
    const guest = new VirtualGuest({ ssh: (now) => (now < 100_000 ? 'timed-out' : 'ok'), press: idle });
    guest.lines(BOOT.slice(0, 2));
    guest.lines(['Started OpenSSH server.'], 92_000);
    expectNone(guest.run(200_000), 'healthy');
  });

  it('idle for ten minutes: nothing is pressed', () => {
    const guest = booted(new VirtualGuest({})).run(600_000);
    expectNone(guest, 'healthy');
    expect(guest.pressed).toEqual([]);
  });

  it('three minutes of silence under load, as of fsck: its disk moves', () => {
    const press = (key: SysrqKey) => pageIn(key);
    const look = load({ requests: 300 });
    const guest = booted(new VirtualGuest({ ssh: (now) => (now < 190_000 ? 'refused' : 'ok'), press, look }));
    expectNone(guest.run(240_000), 'healthy');
  });

  it.each([
    ['idle', { look: load({}) }],
    ['working', { look: load({ busy: true, requests: 300 }) }],
    ['hit by a slow disk', { press: slow(), look: load({ requests: 300 }) }],
  ])('a network cable that is pulled, with a live console: %s', (_what, script) => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(WEDGE), press: idle, ...script }));
    const words = Array.from({ length: 60 }, (_, index) =>
      String.fromCharCode(97 + (index % 26)).repeat(index + 3),
    );
    words.forEach((word, index) => guest.lines([`the job is at ${word}`], index * 5_000));
    guest.run(300_000);
    expect(guest.findings.map(({ analysis }) => analysis.verdict.title)).toEqual([]);
    expect(classOf(guest)).toMatch(/network-only|suspect|blocked/);
  });

  it('a network cable that is pulled from an idle guest: it says what is lost', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(WEDGE), press: idle, look: load({}) })).run(
      90_000,
    );
    expectNone(guest, 'network-only');
  });

  it('a task that was blocked in the second look only', () => {
    let looks = 0;
    const press = (key: SysrqKey) => {
      if (key === 'w') looks += 1;
      return (looks === 2 ? pageIn : idle)(key);
    };
    const ssh = (now: number) => (now > WEDGE && now < 50_000 ? 'timed-out' : 'ok');
    expectNone(booted(new VirtualGuest({ ssh, press, look: load({}) })).run(120_000), 'healthy');
    expect(looks).toBe(2);
  });

  it('a watchdog that was stopped for a minute', () => {
    const ssh = (now: number) => (now > WEDGE && now < 95_000 ? 'timed-out' : 'ok');
    const guest = booted(new VirtualGuest({ ssh })).run(31_000).run(63_000, { asleep: true }).run(60_000);
    expectNone(guest, 'healthy');
    expect(guest.pressed).toEqual([]);
  });

  it('a guest that is short of disk together with its host', () => {
    const guest = booted(
      new VirtualGuest({ ssh: healthyFor(WEDGE), press: pageIn, host: () => ({ io: 95 }) }),
    );
    expectNone(guest.run(50_000), 'host-starved');
  });
});
