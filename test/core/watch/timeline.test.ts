import { describe, expect, it } from 'vitest';
import { guestSettings } from '../../../src/core/config/guest-settings.js';
import { parseConfig } from '../../../src/core/config/parse-config.js';
import { openCase } from '../../../src/core/watch/case/open.js';
import type { Finding, GuestEvent } from '../../../src/core/watch/events.js';
import { initialState } from '../../../src/core/watch/state.js';
import { step } from '../../../src/core/watch/step.js';
import { replay, Timeline, type TimelineStart } from '../../../src/core/watch/timeline.js';
import { VirtualGuest } from '../../support/virtual-guest.js';

it('a recorded timeline is decided again in the same way', () => {
  const ssh = (at: number) => (at < 4_000_000 ? ('ok' as const) : ('timed-out' as const));
  const guest = new VirtualGuest({ ssh });
  guest.lines(['[    0.000000] Linux version 6.1.0', 'Started OpenSSH server.']);
  guest.run(4_060_000);
  const [start, ...events] = JSON.parse(JSON.stringify(guest.timeline.lines())) as unknown[];
  const found: Finding[] = [];
  const state = replay(start as TimelineStart, events as GuestEvent[], {
    after: (_state, _event, effects) => {
      for (const effect of effects) if (effect.type === 'file') found.push(effect.finding);
    },
  });
  expect(state.name).toBe('held');
  expect(found.map(({ analysis }) => analysis.verdict)).toEqual(
    guest.findings.map(({ analysis }) => analysis.verdict),
  );
  expect(events.length).toBeLessThan(11_000);
});

it('an event of a later version is passed over', () => {
  const guest = new VirtualGuest();
  const before = JSON.stringify(guest.state);
  const event = { type: 'constructor', at: 1 } as unknown as GuestEvent;
  expect(step(guest.state, event, guest.settings)).toEqual([]);
  expect(JSON.stringify(guest.state)).toBe(before);
});

describe('a guest that floods', () => {
  const line = (at: number) => ({ type: 'line' as const, at, text: 'x'.repeat(4_000) });
  const timelineOf = () => {
    const parsed = parseConfig('', 'test.yaml');
    if (!parsed.ok) throw new Error('the defaults are a configuration');
    const state = initialState('vm1', 0);
    const settings = guestSettings(parsed.config, 'vm1', { qmpDirectory: '/run' });
    return { state, settings, timeline: new Timeline(state, settings) };
  };

  it('is remembered for a few megabytes while it is calm', () => {
    const { state, timeline } = timelineOf();
    for (let at = 0; at < 20_000; at += 1) timeline.record(state, line(at));
    const text = JSON.stringify(timeline.lines());
    expect(text.length).toBeLessThan(5 << 20);
    expect(text).toContain('"at":19999');
  });

  it('is cut by its events too, however short they are', () => {
    const { state, settings, timeline } = timelineOf();
    openCase({ state, settings, at: 0, effects: [] }, { by: 'hand', why: [] });
    for (let at = 0; at < 600_000; at += 1) timeline.record(state, { type: 'line', at, text: 'a' });
    const lines = timeline.lines();
    expect(lines.length).toBeLessThan(550_000);
    expect(lines.at(-1)).toMatchObject({ type: 'cut' });
  });

  it('is cut while it is captured, and the timeline says so', () => {
    const { state, settings, timeline } = timelineOf();
    openCase({ state, settings, at: 0, effects: [] }, { by: 'hand', why: [] });
    for (let at = 0; at < 20_000; at += 1) timeline.record(state, line(at));
    const lines = timeline.lines();
    expect(lines.length).toBeLessThan(9_000);
    expect(lines.at(-1)).toMatchObject({ type: 'cut' });
  });
});
