/** A test a row: facts that this row is the first to fit, and what follows from it. */
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../src/core/model.js';
import { UNTIL } from '../../../src/core/watch/case/doubt.js';
import { DOUBTS, doubtOf } from '../../../src/core/watch/case/doubts.js';
import type { Facts } from '../../../src/core/watch/case/facts.js';

const AT = 100_000;
const culprit = { comm: 'mount', pid: 88, state: 'D', frame: 'io_schedule' } as const;

/** A guest that was up and is lost for long, with one task that is blocked and was so in both looks. */
const STUCK: Facts = {
  at: AT,
  by: 'silence',
  speaks: false,
  filedBefore: false,
  contradicted: null,
  sshTells: true,
  loss: { of: 'ssh', since: 20_000 },
  flaps: false,
  answersAgain: false,
  wasUp: true,
  goesOn: false,
  gaveUp: null,
  awaiting: null,
  busy: false,
  loops: false,
  deaf: false,
  held: null,
  starved: false,
  serverSleeps: false,
  moved: null,
  stirs: null,
  hostStarves: null,
  keptWaiting: null,
  backendDead: false,
  backendUnknown: null,
  onShare: false,
  diskMayCome: false,
  culprit,
  stoodStill: true,
  fresh: false,
  stood: null,
  stoodMs: 0,
  proven: false,
  pair: false,
  lost: { blind: 50_000, loop: 40_000, slow: 80_000, startJob: 90_000 },
  byMemoryMs: null,
  unseen: null,
};
const blocked: Verdict = {
  title: 'mount:88 stuck',
  class: 'blocked',
  frame: 'io_schedule',
  culprit,
  confidence: 'high',
  inferred: [],
  reasons: ['both looks show it'],
};
const none: Verdict = { ...blocked, class: 'none', culprit: null, frame: null, title: 'nothing is stuck' };
const spinning: Verdict = { ...none, class: 'spinning', title: 'every vCPU is busy' };
const unknown: Verdict = { ...none, class: 'unknown', title: 'no dump' };
const userspace: Verdict = { ...none, class: 'userspace', title: 'the boot gave up' };
const young = { blind: AT + 1, loop: AT + 2, slow: AT + 3, startJob: AT + 4 };
const stood = { key: 'k', since: 70_000, switches: null, ran: false };

type Row = readonly [verdict: Verdict, facts: Partial<Facts>, says: string | null, until?: number];
const COOLDOWN = Infinity;
const SOON = AT + 25_000;
const ROWS: Record<string, Row> = {
  'filed-before': [
    blocked,
    { filedBefore: true, speaks: true },
    'the kernel reports a hang that is filed: mount:88 stuck',
    AT,
  ],
  said: [none, { speaks: true }, null],
  contradicted: [
    blocked,
    { contradicted: 'the console says so, and SSH answered' },
    'contradicted: the console says so, and SSH answered: nothing is filed',
    COOLDOWN,
  ],
  'answers-again': [blocked, { answersAgain: true }, 'SSH answers again', COOLDOWN],
  'stalled-no-more': [
    blocked,
    { by: 'stalled', goesOn: true, loss: { of: 'nothing', since: AT } },
    'looked: both looks show it',
    COOLDOWN,
  ],
  stalled: [blocked, { by: 'stalled', goesOn: true, proven: true }, null],
  'test-goes-on': [
    blocked,
    { by: 'test', goesOn: true, moved: '12 requests to its disks' },
    'looked: both looks show it',
    COOLDOWN,
  ],
  'test-stands': [blocked, { by: 'test', goesOn: true }, null],
  'held-for-a-while': [
    none,
    { held: 'a real-time task is young' },
    'looked: a real-time task is young',
    SOON,
  ],
  'start-job': [none, { wasUp: false, awaiting: 'data.mount' }, 'looked: both looks show it', 90_000],
  unreached: [none, {}, 'looked: both looks show it', COOLDOWN],
  'nothing-stuck': [none, { by: 'command' }, 'looked: both looks show it', COOLDOWN],
  userspace: [userspace, { gaveUp: 'You are in emergency mode' }, null],
  'busy-unjudged': [
    spinning,
    { busy: true, sshTells: false },
    'busy, perhaps with work: every vCPU is busy',
    COOLDOWN,
  ],
  'starved-young': [
    spinning,
    { busy: true, starved: true, lost: young },
    'busy, perhaps with work: every vCPU is busy',
    AT + 2,
  ],
  starved: [spinning, { busy: true, starved: true, by: 'command' }, null],
  'busy-greets': [
    spinning,
    { busy: true, by: 'command', goesOn: true },
    'busy, perhaps with work: every vCPU is busy, and its SSH greets',
    COOLDOWN,
  ],
  'busy-answers': [
    spinning,
    { busy: true, flaps: true },
    'busy, perhaps with work: every vCPU is busy, and its SSH answers now and then',
    COOLDOWN,
  ],
  'busy-talks': [
    spinning,
    { busy: true, by: 'ssh-lost', goesOn: true },
    'busy, perhaps with work: every vCPU is busy, and its console goes on',
    COOLDOWN,
  ],
  'busy-unreached': [
    spinning,
    { busy: true, serverSleeps: true },
    'busy, perhaps with work: every vCPU is busy, and its SSH server sleeps: nothing reaches it',
    COOLDOWN,
  ],
  'busy-boot': [
    spinning,
    { busy: true, wasUp: false, moved: 'its block devices still move' },
    'busy, perhaps with work: every vCPU is busy',
    COOLDOWN,
  ],
  'loops-young': [
    spinning,
    { busy: true, loops: true, lost: young },
    'busy, perhaps with work: every vCPU is busy',
    AT + 2,
  ],
  'busy-young': [
    spinning,
    { busy: true, lost: young },
    'busy, perhaps with work: every vCPU is busy',
    AT + 3,
  ],
  busy: [spinning, { busy: true }, null],
  'unseen-unjudged': [
    unknown,
    { sshTells: false, unseen: 'no answer' },
    'cannot look into it (no answer)',
    COOLDOWN,
  ],
  'unseen-young': [unknown, { lost: young }, 'cannot look into it (no dump)', AT + 1],
  unseen: [unknown, {}, null],
  'not-still': [
    blocked,
    { sshTells: false, stoodStill: false },
    'SSH cannot be judged, and no task stood still in two dumps: mount:88 stuck',
    SOON,
  ],
  still: [blocked, { sshTells: false }, null],
  'answers-rarely': [
    blocked,
    { flaps: true, pair: true },
    'its SSH answers now and then, and that it is stuck is not proven: mount:88 stuck',
    COOLDOWN,
  ],
  alive: [
    blocked,
    { by: 'ssh-lost', goesOn: true },
    'its console goes on, and that it is stuck is not proven: mount:88 stuck',
    SOON,
  ],
  'stands-beside-life': [blocked, { by: 'command', goesOn: true, backendDead: true }, null],
  fresh: [blocked, { fresh: true }, 'nothing was blocked yet in the first dump: mount:88 stuck', SOON],
  'may-end': [
    blocked,
    { culprit: { ...culprit, state: 'S' } },
    'seen once only, in a wait that may end: mount:88 stuck',
    SOON,
  ],
  slow: [
    blocked,
    { moved: 'its block devices still move' },
    'slow, not stuck: mount:88 stuck, but its block devices still move',
    SOON,
  ],
  stuck: [blocked, {}, null],
};

describe('a doubt', () => {
  it.each(DOUBTS.map(({ id }) => id))('%s', (id) => {
    const row = ROWS[id];
    if (row === undefined) throw new Error(`no test has the facts of ${id}`);
    const [verdict, changed, says, until] = row;
    const facts = { ...STUCK, ...changed };
    const found = doubtOf(facts, verdict);
    expect(found.id).toBe(id);
    expect(found.doubt?.says(facts, verdict) ?? null).toBe(says);
    if (found.doubt !== null) expect(UNTIL[found.doubt.until].at(facts)).toBe(until);
  });

  it('has a row for each of these facts, in this order', () => {
    expect(DOUBTS.map(({ id }) => id)).toEqual(Object.keys(ROWS));
  });

  it('ends where a capture proves what an earlier one only showed', () => {
    const rows: [Partial<Facts>, string][] = [
      [{ culprit: { ...culprit, state: 'S' }, proven: true, stood }, 'stuck'],
      [{ fresh: true, proven: true, stood }, 'stuck'],
      [{ moved: 'disks', proven: true, stood }, 'stuck'],
      [{ moved: 'disks', proven: true, stood: { ...stood, ran: true } }, 'slow'],
      [{ moved: 'disks', proven: true, diskMayCome: true }, 'slow'],
      [{ keptWaiting: 'its vCPUs waited', proven: true, diskMayCome: true, stood }, 'stuck'],
      [{ moved: 'disks', proven: true, stood, lost: young }, 'slow'],
      [{ by: 'ssh-lost', goesOn: true, proven: true, stood }, 'stands-beside-life'],
      [{ by: 'ssh-lost', goesOn: true, proven: true, moved: 'disks' }, 'alive'],
      [{ sshTells: false, stoodStill: false, proven: true, stood }, 'still'],
    ];
    for (const [changed, id] of rows)
      expect([changed, doubtOf({ ...STUCK, ...changed }, blocked).id]).toEqual([changed, id]);
  });

  it('of a wait for a share turns on its server', () => {
    const rows: [Partial<Facts>, string][] = [
      [{ backendUnknown: 'it hides' }, 'may-end'],
      [{ backendDead: true, backendUnknown: 'it hides' }, 'stuck'],
      [{ stirs: 'the server of its share still works' }, 'slow'],
      [{ backendDead: true, moved: 'disks' }, 'stuck'],
      [{ backendDead: true, keptWaiting: 'its vCPUs waited' }, 'stuck'],
      [{ backendDead: true, hostStarves: 'host I/O pressure 95 %' }, 'slow'],
      [{ keptWaiting: 'its vCPUs waited' }, 'slow'],
      [{ keptWaiting: 'its vCPUs waited', deaf: true }, 'stuck'],
    ];
    for (const [changed, id] of rows)
      expect([changed, doubtOf({ ...STUCK, onShare: true, ...changed }, blocked).id]).toEqual([changed, id]);
  });
});
