/**
 * Why a finished capture is not filed as an incident: what was seen may be work, a slow disk, or nothing at all. The
 * first row that fits decides. docs/architecture.md shows the table, and a test compares it.
 */
import type { Verdict } from '../../model.js';
import {
  alike,
  alive,
  busy,
  type Doubt,
  looked,
  mayEnd,
  none,
  standsBesideLife,
  standsDespiteWork,
  stillWorks,
  testStands,
  unseen,
  work,
} from './doubt.js';
import type { Facts } from './facts.js';

interface DoubtRow {
  id: string;
  /** When it fits, in words. */
  if: string;
  when: (facts: Facts, verdict: Verdict) => boolean;
  /** Null: it is an incident. */
  doubt: Doubt | null;
}

export const DOUBTS: readonly DoubtRow[] = [
  {
    id: 'filed-before',
    if: 'the kernel reports a task that hangs, and the culprit was in an incident and has stood at the same place since',
    when: ({ filedBefore }) => filedBefore,
    doubt: {
      says: (_, { title }) => `the kernel reports a hang that is filed: ${title}`,
      until: 'now',
      known: true,
    },
  },
  {
    id: 'said',
    if: 'QEMU is stuck or has been stopped for a minute, somebody asked, or a second signal says what the console says of the kernel',
    when: ({ speaks }) => speaks,
    doubt: null,
  },
  {
    id: 'contradicted',
    if: 'nothing else says what the console says of the kernel, and SSH answered a probe that began later',
    when: ({ contradicted }) => contradicted !== null,
    doubt: {
      says: ({ contradicted }) => `contradicted: ${contradicted ?? ''}: nothing is filed`,
      until: 'cooldown',
    },
  },
  {
    id: 'answers-again',
    if: 'SSH has answered since, and no command hangs',
    when: ({ answersAgain }) => answersAgain,
    doubt: { says: () => 'SSH answers again', until: 'cooldown' },
  },
  {
    id: 'stalled-no-more',
    if: 'memory accused a task beside a guest that answers, and it is not proven that it stands',
    when: ({ by, proven }, verdict) =>
      by === 'stalled' && (!proven || none(verdict) || verdict.class === 'unknown'),
    doubt: { says: looked, until: 'cooldown' },
  },
  {
    id: 'stalled',
    if: 'a task has stood still for a minute beside a guest that answers, and its device did nothing',
    when: ({ by }) => by === 'stalled',
    doubt: null,
  },
  {
    id: 'test-goes-on',
    if: 'a test is late beside a guest that answers, and it is not proven that a task stands still while no disk or server moves',
    when: (facts, verdict) =>
      facts.by === 'test' && (none(verdict) || verdict.class === 'unknown' || !testStands(facts)),
    doubt: { says: looked, until: 'cooldown' },
  },
  {
    id: 'test-stands',
    if: 'a test is late, and a task has stood still, between two dumps that are 20 s apart or by its memory’s clock',
    when: ({ by }) => by === 'test',
    doubt: null,
  },
  {
    id: 'held-for-a-while',
    if: 'nothing is blocked, and a young real-time task holds a CPU',
    when: ({ held }, verdict) => none(verdict) && held !== null,
    doubt: { says: ({ held }) => `looked: ${held ?? ''}`, until: 'soon', slow: true },
  },
  {
    id: 'start-job',
    if: 'nothing is blocked, and the boot waits for a start job',
    when: ({ wasUp, awaiting }, verdict) => none(verdict) && !wasUp && awaiting !== null,
    doubt: { says: looked, until: 'startJob' },
  },
  {
    id: 'unreached',
    if: 'nothing is blocked in a guest that was up, so that only the way to it is lost',
    when: ({ wasUp, by }, verdict) => none(verdict) && wasUp && by !== 'command',
    doubt: { says: looked, until: 'cooldown', class: 'network-only' },
  },
  {
    id: 'nothing-stuck',
    if: 'nothing is blocked',
    when: (_, verdict) => none(verdict),
    doubt: { says: looked, until: 'cooldown' },
  },
  {
    id: 'userspace',
    if: 'the boot gave up, or waits for a start job without end',
    when: ({ gaveUp, busy: all }, verdict) => verdict.class === 'userspace' && (gaveUp !== null || !all),
    doubt: null,
  },
  {
    id: 'busy-unjudged',
    if: 'every vCPU is busy, and SSH cannot be judged',
    when: (facts, verdict) => busy(facts, verdict) && !facts.sshTells,
    doubt: { says: work, until: 'cooldown' },
  },
  {
    id: 'starved-young',
    if: 'real-time tasks hold every CPU, for less than 12 s yet',
    when: (facts, verdict) => busy(facts, verdict) && facts.starved && facts.at < facts.lost.loop,
    doubt: { says: work, until: 'loop' },
  },
  {
    id: 'starved',
    if: 'real-time tasks hold every CPU: the scheduler’s own table proves it',
    when: (facts, verdict) => busy(facts, verdict) && facts.starved,
    doubt: null,
  },
  {
    id: 'busy-greets',
    if: 'every vCPU is busy, and SSH greets',
    when: (facts, verdict) => busy(facts, verdict) && facts.by === 'command',
    doubt: { says: (...of) => `${work(...of)}, and its SSH greets`, until: 'cooldown' },
  },
  {
    id: 'busy-answers',
    if: 'every vCPU is busy, and SSH answers now and then',
    when: (facts, verdict) => busy(facts, verdict) && facts.flaps,
    doubt: { says: (...of) => `${work(...of)}, and its SSH answers now and then`, until: 'cooldown' },
  },
  {
    id: 'busy-talks',
    if: 'every vCPU is busy, and the console goes on',
    when: (facts, verdict) => busy(facts, verdict) && facts.goesOn,
    doubt: {
      says: (...of) => `${work(...of)}, and its console goes on`,
      until: 'cooldown',
      class: 'network-only',
    },
  },
  {
    id: 'busy-unreached',
    if: 'every vCPU is busy, and the SSH server sleeps: nothing reaches it',
    when: (facts, verdict) => busy(facts, verdict) && facts.serverSleeps,
    doubt: {
      says: (...of) => `${work(...of)}, and its SSH server sleeps: nothing reaches it`,
      until: 'cooldown',
      class: 'network-only',
    },
  },
  {
    id: 'busy-boot',
    if: 'every vCPU is busy in a boot that reads and writes',
    when: (facts, verdict) => busy(facts, verdict) && !facts.wasUp && facts.moved !== null,
    doubt: { says: work, until: 'cooldown' },
  },
  {
    id: 'loops-young',
    if: 'every vCPU loops within a page of code, for less than 12 s yet',
    when: (facts, verdict) => busy(facts, verdict) && facts.loops && facts.at < facts.lost.loop,
    doubt: { says: work, until: 'loop' },
  },
  {
    id: 'busy-young',
    if: 'every vCPU is busy, for less than 60 s yet',
    when: (facts, verdict) => busy(facts, verdict) && !facts.loops && facts.at < facts.lost.slow,
    doubt: { says: work, until: 'slow' },
  },
  {
    id: 'busy',
    if: 'every vCPU is busy, and nothing else speaks for the guest',
    when: busy,
    doubt: null,
  },
  {
    id: 'unseen-unjudged',
    if: 'no dump came, and SSH cannot be judged',
    when: ({ sshTells }, verdict) => verdict.class === 'unknown' && !sshTells,
    doubt: { says: unseen, until: 'cooldown' },
  },
  {
    id: 'unseen-young',
    if: 'no dump came, and the guest is lost for less than 30 s yet',
    when: ({ at, lost }, verdict) => verdict.class === 'unknown' && at < lost.blind,
    doubt: { says: unseen, until: 'blind' },
  },
  {
    id: 'unseen',
    if: 'no dump came',
    when: (_, verdict) => verdict.class === 'unknown',
    doubt: null,
  },
  {
    id: 'not-still',
    if: 'SSH cannot be judged, and no task stood still in two dumps or two captures',
    when: ({ sshTells, proven, stoodStill }) => !sshTells && !proven && !stoodStill,
    doubt: {
      says: (_, { title }) => `SSH cannot be judged, and no task stood still in two dumps: ${title}`,
      until: 'soon',
    },
  },
  {
    id: 'still',
    if: 'SSH cannot be judged, and a task stood still',
    when: ({ sshTells }) => !sshTells,
    doubt: null,
  },
  {
    // It may go on like that for hours: two captures in a row are enough.
    id: 'answers-rarely',
    if: 'SSH answers now and then, that a task stands still is not proven, and this is the second capture in a minute',
    when: (facts) => facts.flaps && facts.pair && !standsBesideLife(facts),
    doubt: { says: alike, until: 'cooldown' },
  },
  {
    id: 'alive',
    if: 'something of the guest goes on, and that a task stands still is not proven',
    when: (facts) => alive(facts) && !standsBesideLife(facts),
    doubt: { says: alike, until: 'soon' },
  },
  {
    id: 'stands-beside-life',
    if: 'something of the guest goes on, and a task is proven to stand still, or waits for a dead server',
    when: alive,
    doubt: null,
  },
  {
    id: 'fresh',
    if: 'the culprit was not blocked yet in the first dump',
    when: ({ proven, fresh }) => !proven && fresh,
    doubt: {
      says: (_, { title }) => `nothing was blocked yet in the first dump: ${title}`,
      until: 'soon',
      slow: true,
    },
  },
  {
    id: 'may-end',
    if: 'the culprit sleeps in S, or waits for a server of which nothing is known, and was seen once',
    when: (facts) => !facts.proven && mayEnd(facts) !== null,
    doubt: {
      says: (facts, { title }) => `seen once only, in a wait that may end${mayEnd(facts) ?? ''}: ${title}`,
      until: 'soon',
      slow: true,
    },
  },
  {
    id: 'slow',
    if: 'its disks or servers move, or the host is short of time, and the culprit is not proven to stand still for a minute; for three minutes where it waits for a disk and disks move',
    when: (facts) => stillWorks(facts) !== null && !standsDespiteWork(facts),
    doubt: {
      says: (facts, { title }) => `slow, not stuck: ${title}, but ${stillWorks(facts) ?? ''}`,
      until: 'proof',
      slow: true,
    },
  },
  { id: 'stuck', if: 'nothing speaks against it', when: () => true, doubt: null },
];

/** The row that decides. */
export function doubtOf(facts: Facts, verdict: Verdict): DoubtRow {
  const row = DOUBTS.find(({ when }) => when(facts, verdict));
  if (row === undefined) throw new Error('the last row fits always');
  return row;
}
