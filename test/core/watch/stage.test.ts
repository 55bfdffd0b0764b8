import { describe, expect, it } from 'vitest';
import { moveTo, type Stage, StageError, type StageName } from '../../../src/core/watch/case/stage.js';
import { dead } from '../../support/panicked.js';
import { golden, answers, booted, healthyFor, VirtualGuest } from '../../support/virtual-guest.js';

const blocked = answers(golden('page-in'));
const STAGES: Record<StageName, Stage> = {
  looking: { name: 'looking', againAt: null },
  opening: { name: 'opening' },
  weighing: { name: 'weighing', since: 0 },
  holding: { name: 'holding', since: 0, weighed: true },
  asking: { name: 'asking', leg: 'raise' },
  reading: { name: 'reading', leg: 'sysrq-t' },
  judging: { name: 'judging', then: null },
  waiting: { name: 'waiting', for: 'again', leg: 'sysrq-t', until: 1 },
  climbing: { name: 'climbing', rung: 'registers', until: null, heard: null },
  restoring: { name: 'restoring' },
  filing: { name: 'filing' },
};
const names = Object.keys(STAGES) as StageName[];
const LEGAL = new Set([
  ...['looking looking', 'looking opening', 'looking judging', 'opening asking', 'opening judging'],
  ...['opening weighing', 'opening holding', 'weighing holding', 'weighing asking', 'weighing judging'],
  ...['holding weighing', 'holding asking', 'holding judging'],
  ...['asking asking', 'asking reading', 'asking climbing', 'asking restoring', 'asking judging'],
  ...['reading asking', 'reading waiting', 'reading climbing', 'reading restoring', 'reading judging'],
  ...['waiting asking', 'waiting restoring', 'waiting judging'],
  ...['climbing asking', 'climbing climbing', 'climbing restoring', 'climbing judging'],
  ...['restoring judging', 'judging filing'],
]);

describe('a move', () => {
  it.each(names.flatMap((from) => names.map((to) => [from, to] as const)))('from %s to %s', (from, to) => {
    const current = { stage: STAGES[from] };
    const move = () => moveTo(current, STAGES[to]);
    if (LEGAL.has(`${from} ${to}`)) {
      move();
      expect(current.stage.name).toBe(to);
    } else {
      expect(move).toThrow(StageError);
      expect(current.stage.name).toBe(from);
    }
  });

  it('that is not legal says where the case is, and where it had to be', () => {
    const current = { stage: STAGES.opening };
    expect(() => moveTo(current, STAGES.restoring)).toThrow(
      'a case cannot go from stage opening to restoring; that needs asking, reading, waiting or climbing',
    );
  });
});

describe('the stages of a case', () => {
  const path = (script: ConstructorParameters<typeof VirtualGuest>[0], forMs = 60_000) => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), ...script })).run(30_000 + forMs);
    return guest.stages;
  };
  /** One that waits for its second look. */
  const waiting = (press = blocked) => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), press }));
    while (guest.stages.at(-1) !== 'waiting') guest.run(500);
    return guest;
  };
  const TWO_LOOKS = ['looking', 'opening', 'asking', 'waiting', 'asking'];

  it('of a guest that is wedged', () => {
    expect(path({ press: blocked })).toEqual([...TWO_LOOKS, 'restoring', 'filing', '-']);
  });

  it('of one whose SSH answers again while the second look is waited for: the loglevel goes back first', () => {
    const guest = waiting();
    guest.later(0, { type: 'ssh', probe: { kind: 'ok', detail: '', tookMs: 1 } });
    expect(guest.run(3_000).stages).toEqual([...TWO_LOOKS.slice(0, 4), 'restoring', '-']);
  });

  it('of one that gives no answer: up the ladder, and filed without a dump once it is lost for long', () => {
    const once = ['looking', 'opening', 'asking', 'climbing'];
    expect(path({ press: () => [] })).toEqual([...once, '-', ...once, 'filing', '-']);
  });

  it('of one that panics: no key is pressed', () => {
    const guest = booted(new VirtualGuest({ ssh: healthyFor(30_000), look: dead }));
    guest.lines(['[   30.0] Kernel panic - not syncing: Fatal exception'], 30_000);
    expect(guest.run(60_000).stages).toEqual(['looking', 'opening', 'filing', '-']);
  });

  it('of one that panics in the middle of its capture', () => {
    let alive = true;
    const guest = waiting((key) => (alive ? blocked(key) : []));
    alive = false;
    guest.lines(['[   50.0] Kernel panic - not syncing: Fatal exception']);
    expect(guest.run(40_000).stages.slice(-2)).toEqual(['filing', '-']);
    expect(guest.findings.map(({ analysis }) => analysis.verdict.class)).toEqual(['panicked']);
  });

  it('of one that is paused: it is looked at, and nothing else', () => {
    const qmp = { ok: true as const, runState: 'paused', vcpus: [], block: null };
    const look = () => ({ qmp, qemu: null, kernelCommandLine: null, shares: [] });
    expect(path({ look })).toEqual(['looking']);
  });

  it('of one whose dump has holes: it is asked for again', () => {
    const torn = (key: Parameters<typeof blocked>[0]) =>
      blocked(key).flatMap((line, index) =>
        key === 't' && index === 5 ? [line, '** 40 printk messages dropped **'] : [line],
      );
    expect(path({ press: torn })).toEqual([...TWO_LOOKS, 'waiting', 'asking', 'restoring', 'filing', '-']);
  });
});

describe('a directory that was asked for', () => {
  it('is given back if SSH answers before it is there', () => {
    let answers = true;
    const guest = booted(new VirtualGuest({ ssh: () => (answers ? 'ok' : 'timed-out') })).run(30_000);
    guest.opensAfterMs = 60_000;
    answers = false;
    guest.run(10_000);
    expect(guest.stages).toEqual(['looking', 'opening']);
    answers = true;
    guest.run(5_000);
    expect(
      guest.effects.filter(({ type }) => type === 'open' || type === 'drop').map(({ type }) => type),
    ).toEqual(['open', 'drop']);
    // The answer comes to nobody.
    guest.run(60_000);
    expect(guest.findings).toEqual([]);
  });
});
