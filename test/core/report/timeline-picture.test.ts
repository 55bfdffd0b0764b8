import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hungTask } from '../../../src/core/report/hung-task.js';
import { renderReport } from '../../../src/core/report/html.js';
import { timeAxis } from '../../../src/core/report/time-axis.js';
import type { GuestEvent } from '../../../src/core/watch/events.js';
import { Marks } from '../../../src/core/watch/marks.js';
import { replay, type TimelineStart } from '../../../src/core/watch/timeline.js';
import { incident } from '../../fixtures/archive-sample.js';

const frame = (symbol: string) => ({ symbol, offset: 0, size: 1, module: null, reliable: true });

/** An incident whose culprit sleeps so. */
function slept(state: string, ...symbols: string[]) {
  const one = incident();
  const [dump] = one.dumps;
  const tasks = dump!.tasks.map((task) => ({ ...task, state, frames: symbols.map(frame) }));
  const culprit = { ...one.verdict.culprit!, state };
  return incident({ dumps: [{ ...dump!, tasks }], verdict: { ...one.verdict, culprit } });
}

describe('when hung_task would have spoken', () => {
  it('is 120 to 240 s after the last sign of life, for a task in D', () => {
    expect(hungTask(slept('D', '__schedule', 'schedule', 'rwsem_down_write_slowpath'))).toEqual({
      between: ['2026-09-18T10:16:48.000Z', '2026-09-18T10:18:48.000Z'],
      says: '120 to 240 s after the guest stood still',
    });
  });

  it.each([
    ['S', ['__schedule', 'request_wait_answer'], /^never: .* sleeps in S$/],
    ['R', ['native_queued_spin_lock_slowpath'], /^never: .* in R$/],
    [
      'D',
      ['__schedule', 'io_schedule', 'folio_wait_bit_common', 'filemap_update_page'],
      /^never: .*killably, in filemap_update_page/,
    ],
    ['D', ['__schedule', 'rpc_wait_bit_killable'], /^never: .*rpc_wait_bit_killable/],
  ])('is never, for %s in %j', (state, symbols, says) => {
    expect(hungTask(slept(state, ...symbols))).toEqual({
      between: null,
      says: expect.stringMatching(says) as string,
    });
  });

  it('is not said where the kernel has spoken, and of nobody', () => {
    const [dump] = incident().dumps;
    expect(hungTask(incident({ dumps: [{ ...dump!, key: 'hung_task' }] }))?.says).toMatch(/^has spoken/);
    expect(hungTask(incident({ verdict: { ...incident().verdict, culprit: null } }))).toBeNull();
  });
});

describe('the axis of time', () => {
  it('gives the capture a scale of its own, and never runs backwards', () => {
    const { x, ticks } = timeAxis(
      { from: 0, turn: 60_000, to: 60_900, zero: 20_000 },
      { left: 100, right: 900 },
    );
    expect([x(-5), x(0), x(60_000), x(60_900), x(99_999)]).toEqual([100, 100, 500, 900, 900]);
    expect(x(60_450)).toBeCloseTo(700);
    expect(ticks.map((tick) => tick.label)).toEqual(
      expect.arrayContaining(['−20 s', '0 s', '+20 s', '+40.2 s']) as string[],
    );
    for (const [index, tick] of ticks.slice(1).entries()) expect(tick.x).toBeGreaterThan(ticks[index]!.x);
  });

  it('is one stretch where nothing led to the suspicion', () => {
    expect(timeAxis({ from: 5, turn: 5, to: 5, zero: 5 }, { left: 0, right: 100 }).x(105)).toBe(50);
  });
});

const timelines = new URL('../../timelines/', import.meta.url);

describe('marks of a recorded guest', () => {
  it.each(readdirSync(timelines).filter((name) => name.endsWith('.jsonl')))('%s', (name) => {
    const rows = readFileSync(new URL(name, timelines), 'utf8').trim().split('\n');
    const [start, ...events] = rows.map((row) => JSON.parse(row) as unknown);
    const marks = new Marks();
    let since = 0;
    replay(start as TimelineStart, events as GuestEvent[], {
      before: (_state, event) => marks.event(event),
      after: (_state, { at }, effects) => {
        for (const effect of effects) {
          marks.effect(effect, at);
          if (effect.type === 'file') since = effect.finding.wedgedSince ?? effect.finding.suspectAt;
        }
      },
    });
    const of = (lane: string) => marks.from(since).filter((mark) => mark.lane === lane);
    expect(
      of('chords')
        .map(({ text }) => text)
        .join(''),
    ).toMatch(/^8/);
    expect(of('ssh').some(({ good }) => good === false)).toBe(true);
    expect(of('looks').length).toBeGreaterThan(0);
    expect(Math.min(...marks.from(since).map(({ at }) => at))).toBeGreaterThanOrEqual(since - 6_000);
  });

  it('are bounded, however a guest floods', () => {
    const marks = new Marks();
    for (let at = 0; at < 2_000_000; at += 1_000) marks.event({ type: 'line', at, text: 'x'.repeat(9_000) });
    expect(marks.from(0).length).toBeLessThanOrEqual(400);
    expect(marks.from(0).every(({ text }) => text.length <= 120)).toBe(true);
    expect(marks.from(0).at(-1)?.at).toBe(1_999_000);
  });
});

describe('the picture', () => {
  const at = (second: number) => new Date(Date.UTC(2026, 8, 18, 10, 14, second)).toISOString();
  const draw = (marks: Parameters<typeof renderReport>[0]['marks']) =>
    renderReport({ incident: incident(), moments: [], marks, dumps: [], console: '', files: [] });

  it('shows an answer as a dot and a failure as a cross, and chords that are close as one', () => {
    const html = draw([
      { at: at(46), lane: 'ssh', text: 'answers', good: true },
      { at: at(51), lane: 'ssh', text: 'timed-out', good: false },
      { at: at(62), lane: 'chords', text: '8', good: null },
      { at: at(62), lane: 'chords', text: 'w', good: null },
      { at: at(63), lane: 'dumps', text: 'sysrq-w.1: 20 lines, ended by fence', good: true },
    ]);
    expect(html).toMatch(
      /<g class="lane ssh">.*<g class="mark good"><title>10:14:46 answers<\/title><circle/,
    );
    expect(html).toMatch(/<g class="mark bad"><title>10:14:51 timed-out<\/title><path/);
    expect(html).toMatch(/class="key"[^>]*><\/rect><text[^>]*>8 w<\/text>/);
    expect(html).toMatch(/<g class="lane dumps">.*<text[^>]*>w\.1<\/text>/);
    expect(html).toContain('last sign of life 10:14:48');
    expect(html).toContain('SSH answered 1 times and failed 1 times; 0 looks, 2 chords, 1 dumps');
  });

  it('is not drawn where times cannot be read, and never beyond its edge', () => {
    const broken = renderReport({
      incident: incident({ startedAt: 'x' }),
      ...{ moments: [], marks: [], dumps: [], console: '', files: [] },
    });
    expect(broken).not.toContain('class="timeline"');
    expect(draw([{ at: 'nonsense', lane: 'ssh', text: 'x', good: true }])).not.toContain('NaN');
    expect(draw([{ at: '1970-01-01T00:00:00Z', lane: 'ssh', text: 'x', good: true }])).not.toMatch(/cx="-/);
  });
});
