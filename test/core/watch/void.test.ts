/** Nobody watched, or the guest did not run: what it did not do meanwhile proves nothing. */
import { describe, expect, it } from 'vitest';
import type { Look } from '../../../src/core/model.js';
import { memoryAt, recordedTasks } from '../../support/memory-dumps.js';
import type { Script } from '../../support/script.js';
import { keptFromRunning } from '../../support/starving.js';
import { answers, booted, golden, healthyFor, running, VirtualGuest } from '../../support/virtual-guest.js';

const LOST = 30_000;
const pageIn = answers(golden('page-in'));
const starved = keptFromRunning(answers(golden('idle')));
const titles = ({ findings }: VirtualGuest) => findings.map(({ analysis }) => analysis.verdict.title);
const notes = ({ effects }: VirtualGuest) =>
  effects.flatMap((effect) => (effect.type === 'note' ? [effect.text] : []));
const lostUntil = (end: number) => (at: number) =>
  at < LOST || at > end ? ('ok' as const) : ('timed-out' as const);

const inState = (runState: string): Look => ({
  ...running,
  qmp: { ok: true, runState, vcpus: [], block: null },
});
const failing = (fault: 'busy' | 'main-loop-stuck'): Look => ({
  ...running,
  qmp: { ok: false, fault, detail: 'it saves its memory' },
});
const stopped: Look = { ...failing('main-loop-stuck'), qemu: { pid: 1, state: 'T' } };
/** Its only vCPU never rests. */
const atWork = (at: number): Look => ({
  ...running,
  qmp: {
    ok: true,
    runState: 'running',
    vcpus: [{ index: 0, threadId: 9, cpuMs: at }],
    block: { reads: 5, writes: 0 },
  },
});

describe('a guest that was paused', () => {
  const end = LOST + 60_000;

  it.each(['busy', 'main-loop-stuck'] as const)(
    'is not accused while QEMU is about to let it run again, and cannot be asked (%s)',
    (fault) => {
      const look = (at: number) =>
        at < end ? inState('paused') : at < end + 6_000 ? failing(fault) : running;
      const guest = new VirtualGuest({ press: pageIn, ssh: lostUntil(end + 9_000), look });
      expect(titles(booted(guest).run(200_000))).toEqual([]);
      expect(guest.path).toContain('paused');
      expect(guest.state.name).toBe('up');
    },
  );

  it.each([
    ['busy', 'unknown', 50_000],
    ['main-loop-stuck', 'qemu-stuck', 25_000],
  ] as const)('is filed if QEMU cannot be asked from then on (%s)', (fault, kind, within) => {
    const look = (at: number) => (at < end ? inState('paused') : failing(fault));
    const guest = booted(new VirtualGuest({ press: pageIn, ssh: healthyFor(LOST), look })).run(200_000);
    expect(guest.findings.map(({ analysis }) => analysis.verdict.class)).toEqual([kind]);
    expect((guest.findings[0]?.capturedAt ?? Infinity) - end).toBeLessThan(within);
  });

  it('is told of once somebody has stopped its QEMU by a signal for a minute', () => {
    const look = (at: number) => (at < end ? inState('paused') : stopped);
    const guest = booted(new VirtualGuest({ press: pageIn, ssh: healthyFor(LOST), look })).run(end + 80_000);
    expect(titles(guest)).toEqual([expect.stringContaining('stopped by a signal')]);
  });

  /** It resumes after so many milliseconds, and SSH answers 40 s later. */
  const paused = (ms: number, script: Script = {}) => {
    const look = (at: number) => (at < LOST + ms ? inState('paused') : atWork(at));
    const ssh = lostUntil(LOST + ms + 40_000);
    return booted(new VirtualGuest({ press: starved, ssh, look, ...script }));
  };

  it.each([30_000, 45_000, 60_000, 120_000])('for %i ms, and is then busy, is not accused', (ms) => {
    const guest = paused(ms).run(LOST + ms + 120_000);
    expect(titles(guest)).toEqual([]);
    // Its console is silent by then: it is no console that goes on.
    expect(notes(guest)).not.toContainEqual(expect.stringContaining('goes on'));
  });

  it('and whose console is not read is not looked at for 25 s', () => {
    const unread = () => ({ why: 'nothing is read', fix: 'read it' });
    const guest = paused(60_000, { unread }).run(LOST + 85_000);
    expect(guest.stages).toEqual(['looking', '-']);
  });

  it('is seen anew by its memory', () => {
    const memory = (at: number) => memoryAt(recordedTasks('page-in'), at, { since: 5_000 });
    const guest = paused(60_000, { memory }).run(LOST + 30_000);
    while (guest.state.name === 'paused') guest.run(500);
    expect(guest.state.memory).toMatchObject({ glances: [], watched: [], work: [] });
  });
});

it.each([30_000, 45_000, 120_000])(
  'a guest that is busy as its watchdog has slept for %i ms is not accused',
  (ms) => {
    const guest = booted(
      new VirtualGuest({ press: starved, ssh: lostUntil(LOST + ms + 40_000), look: atWork }),
    );
    guest
      .run(LOST + 1_000)
      .run(ms, { asleep: true })
      .run(120_000);
    expect(titles(guest)).toEqual([]);
  },
);

it('the second look is as far from a suspend of the host as from the first look', () => {
  const slow = { until: Infinity };
  const idle = answers(golden('idle'));
  const guest = booted(
    new VirtualGuest({
      press: (key, at) => (at < slow.until ? pageIn : idle)(key),
      ssh: (at) => (at < LOST || at > slow.until + 1_000 ? 'ok' : 'timed-out'),
    }),
  );
  for (let turn = 0; turn < 100 && guest.state.case?.stage.name !== 'waiting'; turn += 1) guest.run(500);
  expect(guest.state.case?.stage.name).toBe('waiting');
  // The host sleeps until the moment of the second look. What was blocked moves soon after.
  guest.run(2_000).jump(3_600_000);
  slow.until = guest.now + 2_500;
  expect(titles(guest.run(60_000))).toEqual([]);
});
