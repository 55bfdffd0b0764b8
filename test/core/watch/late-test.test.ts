/** A test that takes far too long beside a guest that answers SSH. */
import { describe, expect, it } from 'vitest';
import type { Look } from '../../../src/core/model.js';
import { testLimit } from '../../../src/core/watch/late-test.js';
import { lastTook, noTests, testBegins, testRecorded } from '../../../src/core/watch/slices/tests.js';
import { memoryAt, recordedTasks } from '../../support/memory-dumps.js';
import type { Script } from '../../support/script.js';
import { answers, booted, golden, running, VirtualGuest } from '../../support/virtual-guest.js';

const MINUTE = 60_000;
const begins = (name: string) => `run fstests ${name} at 2026-01-01 00:00:00`;

/** Its test begins after half a minute, and nothing more is printed. */
function silentTest(script: Script = {}, before: readonly string[] = []): VirtualGuest {
  const guest = booted(new VirtualGuest({ press: answers(golden('page-in')), ...script }));
  before.forEach((name, index) => guest.lines([begins(name)], 1_000 + index * 20_000));
  guest.lines([begins('generic/475')], 41_000);
  return guest;
}

/** Its disk does a request a second. */
const busyDisk = (at: number): Look => ({
  ...running,
  qmp: {
    ok: true,
    runState: 'running',
    vcpus: [{ index: 0, threadId: 9, cpuMs: 0 }],
    block: { reads: Math.floor(at / 1000), writes: 0 },
  },
});

const looks = ({ stages }: VirtualGuest) => stages.filter((stage) => stage === 'looking').length;

describe('a test of which nobody knows how long it takes', () => {
  it('is looked into after an hour, once, and accuses what stands still', () => {
    const guest = silentTest().run(60 * MINUTE);
    expect(looks(guest)).toBe(0);
    guest.run(3 * MINUTE);
    expect(guest.findings).toHaveLength(1);
    const [finding] = guest.findings;
    expect(finding?.test?.name).toBe('generic/475');
    expect(finding?.why[0]).toMatch(
      /^the test generic\/475 has run for 60 min \d+ s; nothing says how long it takes$/,
    );
    expect(finding?.analysis.verdict).toMatchObject({ class: 'blocked', frame: 'filemap_fault' });
    expect(finding?.evidence.map(({ name }) => name)).toEqual(['sysrq-w.1', 'sysrq-w.2', 'sysrq-t']);
    expect(guest.path).toContain('held');
    guest.run(3 * 60 * MINUTE);
    expect(looks(guest)).toBe(1);
  });

  it('whose disk works while a task stands is slow', () => {
    const guest = silentTest({ look: busyDisk }).run(63 * MINUTE);
    expect(looks(guest)).toBe(1);
    expect(guest.findings).toEqual([]);
  });

  it('whose guest shows nothing that stands is left alone', () => {
    const guest = silentTest({ press: answers(golden('idle')) }).run(3 * 60 * MINUTE);
    expect(looks(guest)).toBe(1);
    expect(guest.findings).toEqual([]);
  });

  it('is not even asked where memory shows that nothing stands', () => {
    const idle = recordedTasks('idle');
    const guest = silentTest({ memory: (at) => memoryAt(idle, at, { since: null }) }).run(63 * MINUTE);
    expect(looks(guest)).toBe(1);
    expect(guest.pressed).toEqual([]);
    expect(guest.findings).toEqual([]);
  });

  it('that brings news now and then is not stalled', () => {
    const guest = silentTest();
    for (let minute = 1; minute < 80; minute += 4)
      guest.lines([`systemd[1]: Started the ${'x'.repeat(minute)} service.`], minute * MINUTE);
    guest.run(80 * MINUTE);
    expect(looks(guest)).toBe(0);
  });
});

describe('a test that ran before', () => {
  it('is late after ten times that, and after five minutes at least', () => {
    // It took 20 s.
    const guest = silentTest({}, ['generic/475', 'generic/001']).run(5 * MINUTE);
    expect(looks(guest)).toBe(0);
    guest.run(3 * MINUTE);
    expect(guest.findings).toHaveLength(1);
    expect(guest.findings[0]?.why[0]).toMatch(/; it took 20 s the last time$/);
  });

  it('or of which its suite has a record', () => {
    const script = { config: 'detect: {testTimes: /r/check.time}', testTook: () => 2 * MINUTE };
    const guest = silentTest(script).run(20 * MINUTE);
    expect(looks(guest)).toBe(0);
    guest.run(2 * MINUTE);
    expect(looks(guest)).toBe(1);
  });
});

describe('how long it took', () => {
  it('is known by the next that began, in the same boot, and not after a night', () => {
    const tests = noTests();
    testBegins(tests, { name: 'a', at: 1_000 }, 8_000);
    testBegins(tests, { name: 'b', at: 8_000 }, 8_000 + 61 * MINUTE);
    testBegins(tests, null, 9_000_000);
    expect([lastTook(tests, 'a'), lastTook(tests, 'b')]).toEqual([7_000, null]);
  });

  it('is what was seen, before what a record says, which is of one test only', () => {
    const tests = noTests();
    testRecorded(tests, 'a', 5_000);
    expect([lastTook(tests, 'a'), lastTook(tests, 'b')]).toEqual([5_000, null]);
    testBegins(tests, { name: 'a', at: 0 }, 3_000);
    testRecorded(tests, 'a', 5_000);
    expect(lastTook(tests, 'a')).toBe(3_000);
  });

  it.each([
    [null, 60 * MINUTE],
    [1_000, 5 * MINUTE],
    [MINUTE, 10 * MINUTE],
  ])('of %j ms allows %i', (took, limit) => {
    expect(testLimit(took)).toBe(limit);
  });
});
