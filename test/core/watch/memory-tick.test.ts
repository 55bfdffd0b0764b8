import { expect, it } from 'vitest';
import { guestSettings } from '../../../src/core/config/guest-settings.js';
import { configSchema } from '../../../src/core/config/schema.js';
import { memoryTick } from '../../../src/core/watch/memory-tick.js';
import { initialState } from '../../../src/core/watch/state.js';

const settings = guestSettings(configSchema.parse({}), 'vm', { qmpDirectory: '/run' });

/** When the guest is sampled first, in milliseconds. */
function firstSample(vm: string): number {
  const state = initialState(vm, 0);
  memoryTick({ state, settings, at: 0, effects: [] });
  return state.memory.sample.dueAt ?? NaN;
}

it.each(['lab', 'vm-0', 'fstests-xfs-'])(
  'guests with names %s0 to 199 are sampled one after the other',
  (name) => {
    const times = Array.from({ length: 200 }, (_, n) => firstSample(`${name}${n}`)).sort((a, b) => a - b);
    const seconds = Array.from(
      { length: 15 },
      (_, n) => times.filter((at) => Math.floor(at / 1_000) === n).length,
    );
    expect(seconds.reduce((sum, one) => sum + one, 0)).toBe(200);
    // 13 on average: none of them waits for many others.
    expect(Math.max(...seconds)).toBeLessThan(20);
    expect(Math.min(...seconds)).toBeGreaterThan(6);
  },
);
