/**
 * Healthy lives in virtual time: whatever order they come in, nobody is accused; and a wedge at their end is caught.
 * `npm run hours` lives ten thousand hours; WEDGEWATCH_SEED=n lives the same ones again.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chapter, type Life, live, LOOP } from '../../support/lives.js';
import { recordedTasks } from '../../support/memory-dumps.js';
import { keptFromRunning, rationed } from '../../support/starving.js';
import { dead } from '../../support/panicked.js';
import { answers, booted, golden, VirtualGuest } from '../../support/virtual-guest.js';

const blocked = answers(golden('page-in'));
const waiting = answers(golden('exec'));
const starved = keptFromRunning(answers(golden('idle')));
const HOUR = 3_600_000;
/** So many hours are lived, other ones each time; the few of a test run are the same ones each time. */
const HOURS = Number(process.env['WEDGEWATCH_HOURS'] ?? 10);
const SEED = Number(
  process.env['WEDGEWATCH_SEED'] ??
    (process.env['WEDGEWATCH_HOURS'] === undefined ? 1 : Date.now() % 1_000_000_000),
);

/** Its memory shows the tasks of a recording, which stand from now on. */
const since = ({ guest }: Life, name: string) => ({ tasks: recordedTasks(name), since: guest.now });

/** How a guest may wedge: what it is then found to be, and how long that may take, in milliseconds. */
const WEDGES: Record<string, { wedge: (life: Life) => void; class: string; within: number }> = {
  'page-in on a dead share': {
    wedge: (life) => Object.assign(life, { ssh: 'timed-out', press: blocked, shows: since(life, 'page-in') }),
    class: 'blocked',
    within: 15_000,
  },
  'page-in on a dead share, a moment after a program printed a panic': {
    wedge: (life) => {
      life.guest.lines(['Kernel panic - not syncing: all fine']);
      life.guest.run(500);
      Object.assign(life, { ssh: 'timed-out', press: blocked, shows: since(life, 'page-in') });
    },
    class: 'blocked',
    within: 16_000,
  },
  'exec on a dead share': {
    wedge: (life) => Object.assign(life, { ssh: 'timed-out', press: waiting, shows: since(life, 'exec') }),
    class: 'waiting',
    within: 15_000,
  },
  'a dead share, and a server that greets out of memory': {
    wedge: (life) => Object.assign(life, { command: Infinity, press: waiting, shows: since(life, 'exec') }),
    class: 'waiting',
    within: 160_000,
  },
  'a dead disk, and a server that greets out of memory': {
    wedge: (life) =>
      Object.assign(life, { command: Infinity, press: blocked, shares: [], shows: since(life, 'page-in') }),
    class: 'blocked',
    within: 200_000,
  },
  'every CPU in a loop': {
    wedge: (life) =>
      Object.assign(life, {
        ssh: 'timed-out',
        press: starved,
        busy: 1,
        pcs: LOOP,
      }),
    class: 'spinning|userspace',
    within: 20_000,
  },
  'every CPU in a real-time loop that leaves others 5 % of it': {
    wedge: (life) => Object.assign(life, { rarely: true, press: rationed, busy: 1 }),
    class: 'starved',
    within: 60_000,
  },
  'QEMU stuck': {
    wedge: (life) =>
      Object.assign(life, {
        ssh: 'timed-out',
        qmp: { ok: false, fault: 'main-loop-stuck', detail: 'silent' },
      }),
    class: 'qemu-stuck',
    within: 15_000,
  },
  'a panic': {
    wedge: (life) => {
      life.guest.lines(['[  150.0] Kernel panic - not syncing: Fatal exception']);
      const { qmp } = dead(life.guest.now);
      Object.assign(life, { ssh: 'timed-out', press: () => [], qmp });
    },
    class: 'panicked',
    within: 9_000,
  },
  'a hung task that the kernel reports, again and again': {
    wedge: (life) => {
      Object.assign(life, { press: blocked, shows: since(life, 'page-in') });
      for (let turn = 0; turn < 5; turn += 1)
        life.guest.lines(
          [`[  ${150 + turn}.0] INFO: task pagein:109 blocked for more than ${120 + 121 * turn} seconds.`],
          turn * 121_000,
        );
    },
    class: 'blocked',
    within: 6_000,
  },
};

it('nobody who lives well is accused', { timeout: 60_000 + HOURS * 1_000 }, () => {
  let lived = 0;
  let lives = 0;
  while (lived < HOURS * HOUR) {
    fc.assert(
      fc.property(fc.array(chapter, { minLength: 1, maxLength: 8 }), fc.boolean(), (story, readsMemory) => {
        const { guest } = live(story, readsMemory);
        // A look that was under way when all was well again comes to its end.
        guest.run(60_000);
        // What a program printed before may be looked into only now.
        if (guest.state.name !== 'up') guest.run(30_000);
        expect(guest.findings.map(({ analysis, why }) => [analysis.verdict.title, why])).toEqual([]);
        expect(guest.state.name).toBe('up');
        lived += guest.now;
        lives += 1;
      }),
      { numRuns: 10, seed: SEED + lives },
    );
  }
  process.stdout.write(`${Math.round(lived / HOUR)} hours in ${lives} lives: no false incident\n`);
});

/** Lives in which a healthy guest was accused once. */
const ACCUSED_ONCE: Record<string, Parameters<typeof live>[0]> = {
  'somebody waits for whoever waits for a lock of a file, and the dumps show neither': [
    ['waits for a lock of a file, for as long as somebody holds it', 80_000, 0],
  ],
  'two captures show the same stack, and each of them the task away at its beginning': [
    ['is not seen by a watchdog that sleeps', 2_501, 0],
    ['answers now and then, and nothing is stuck', 54_800, 0],
  ],
  'a program prints an oops where nobody can ask SSH, and the guest is rebooted just then': [
    ['prints the words of a kernel to a host without ssh', 657_001, 72_730],
    ['boots with a start job that ends', 0, 0],
  ],
  'a program prints a panic while an oops is looked into, SSH goes on answering, and the guest is rebooted just then':
    [
      ['prints the words of a kernel to a host without ssh', 135_001, 59_134],
      ['prints the words of a kernel, and means nothing by them', 3_200, 0],
      ['prints the words of a panic in its boot', 0, 0],
    ],
  'a program prints an oops where nobody can ask SSH, the host is slow for as long as its own average hides it':
    [
      ['prints the words of a kernel to a host without ssh', 597_326, 73_516],
      ['is slow together with its host', 5_200, 0],
      ['checks its disk, silent for minutes', 0, 0],
      ['prints the words of a kernel, and means nothing by them', 0, 0],
    ],
  'a program prints what a kernel would, and its turn comes as a share is slow while SSH is away': [
    ['prints the words of a kernel, and means nothing by them', 361_000, 20_827],
    ['waits for a share of a server that is not known, while SSH is away', 788_800, 0],
  ],
  'a program prints an oops, and its turn comes as the host is slow, so that two captures show the same stack':
    [
      ['prints the words of a kernel to a host without ssh', 2_500, 89_986],
      ['prints the words of a kernel, and means nothing by them', 205_501, 0],
      ['prints the words of a kernel, and means nothing by them', 571_960, 80_403],
      ['is frozen for a backup', 853_541, 0],
      ['is slow together with its host', 47_300, 0],
    ],
  'a program prints that a task hangs, and its turn comes as the host is slow, for as long as its own average hides it':
    [
      ['prints the words of a kernel to a host without ssh', 2_500, 89_986],
      ['prints the words of a kernel, and means nothing by them', 205_001, 0],
      ['prints the words of a kernel, and means nothing by them', 572_460, 79_929],
      ['is frozen for a backup', 853_541, 0],
      ['is slow together with its host', 47_300, 0],
    ],
};

it.each(Object.entries(ACCUSED_ONCE))('%s: nobody is accused', (_, story) => {
  for (const readsMemory of [false, true]) {
    const { guest } = live(story, readsMemory);
    guest.run(60_000);
    expect(guest.findings.map(({ analysis }) => analysis.verdict.title)).toEqual([]);
  }
});

/** A host without ssh looks at a silent guest, in vain and ever more rarely: what it finds then is no pause for later. */
it.each([60, 200, 1_000])(
  'who wedges as a host fault of ssh ends, after %s s of it, is caught at once',
  (lasted) => {
    const from = 30_000 + lasted * 1_000;
    const idle = answers(golden('idle'));
    const life = new VirtualGuest({
      ssh: (at) => (at < 30_000 ? 'ok' : at < from ? 'host-fault' : 'timed-out'),
      press: (key, at) => (at < from ? idle : blocked)(key),
    });
    booted(life).run(from + 20_000);
    expect(life.findings.map(({ analysis }) => analysis.verdict.class)).toEqual(['blocked']);
    expect((life.findings[0]?.capturedAt ?? Infinity) - from).toBeLessThan(15_000);
  },
);

/** How long a guest stays wedged, and is filed once. */
const WEDGED_MS = 10 * 60_000;

it('who wedges after such a life is caught in time, and once', { timeout: 60_000 + HOURS * 1_000 }, () => {
  const taken: number[] = [];
  fc.assert(
    fc.property(
      fc.array(chapter, { maxLength: 2 }),
      fc.constantFrom(...Object.keys(WEDGES)),
      fc.integer({ min: 0, max: 6_000 }),
      fc.boolean(),
      (story, name, phase, readsMemory) => {
        const how = WEDGES[name];
        if (how === undefined) return;
        const life = live(story, readsMemory);
        // A guest that let nobody in is asked again after ten minutes.
        life.guest.run(phase + (how.within > 60_000 ? 660_000 : 0));
        const at = life.guest.now;
        how.wedge(life);
        life.guest.run(WEDGED_MS);
        const classes = life.guest.findings.map(({ analysis }) => analysis.verdict.class);
        expect(classes).toEqual([expect.stringMatching(new RegExp(`^(?:${how.class})$`))]);
        taken.push((life.guest.findings[0]?.capturedAt ?? Infinity) - at);
        // One that answered rarely just before may have been looked at in vain: the next look is a minute later. And a
        // host that was slow just before seems so yet: its pressure is an average.
        const rough = story.some(([chapter]) => /^(?:answers now and then|is slow together)/.test(chapter));
        // What the kernel says after a program said the same waits for its turn, or for the look at that to end.
        const forged = story.some(([chapter]) => chapter.startsWith('prints the words of a'));
        const waits = name.startsWith('a hung task') ? 300_000 : name === 'a panic' ? 10_000 : 0;
        expect(taken.at(-1)).toBeLessThanOrEqual(how.within + (rough ? 60_000 : 0) + (forged ? waits : 0));
      },
    ),
    { numRuns: Math.max(40, HOURS / 5), seed: SEED },
  );
  const sorted = taken.toSorted((a, b) => a - b);
  const p95 = (sorted[Math.floor(sorted.length * 0.95)] ?? 0) / 1000;
  process.stdout.write(`${taken.length} wedges: all caught, p95 ${p95.toFixed(1)} s to the last dump\n`);
});
