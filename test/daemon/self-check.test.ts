import { expect, it } from 'vitest';
import { selfCheck } from '../../src/daemon/self-check.js';

const idle = { vm: 'vm1', underWay: new Map<string, number>() };

it('is content with a daemon that ticks and whose effects end', () => {
  const busy = { vm: 'vm2', underWay: new Map([['look', 99_000]]) };
  expect(selfCheck({ lastTickAt: 99_600, guests: [idle, busy] }, 100_000)).toBeNull();
});

it('sees a clock that stopped, and an effect that never ends', () => {
  expect(selfCheck({ lastTickAt: 94_000, guests: [idle] }, 100_000)).toBe('no tick for 6 s');
  const stuck = { vm: 'vm2', underWay: new Map([['probe-ssh', 100_000]]) };
  expect(selfCheck({ lastTickAt: 400_000, guests: [idle, stuck] }, 400_000)).toBe(
    'vm2: probe-ssh has not ended for 5 min 0 s',
  );
});

it('lets a capture wait its turn for as long as it takes', () => {
  const waiting = { vm: 'vm2', underWay: new Map([['open', 0]]) };
  expect(selfCheck({ lastTickAt: 400_000, guests: [waiting] }, 400_000)).toBeNull();
});
