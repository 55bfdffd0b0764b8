/** Each slice by itself: what its writers keep, and what they forget. */
import { describe, expect, it } from 'vitest';
import type { SshProbe } from '../../../src/core/model.js';
import { bootBegins, continuesBoot, noBoot } from '../../../src/core/watch/slices/boot.js';
import { commandAsked, commandBoots, noCommand } from '../../../src/core/watch/slices/command.js';
import { consoleBoots, newConsole, readLine } from '../../../src/core/watch/slices/console.js';
import {
  archived,
  filingsBoot,
  handedIn,
  isRepeated,
  nothingFiled,
} from '../../../src/core/watch/slices/filings.js';
import {
  coolDown,
  countFiled,
  judged,
  lookAgain,
  lookSoon,
  moreSlowly,
  release,
  secondLookMs,
  takeLook,
  unrestrained,
} from '../../../src/core/watch/slices/restraint.js';
import {
  failuresAreVoid,
  notAsked,
  probeCame,
  sshBoots,
  type SshState,
} from '../../../src/core/watch/slices/ssh.js';
import { VirtualGuest } from '../../support/virtual-guest.js';

const { settings } = new VirtualGuest();
const MIN = 60_000;
const STOOD = { key: 'k', since: 1, switches: null, ran: false };
const JUDGED = { at: 1, class: 'none', title: 't' } as const;

describe('the restraint', () => {
  const spent = () => {
    const restraint = unrestrained();
    takeLook(restraint, settings.capture, { at: 1_000, beside: false });
    countFiled(restraint, { at: 2_000, beside: false });
    coolDown(restraint, settings.detect, 2_000);
    moreSlowly(restraint);
    judged(restraint, JUDGED, STOOD);
    return restraint;
  };

  it('is released but for the counts of the hour', () => {
    const restraint = spent();
    expect(restraint).toEqual({
      ...{
        looks: [1_000],
        filed: [2_000],
        complained: [],
        notBefore: 122_000,
        cooldownMs: 120_000,
        patience: 1,
      },
      ...{ stood: STOOD, judged: JUDGED },
    });
    release(restraint);
    expect(restraint).toEqual({ ...unrestrained(), looks: [1_000], filed: [2_000] });
  });

  it('cools down for twice as long each time, up to half an hour, and not beyond a moment that is to come', () => {
    const restraint = unrestrained();
    const pauses = [1, 2, 3, 4, 5, 6].map((at) => {
      coolDown(restraint, settings.detect, at);
      return (restraint.notBefore - at) / MIN;
    });
    expect(pauses).toEqual([2, 4, 8, 16, 30, 30]);
    coolDown(restraint, settings.detect, 10, 5_000);
    expect(restraint.notBefore).toBe(5_000);
    coolDown(restraint, settings.detect, 6_000, 5_000);
    expect(restraint.notBefore).toBe(6_000 + 30 * MIN);
  });

  it('spends three incidents or twenty looks an hour, and says when the next look may be', () => {
    const restraint = unrestrained();
    for (let at = 0; at < 20; at += 1)
      expect(takeLook(restraint, settings.capture, { at: at, beside: false })).toBeNull();
    expect(takeLook(restraint, settings.capture, { at: 30, beside: false })).toEqual({
      spent: 'looks',
      count: 20,
    });
    expect(restraint.notBefore).toBe(60 * MIN);
    for (const at of [5, 6, 7]) countFiled(restraint, { at: at, beside: false });
    expect(takeLook(restraint, settings.capture, { at: 31, beside: false })).toEqual({
      spent: 'incidents',
      count: 3,
    });
    expect(restraint.notBefore).toBe(5 + 60 * MIN);
    expect(takeLook(restraint, settings.capture, { at: 61 * MIN, beside: false })).toBeNull();
    expect(restraint.looks).toEqual([61 * MIN]);
  });

  it('gives a slow guest ever more time between two dumps, up to 24 s', () => {
    const restraint = unrestrained();
    const pauses = [0, 1, 2, 3, 4].map(() => {
      const pause = secondLookMs(restraint, settings.detect);
      moreSlowly(restraint);
      return pause / 1000;
    });
    expect(pauses).toEqual([3, 6, 12, 24, 24]);
  });

  it('ends for a witness that is there again, if the newest look did without it', () => {
    const restraint = spent();
    lookAgain(restraint, 1_001);
    expect(restraint.notBefore).toBe(122_000);
    lookAgain(restraint, 1_000);
    expect(restraint.notBefore).toBe(0);
  });

  it('lets a guest that is lost for good be looked at a minute after the last look', () => {
    const restraint = spent();
    lookSoon(restraint);
    expect(restraint.notBefore).toBe(1_000 + MIN);
  });
});

const probe = (kind: SshProbe['kind']): SshProbe => ({ kind, detail: kind, tookMs: 1 });
const probed = (ssh: SshState, one: SshProbe, at: number) => probeCame(ssh, one, { at, from: at });

describe('SSH', () => {
  const rarely = () => {
    const ssh = notAsked();
    for (let n = 0; n < 24; n += 1) probed(ssh, probe(n % 3 === 0 ? 'ok' : 'timed-out'), n * 2_000);
    return ssh;
  };

  it('that answers rarely is lost for good at the third failure', () => {
    const ssh = rarely();
    expect(ssh.flapping.since).not.toBeNull();
    expect(probed(ssh, probe('timed-out'), 50_000)).toMatchObject({ answers: false, lostForGood: true });
    expect(probed(ssh, probe('timed-out'), 52_000)).toMatchObject({ answers: false, lostForGood: false });
    expect(probed(ssh, probe('host-fault'), 54_000)).toBeNull();
    expect(probed(ssh, probe('timed-out'), 56_000)).toMatchObject({ faultSince: 54_000 });
    expect(probed(ssh, probe('timed-out'), 58_000)).toMatchObject({ faultSince: null });
  });

  it('says of an answer whether it is the first, and whether it lets somebody in', () => {
    const ssh = notAsked();
    probed(ssh, { ...probe('ok'), way: 'port' }, 1);
    expect(probed(ssh, probe('ok'), 2)).toEqual({ answers: true, first: false, letsIn: true });
    expect(probed(ssh, probe('ok'), 3)).toEqual({ answers: true, first: false, letsIn: false });
  });

  it('forgets failures while nobody watched, but not that it answered', () => {
    const ssh = rarely();
    failuresAreVoid(ssh, 9);
    expect(ssh).toMatchObject({ failures: 0, firstFailureAt: null, flapping: { since: null, recent: [] } });
    expect(ssh.lastOkAt).not.toBeNull();
  });

  it('forgets a boot but for the probes that are under way', () => {
    const ssh = { ...rarely(), inFlight: 2, lastStartedAt: 7 };
    sshBoots(ssh);
    expect(ssh).toEqual({ ...notAsked(), inFlight: 2, lastStartedAt: 7, lastAt: 46_000 });
  });
});

it('the console forgets a boot but for the command line and whether it is read', () => {
  const console = newConsole(0);
  const read = (text: string) => readLine(console, text, { at: 5, replayed: false, testPattern: null });
  read('[    0.0] Kernel command line: quiet');
  read('You are in emergency mode. After logging in, type "journalctl -xb"');
  console.unread = { why: 'w', fix: 'f', since: 1 };
  expect(console).toMatchObject({ gaveUp: expect.stringContaining('emergency') as string, heardAt: 5 });
  consoleBoots(console, 9);
  const { heardAt, unread, commandLine, ...rest } = console;
  expect([heardAt, unread.why, commandLine]).toEqual([5, 'w', 'quiet']);
  expect(rest).toEqual({ ...newConsole(9), heardAt: undefined, unread: undefined, commandLine: undefined });
});

it('a command of the boot before is still out', () => {
  const command = noCommand();
  commandAsked(command, 3);
  command.hangsSince = 4;
  commandBoots(command);
  expect(command).toEqual(noCommand(true));
});

describe('what was filed', () => {
  const text = 'INFO: task mount:88 blocked for more than 120 seconds.';

  it('for a complaint is not filed again while it is repeated, whatever time it says', () => {
    const filings = nothingFiled();
    handedIn(filings, 'complaint', text, null, 0);
    expect(isRepeated(filings, text.replace('120', '241'), 121_000)).toBe(true);
    expect(isRepeated(filings, text.replace(':88', ':89'), 121_000)).toBe(false);
    expect(isRepeated(filings, text, 121_000 + 11 * MIN)).toBe(false);
  });

  it('is no memory for the next boot', () => {
    const filings = nothingFiled();
    handedIn(filings, 'complaint', text, null, 0);
    filingsBoot(filings);
    expect(isRepeated(filings, text, 1)).toBe(false);
  });

  it('by hand is the newest incident, and not that of a hang', () => {
    const filings = nothingFiled();
    archived(filings, 'hang', false);
    archived(filings, 'by-hand', true);
    expect(filings).toMatchObject({ newest: 'by-hand', incident: 'hang' });
    archived(filings, null, false);
    expect(filings).toMatchObject({ newest: 'by-hand', incident: null });
  });
});

describe('signs of one boot', () => {
  it('come in their order, each within half a minute of the one before', () => {
    const boot = noBoot(0);
    bootBegins(boot, 'qemu', 'a', 0);
    const next = (by: 'firmware' | 'kernel', at: number) => continuesBoot(boot, by, { at, answered: false });
    expect([next('firmware', 20_000), next('kernel', 45_000), next('kernel', 49_000)]).toEqual([
      true,
      true,
      true,
    ]);
    expect([next('kernel', 55_000), next('firmware', 50_000)]).toEqual([false, false]);
    expect(boot.sign).toEqual({ at: 49_000, by: 'kernel' });
    expect(continuesBoot(boot, 'kernel', { at: 50_000, answered: true })).toBe(false);
  });
});
