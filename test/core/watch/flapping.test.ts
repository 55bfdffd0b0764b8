/** Guests whose SSH answers now and then. */
import { describe, expect, it } from 'vitest';
import { probed, steady } from '../../../src/core/watch/slices/flapping.js';
import type { Look, SysrqKey } from '../../../src/core/model.js';
import { guestStatus } from '../../../src/core/watch/status.js';
import { answers, booted, golden, running, VirtualGuest } from '../../support/virtual-guest.js';
import { rationed } from '../../support/starving.js';

const WEDGE = 30_000;
const idle = answers(golden('idle'));
const pageIn = answers(golden('page-in'));
const busyLook = (at: number): Look => ({
  ...running,
  shares: [],
  qmp: {
    ok: true,
    runState: 'running',
    vcpus: [0, 1].map((index) => ({ index, threadId: 9 + index, cpuMs: at })),
    block: null,
  },
});
const idleLook = (): Look => ({ ...running, shares: [] });

/** Answers one probe in three from then on. */
function oneInThree(from = WEDGE, until = Infinity) {
  let probes = 0;
  return (at: number) => {
    if (at < from || at >= until) return 'ok' as const;
    probes += 1;
    return probes % 3 === 0 ? ('ok' as const) : ('timed-out' as const);
  };
}

describe('answers that come rarely', () => {
  const after = (text: string, everyMs = 3_000) =>
    Array.from(text).reduce(
      (known, letter, index) => probed(known, index * everyMs, letter === '+'),
      steady(),
    ).since;

  it.each([
    ['+++--+--+--+', 9_000],
    ['+-+-+-+-', 3_000],
    ['--+--+--+', 0],
  ])('%s: it answers rarely', (text, since) => {
    expect(after(text)).toBe(since);
  });

  it.each([
    ['never', '---------'],
    ['always', '+++++++++'],
    ['away once, and back', '+++-----+++'],
    ['one probe lost now and then', '+++++-+++++-+++++-+++'],
    ['away twice', '+++--+--+++'],
    ['rarely, and then steadily', '+--+--+--+--+++++'],
    ['rarely, and then no longer at all', `+--+--+--+${'-'.repeat(21)}`],
  ])('%s is something else', (_, text) => {
    expect(after(text)).toBeNull();
  });
});

it('real-time loops that leave all others 5 % of each CPU: filed although SSH answered once more', () => {
  const guest = booted(new VirtualGuest({ ssh: oneInThree(), press: rationed, look: busyLook }));
  guest.run(90_000);
  const [finding, ...more] = guest.findings;
  expect(more).toEqual([]);
  expect(finding?.analysis.verdict).toMatchObject({ class: 'starved' });
  expect(finding?.analysis.verdict.reasons).toContain(
    'The kernel leaves all other tasks 5 % of such a CPU at most.',
  );
  guest.run(120_000);
  expect(guest.findings).toHaveLength(1);
  expect(guestStatus(guest.state, guest.settings, guest.now)).toMatchObject({
    state: 'held',
    class: 'starved',
  });
});

it('one that is filed at once, for what its kernel said, is filed once, and recovers when it answers steadily', () => {
  const end = 5 * WEDGE;
  const guest = booted(
    new VirtualGuest({
      ssh: oneInThree(WEDGE, end),
      press: (key, at) => (at < end ? rationed : idle)(key),
      look: busyLook,
    }),
  );
  guest.lines(['[   31.000000] INFO: task mount:88 blocked for more than 120 seconds.'], WEDGE + 1_000);
  guest.run(end);
  expect(guest.findings.map(({ analysis }) => analysis.verdict.class)).toEqual(['starved']);
  expect(guest.state.name).toBe('held');
  guest.run(20_000);
  expect(guest.state.name).toBe('up');
});

it('what the kernel says of such a CPU is among the reasons, and no news', () => {
  const guest = booted(new VirtualGuest({ ssh: oneInThree(), press: rationed, look: busyLook }));
  for (let at = WEDGE; at < 90_000; at += 2_000)
    guest.lines([`[   ${at / 1_000}.100000] sched: DL replenish lagged too much`], at);
  guest.run(90_000);
  expect(guest.findings[0]?.analysis.verdict.reasons.at(-1)).toMatch(
    /^The kernel says: .*DL replenish lagged/,
  );
});

it('is not called up meanwhile, and is when it answers steadily', () => {
  const guest = booted(
    new VirtualGuest({ ssh: oneInThree(WEDGE, 4 * WEDGE), press: idle, look: idleLook }),
  ).run(2 * WEDGE + 20_000);
  expect(guestStatus(guest.state, guest.settings, guest.now)).toMatchObject({
    state: 'suspect',
    class: 'suspect',
    reasons: [expect.stringMatching(/^SSH answers rarely/) as string, expect.anything()],
  });
  guest.run(3 * WEDGE);
  expect(guestStatus(guest.state, guest.settings, guest.now)).toMatchObject({
    state: 'up',
    class: 'healthy',
  });
  expect(guest.findings).toEqual([]);
});

it('a lossy network accuses nobody in an hour, and is looked at a few times only', () => {
  const guest = booted(new VirtualGuest({ ssh: oneInThree(), press: idle, look: idleLook })).run(3_600_000);
  expect(guest.findings).toEqual([]);
  expect(guest.pressed.filter((key) => key === 't').length).toBeLessThan(10);
});

it('a task that stands still in one look and moves on in the next is slow', () => {
  let looks = 0;
  const press = (key: SysrqKey) => {
    if (key === 'w') looks += 1;
    return (looks % 2 === 1 ? pageIn : idle)(key);
  };
  const guest = booted(new VirtualGuest({ ssh: oneInThree(), press, look: idleLook })).run(600_000);
  expect(guest.findings).toEqual([]);
});

it('a task that stands still for long is stuck, however often SSH answers', () => {
  const guest = booted(new VirtualGuest({ ssh: oneInThree(), press: pageIn, look: idleLook })).run(150_000);
  expect(guest.findings.map(({ analysis }) => analysis.verdict.class)).toEqual(['blocked']);
});
