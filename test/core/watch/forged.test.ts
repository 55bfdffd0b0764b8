/** What any program can print on the console: it accuses nobody, disarms nobody, and hides no real hang. */
import { describe, expect, it } from 'vitest';
import type { Look, SshProbe, SysrqKey } from '../../../src/core/model.js';
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

const MIN = 60_000;
const UP = 30_000;
/** Before the clock of the recorded kernel. */
const PANIC = '[    5.0] Kernel panic - not syncing: all fine';
const HUNG = '[  150.0] INFO: task pagein:109 blocked for more than 120 seconds.';
const LOCKUP = 'watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [spin:99]';
const OOPS = 'BUG: kernel NULL pointer dereference, address: 0000000000000010';
const idle = answers(golden('idle'));
const blocked = answers(golden('page-in'));
const idleLook = (): Look => ({ ...running, shares: [] });
const notes = ({ effects }: VirtualGuest, what: RegExp) =>
  effects.flatMap((effect) => (effect.type === 'note' && what.test(effect.text) ? [effect.text] : []));
const classes = ({ findings }: VirtualGuest) => findings.map(({ analysis }) => analysis.verdict.class);
const of = (guest: VirtualGuest, type: string) => guest.effects.filter((effect) => effect.type === type);

describe('a panic that a program prints', () => {
  it('is contradicted by an answer to a probe that began later: no look, no key, no incident', () => {
    const guest = booted(new VirtualGuest({ press: idle })).run(UP);
    guest.lines([PANIC]);
    guest.run(10_000);
    expect([classes(guest), guest.pressed, of(guest, 'look'), guest.state.name]).toEqual([[], [], [], 'up']);
    expect(notes(guest, /^contradicted/)).toEqual([
      `contradicted: the console says "${PANIC}", and SSH answers a probe that began 3 s later: nothing is filed`,
    ]);
  });

  it('is not contradicted by an answer to one that began before, nor while the kernel still prints', () => {
    const ssh = (at: number) => (at < UP + 1_500 ? 'ok' : 'timed-out');
    const guest = booted(new VirtualGuest({ ssh, look: dead, press: () => [] })).run(UP);
    guest.lines([PANIC]);
    guest.run(20_000);
    expect(classes(guest)).toEqual(['panicked']);
  });

  it('leaves the guest armed: the hang after it is caught, and is called what it is', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(5 * MIN), press: blocked })).run(UP);
    guest.lines([PANIC]);
    guest.run(5 * MIN);
    expect(classes(guest)).toEqual(['blocked']);
    expect((guest.findings[0]?.capturedAt ?? Infinity) - 5 * MIN).toBeLessThan(15_000);
  });

  it('a moment before a hang takes nothing from it: the kernel answers its keys', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(UP), press: blocked })).run(UP);
    guest.lines([PANIC]);
    guest.run(MIN);
    expect(classes(guest)).toEqual(['blocked']);
    expect(guest.findings[0]?.analysis.verdict.title).toMatch(/^pagein:109 stuck/);
  });

  it('each second for an hour costs no look, and is told six times', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(UP + 60 * MIN), press: blocked })).run(UP);
    for (let second = 0; second < 3_600; second += 1) guest.lines([PANIC], second * 1_000);
    guest.run(60 * MIN);
    expect([classes(guest), of(guest, 'look'), guest.pressed]).toEqual([[], [], []]);
    expect(notes(guest, /^contradicted/).length).toBeLessThanOrEqual(7);
    guest.run(20_000);
    expect(classes(guest)).toEqual(['blocked']);
  });

  it('in a boot that goes on is no panic', () => {
    const ssh = (at: number) => (at < MIN ? 'refused' : 'ok');
    const guest = booted(new VirtualGuest({ ssh, press: () => [], look: idleLook }));
    guest.lines([PANIC], 3_000);
    guest.lines(['[  OK  ] Reached target Basic System.'], 10_000);
    guest.run(2 * MIN);
    expect([classes(guest), guest.state.name]).toEqual([[], 'up']);
  });

  it('of a guest without SSH is refuted by the keys that it answers', () => {
    const guest = booted(new VirtualGuest({ config: 'ssh: {enabled: false}', press: idle })).run(UP);
    guest.lines([PANIC]);
    guest.run(5 * MIN);
    expect(classes(guest)).toEqual([]);
    expect(guest.pressed).toContain('t');
    expect(guest.state.name).not.toBe('panicked');
  });

  it('of a guest without SSH and without a keyboard proves nothing', () => {
    const guest = booted(new VirtualGuest({ config: 'ssh: {enabled: false}', press: () => [] })).run(UP);
    guest.lines([PANIC]);
    guest.run(10 * MIN);
    expect(classes(guest)).toEqual([]);
  });

  it('does not stay believed: SSH that answers a later probe ends it', () => {
    const ssh = (at: number) => (at > UP && at < UP + 20_000 ? 'timed-out' : 'ok');
    const guest = booted(new VirtualGuest({ ssh, look: dead, press: () => [] })).run(UP);
    guest.lines([PANIC]);
    guest.run(MIN);
    expect([classes(guest), guest.path.slice(-3)]).toEqual([['panicked'], ['panicked', 'recovered', 'up']]);
  });
});

describe('a real panic', () => {
  it('is filed as soon as SSH fails from then on and every vCPU stands', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(UP), look: dead })).run(UP);
    guest.lines([PANIC]);
    guest.run(MIN);
    expect(classes(guest)).toEqual(['panicked']);
    expect((guest.findings[0]?.capturedAt ?? Infinity) - UP).toBeLessThan(8_000);
    expect(guest.pressed).toEqual([]);
  });

  it('is filed when no key is answered, where QEMU gives no registers', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(UP), press: () => [] })).run(UP);
    guest.lines([PANIC]);
    guest.run(MIN);
    expect(classes(guest)).toEqual(['panicked']);
  });

  it('that QEMU reports itself is filed at once, of a guest without SSH too', () => {
    const qmp = { ok: true as const, runState: 'guest-panicked', vcpus: [], block: null };
    const look = (at: number): Look => (at < UP ? running : { ...running, qmp });
    const guest = booted(new VirtualGuest({ config: 'ssh: {enabled: false}', look, press: idle })).run(UP);
    guest.lines([PANIC]);
    guest.run(4_000);
    expect(classes(guest)).toEqual(['panicked']);
  });

  it('before SSH ever answered is filed once every vCPU has stood for a while', () => {
    const guest = booted(new VirtualGuest({ ssh: () => 'timed-out', look: dead, press: () => [] }));
    guest.lines([PANIC], 5_000);
    guest.run(MIN);
    expect(classes(guest)).toEqual(['panicked']);
    expect((guest.findings[0]?.capturedAt ?? Infinity) - 5_000).toBeLessThan(10_000);
  });

  it.each([1_000, 3_000])('that reboots after %s ms is filed, once, and the boot ends it', (afterMs) => {
    const ssh = (at: number) => (at < UP || at > UP + 20_000 ? 'ok' : 'timed-out');
    const guest = booted(new VirtualGuest({ ssh, press: idle })).run(UP);
    guest.lines([PANIC, '[  150.1] ---[ end Kernel panic - not syncing: all fine ]---']);
    guest.lines(BOOT, afterMs);
    guest.run(2 * MIN);
    expect([classes(guest), guest.state.name]).toEqual([['panicked'], 'up']);
  });

  it('whose reboot the console does not show is told by the clock of the next kernel', () => {
    const ssh = (at: number) => (at < UP || at > UP + 40_000 ? 'ok' : 'timed-out');
    const anew = (key: SysrqKey) => idle(key).map((line) => line.replace(/^\[ *\d+\./, '[    3.'));
    const guest = booted(new VirtualGuest({ ssh, press: anew, look: idleLook })).run(UP);
    guest.lines([PANIC.replace('   5.0', ' 150.0')]);
    guest.run(2 * MIN);
    expect([classes(guest), guest.state.name]).toEqual([['panicked'], 'up']);
  });

  it('of a QEMU that ends with its guest is filed', () => {
    const guest = booted(new VirtualGuest({ press: idle })).run(UP);
    guest.lines([PANIC]);
    guest.later(500, { type: 'gone', reason: 'its QMP socket is gone' });
    guest.run(5_000);
    expect([classes(guest), guest.state.name]).toEqual([['panicked'], 'gone']);
  });

  it('is none if the guest was shut down in good order', () => {
    const guest = booted(new VirtualGuest({ press: idle })).run(UP);
    guest.lines([PANIC]);
    guest.lines(['[  OK  ] Reached target Late Shutdown Services.', 'reboot: Restarting system'], 2_100);
    guest.lines(BOOT, 2_200);
    guest.run(MIN);
    expect(classes(guest)).toEqual([]);
  });
});

describe('a complaint that a program prints', () => {
  it.each([HUNG, LOCKUP, OOPS])('%s: SSH answers, and the dumps show nothing', (line) => {
    const guest = booted(new VirtualGuest({ press: idle, look: idleLook })).run(UP);
    guest.lines([line]);
    guest.run(MIN);
    expect([classes(guest), guest.state.name]).toEqual([[], 'up']);
    const drops = guest.effects.flatMap((effect) => (effect.type === 'drop' ? [effect.why] : []));
    expect(drops).toEqual([
      expect.stringMatching(
        /^contradicted: the console says ".*", and SSH answered a probe that began \d+ s later: nothing is filed$/,
      ),
    ]);
  });

  it('names a task, but another one is blocked for a moment', () => {
    let looks = 0;
    const press = (key: SysrqKey) => {
      if (key === 'w') looks += 1;
      return (looks % 2 === 1 ? blocked : idle)(key);
    };
    const guest = booted(new VirtualGuest({ press, look: idleLook })).run(UP);
    guest.lines([HUNG]);
    guest.run(MIN);
    expect(classes(guest)).toEqual([]);
  });

  it('each second for an hour leads to a few captures, and to no incident; the hang after it is filed', () => {
    const wedge = UP + 60 * MIN;
    const press = (key: SysrqKey, at: number) => (at < wedge ? idle : blocked)(key);
    const guest = booted(new VirtualGuest({ ssh: healthyFor(wedge), press, look: idleLook })).run(UP);
    for (let second = 0; second < 3_590; second += 1)
      guest.lines([[HUNG, LOCKUP, OOPS][second % 3]?.replace('88', String(second)) ?? ''], second * 1_000);
    guest.run(60 * MIN);
    expect(classes(guest)).toEqual([]);
    expect(guest.pressed.filter((key) => key === 't').length).toBeLessThanOrEqual(13);
    guest.run(30_000);
    expect(classes(guest)).toEqual(['blocked']);
    expect((guest.findings[0]?.capturedAt ?? Infinity) - wedge).toBeLessThan(15_000);
  });

  it('does not keep a real one from being looked into for long', () => {
    const press = (key: SysrqKey, at: number) => (at < UP + 20_000 ? idle : blocked)(key);
    const guest = booted(new VirtualGuest({ press, look: idleLook })).run(UP);
    guest.lines([LOCKUP]);
    guest.lines([HUNG], 20_000);
    guest.run(3 * MIN);
    expect(classes(guest)).toEqual(['blocked']);
  });

  it('of a guest without SSH is dropped if no dump shows it', () => {
    const guest = booted(new VirtualGuest({ config: 'ssh: {enabled: false}', press: idle })).run(UP);
    guest.lines([HUNG]);
    guest.run(MIN);
    expect(classes(guest)).toEqual([]);
  });
});

describe('a complaint of the kernel itself', () => {
  it('is filed where the dumps show a task that stands still, though SSH answers', () => {
    const guest = booted(new VirtualGuest({ press: blocked, look: idleLook })).run(UP);
    guest.lines([HUNG]);
    guest.run(MIN);
    expect(classes(guest)).toEqual(['blocked']);
  });

  it('of a task that no dump shows is not filed for another one that is blocked', () => {
    const guest = booted(new VirtualGuest({ press: blocked, look: idleLook })).run(UP);
    guest.lines([HUNG.replace('pagein:109', 'mount:88')]);
    guest.run(MIN);
    expect(classes(guest)).toEqual([]);
  });

  it('of a lockup is filed where a vCPU does not leave the kernel', () => {
    const look = (at: number): Look => (at < UP ? idleLook() : dead(at));
    const guest = booted(new VirtualGuest({ press: idle, look })).run(UP);
    guest.lines([LOCKUP]);
    guest.run(MIN);
    expect(guest.findings).toHaveLength(1);
  });

  it('of an oops is filed where SSH no longer answers', () => {
    const ssh = healthyFor(UP);
    const guest = booted(new VirtualGuest({ ssh, press: idle, look: idleLook })).run(UP);
    guest.lines([OOPS]);
    guest.run(MIN);
    expect(guest.findings).toHaveLength(1);
  });

  it('uses up nothing of what a hang may need within the hour', () => {
    const ssh = (at: number): SshProbe['kind'] => (at < 50 * MIN ? 'ok' : 'timed-out');
    const guest = booted(new VirtualGuest({ ssh, press: blocked, look: idleLook })).run(UP);
    // What is said of the same stack sooner is of the same hang.
    for (let n = 0; n < 4; n += 1) guest.lines([HUNG.replace('pagein', 'abcd'.charAt(n))], n * 11 * MIN);
    guest.run(45 * MIN);
    expect(guest.findings).toHaveLength(3);
    guest.run(15 * MIN);
    expect(guest.findings).toHaveLength(4);
  });
});
