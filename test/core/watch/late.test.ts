/** Answers that come to a case in another stage, or to the next case: they change nothing. */
import { describe, expect, it } from 'vitest';
import { lossOf as lossNow, lossText } from '../../../src/core/watch/accuse.js';
import { live } from '../../support/lives.js';
import { dead } from '../../support/panicked.js';
import { answers, booted, golden, healthyFor, running, VirtualGuest } from '../../support/virtual-guest.js';

const blocked = answers(golden('page-in'));

function inStage(stage: string, script: ConstructorParameters<typeof VirtualGuest>[0] = {}): VirtualGuest {
  const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press: blocked, ...script }));
  for (let n = 0; n < 1_000 && guest.stages.at(-1) !== stage; n += 1) guest.run(100);
  expect(guest.stages.at(-1)).toBe(stage);
  return guest;
}

describe('a late answer', () => {
  it.each([
    ['opened', { type: 'opened' }],
    ['a press', { type: 'pressed', id: 99, fault: null, detail: '' }],
    ['an NMI', { type: 'nmi-injected', problem: null }],
    ['an NMI that failed', { type: 'nmi-injected', problem: 'refused' }],
    ['a dump of the memory', { type: 'memory-dumped', outcome: 'worked', detail: '' }],
    ['a look', { type: 'look', look: running }],
  ] as const)('%s, while the second look is waited for', (_, event) => {
    const guest = inStage('waiting');
    const before = guest.effects.length;
    const { dumps, rungs } = structuredClone(guest.state.case?.capture ?? { dumps: [], rungs: [] });
    guest.later(0, event);
    guest.run(100);
    expect(guest.stages.at(-1)).toBe('waiting');
    expect(guest.state.case?.capture).toMatchObject({ dumps, rungs });
    expect(guest.effects.slice(before).filter(({ type }) => type === 'press' || type === 'file')).toEqual([]);
    guest.run(30_000);
    expect(guest.findings).toHaveLength(1);
  });

  it('of one rung is not that of another', () => {
    const guest = inStage('climbing', {
      press: () => [],
      config: 'ladder: {injectNmi: true, memoryDump: true}',
    });
    const rung = () => (guest.state.case?.stage.name === 'climbing' ? guest.state.case.stage.rung : null);
    expect(rung()).toBe('registers');
    guest.later(0, { type: 'memory-dumped', outcome: 'failed', detail: 'of another case' });
    guest.run(1);
    expect(guest.state.case?.capture.rungs.map((one) => one.rung)).not.toContain('memory-dump');
  });
});

describe('a case that ends in the middle', () => {
  const PANIC = '[   50.0] Kernel panic - not syncing: Fatal exception';
  const ok = { type: 'ssh', probe: { kind: 'ok', detail: '', tookMs: 1 } } as const;

  it('by a panic is filed, though SSH had answered just before', () => {
    let alive = true;
    const guest = inStage('waiting', { look: dead, press: (key) => (alive ? blocked(key) : []) });
    guest.later(0, ok);
    guest.run(50);
    expect(guest.state.case?.acquitted).not.toBeNull();
    alive = false;
    guest.lines([PANIC]);
    guest.run(60_000);
    expect(guest.findings.map(({ analysis }) => analysis.verdict.class)).toEqual(['panicked']);
    expect(guest.state.name).toBe('panicked');
  });

  it('because QEMU answers again gives back the directory that was asked for', () => {
    const qmp = { ok: false, fault: 'timeout', detail: 'timeout' } as const;
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), look: () => ({ ...running, qmp }) }));
    guest.opensAfterMs = 60_000;
    for (let n = 0; n < 1_000 && guest.stages.at(-1) !== 'opening'; n += 1) guest.run(100);
    expect(guest.state.name).toBe('qemu-stuck');
    guest.later(0, ok);
    guest.run(100);
    expect(guest.state.name).toBe('recovered');
    expect(guest.effects.filter(({ type }) => type === 'drop')).toHaveLength(1);
  });

  it('is not ended by the filing of the case before', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press: blocked }));
    guest.opensAfterMs = 60_000;
    for (let n = 0; n < 1_000 && guest.stages.at(-1) !== 'opening'; n += 1) guest.run(100);
    guest.later(0, { type: 'filed', incident: 'of-the-boot-before' });
    guest.run(1);
    expect(guest.state.case).not.toBeNull();
    expect(guest.state.filings).toMatchObject({ newest: 'of-the-boot-before', incident: null });
  });

  it('is no recovery for a command that began before a panic', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), look: dead })).run(30_000);
    guest.later(0, { type: 'command-step', step: 'command' });
    guest.lines([PANIC], 10);
    guest.run(10_000);
    guest.state.filings.filedFor = 'command';
    guest.later(0, { type: 'command', result: { kind: 'ok', step: 'command', detail: '', tookMs: 9 } });
    guest.run(100);
    expect(guest.state.name).toBe('panicked');
  });
});

describe('what a guest no longer does', () => {
  const lossOf = (guest: VirtualGuest) => lossNow(guest.state, guest.now).of;

  it('is nothing while SSH answers', () => {
    const guest = booted(new VirtualGuest()).run(30_000);
    expect(lossOf(guest)).toBe('nothing');
    expect(lossText({ of: 'nothing', since: 1 }, guest.state.ssh, 2)).toBe('SSH answers');
  });

  it('is to bring news, where SSH never answered', () => {
    expect(lossOf(booted(new VirtualGuest({ ssh: () => 'timed-out' })).run(10_000))).toBe('news');
  });

  it('is to answer SSH, where it did', () => {
    expect(lossOf(booted(new VirtualGuest({ ssh: healthyFor(10_000) })).run(16_000))).toBe('ssh');
  });

  it('is to answer always, where it answers rarely', () => {
    const ssh = (at: number) => (at < 10_000 || Math.floor(at / 4_000) % 3 === 0 ? 'ok' : 'timed-out');
    const guest = booted(new VirtualGuest({ ssh })).run(70_000);
    expect(lossOf(guest)).toBe('answers');
  });

  it('is to run commands, where one hangs', () => {
    const guest = booted(new VirtualGuest({ command: () => Infinity })).run(40_000);
    expect(lossOf(guest)).toBe('commands');
  });
});

it('a guest that turns out to answer rarely is described so, though it seemed lost as the case began', () => {
  const { guest } = live([['answers now and then, and nothing is stuck', 60_000, 1]]);
  const drops = guest.effects.flatMap((effect) => (effect.type === 'drop' ? [effect.why] : []));
  const busy = drops.filter((why) => why.startsWith('busy, perhaps with work'));
  expect(busy.length).toBeGreaterThan(0);
  for (const why of busy)
    expect(why).toMatch(/^busy, perhaps with work: SSH answers rarely: \d+ of \d+ probes/);
});
