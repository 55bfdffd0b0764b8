import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { type Slot, Slots } from '../../src/daemon/slots.js';

/** Slots on a virtual clock, and when each guest got its own. */
let slots = new Slots();
let began: Record<string, number> = {};
let held: Record<string, Slot> = {};

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
  slots = new Slots(() => Date.now());
  began = {};
  held = {};
});
afterEach(() => vi.useRealTimers());

function want(vm: string): void {
  void slots.take().then((slot) => {
    began[vm] = Date.now();
    held[vm] = slot;
  });
}

/** Lets `ms` pass, in which these guests print all the time. */
async function pass(ms: number, ...chatty: string[]): Promise<void> {
  for (let at = 0; at < ms; at += 100) {
    for (const vm of chatty) held[vm]?.moved();
    await vi.advanceTimersByTimeAsync(100);
  }
}

it('two print at once, and the third begins when one of them is done', async () => {
  ['a', 'b', 'c'].forEach(want);
  await pass(3_000, 'a', 'b');
  expect(began).toEqual({ a: 0, b: 0 });
  held['a']?.giveBack();
  await pass(100);
  expect(began).toEqual({ a: 0, b: 0, c: 3_000 });
});

it('a third begins within seconds beside two that hold their slots and print nothing', async () => {
  ['stuck', 'mute'].forEach(want);
  await pass(20_000);
  want('third');
  await pass(100);
  expect(began['third']).toBe(20_000);
});

it('those that fell silent just now lend their slots after 5 s', async () => {
  ['stuck', 'mute', 'third'].forEach(want);
  await pass(10_000);
  expect(began['third']).toBeGreaterThanOrEqual(5_000);
  expect(began['third']).toBeLessThanOrEqual(5_500);
});

it('two chatty guests without a fence keep a third waiting for 8 s, not for minutes', async () => {
  ['flood', 'chatter', 'third', 'fourth'].forEach(want);
  await pass(20_000, 'flood', 'chatter', 'third');
  expect(began['third']).toBeGreaterThanOrEqual(8_000);
  expect(began['third']).toBeLessThanOrEqual(8_500);
  expect(began['fourth']).toBe(began['third']);
});

it('never do more than six print at once, whoever waits, and they begin in their order', async () => {
  const vms = Array.from({ length: 10 }, (_, n) => `vm${n}`);
  vms.forEach(want);
  await pass(60_000, ...vms);
  expect(Object.keys(began)).toEqual(vms.slice(0, 6));
  held['vm3']?.giveBack();
  await pass(100, ...vms);
  expect(Object.keys(began)).toEqual(vms.slice(0, 7));
});

it('a slot that is given back twice is one slot', async () => {
  ['a', 'b', 'c', 'd'].forEach(want);
  await pass(100, 'a', 'b');
  held['a']?.giveBack();
  held['a']?.giveBack();
  await pass(100, 'b');
  expect(Object.keys(began)).toEqual(['a', 'b', 'c']);
});

it('who comes in the same moment as a slot is given back waits behind those that waited', async () => {
  ['a', 'b', 'c'].forEach(want);
  await pass(100, 'a', 'b');
  held['a']?.giveBack();
  want('d');
  await pass(100, 'b');
  expect(Object.keys(began)).toEqual(['a', 'b', 'c']);
});
