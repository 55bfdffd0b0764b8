/** What a guest's memory changes: what is seen sooner, what is not pressed, and whom it must never accuse. */
import { describe, expect, it } from 'vitest';
import type { Look, Task } from '../../../src/core/model.js';
import { assess } from '../../../src/core/watch/assess.js';
import { guestStatus } from '../../../src/core/watch/status.js';
import { memoryAt, recordedTasks } from '../../support/memory-dumps.js';
import type { Script } from '../../support/script.js';
import { answers, booted, golden, healthyFor, running, VirtualGuest } from '../../support/virtual-guest.js';

const WEDGE = 30_000;
const idle = recordedTasks('idle');
const pageIn = answers(golden('page-in'));

/** A guest whose tasks stand as those of a recording from WEDGE on. */
const stuck =
  (name: string): NonNullable<Script['memory']> =>
  (at) =>
    at < WEDGE ? memoryAt(idle, at, { since: null }) : memoryAt(recordedTasks(name), at, { since: WEDGE });
/** One whose tasks are blocked now and then, and move. */
const slow: NonNullable<Script['memory']> = (at) => memoryAt(recordedTasks('page-in'), at, { since: null });
const resting: NonNullable<Script['memory']> = (at) => memoryAt(idle, at, { since: null });

/** Its server runs, and does so many milliseconds of work a second; its disk so many requests. */
const look =
  ({ state = 'S', work = 0, requests = 0 }: { state?: string; work?: number; requests?: number }) =>
  (at: number): Look => ({
    ...running,
    shares: [
      {
        tag: 'store',
        socket: '/s',
        server: { pid: 7, comm: 'virtiofsd', state, cpuMs: Math.floor((at / 1000) * work) },
      },
    ],
    qmp: {
      ok: true,
      runState: 'running',
      vcpus: [{ index: 0, threadId: 9, cpuMs: 0 }],
      block: { reads: Math.floor((at / 1000) * requests), writes: 0 },
    },
  });

const lifeOf = (script: Script) =>
  booted(new VirtualGuest({ ssh: healthyFor(WEDGE), press: pageIn, ...script }));
const titles = ({ findings }: VirtualGuest) => findings.map(({ analysis }) => analysis.verdict.title);
const notes = ({ effects }: VirtualGuest) =>
  effects.flatMap((effect) => (effect.type === 'note' ? [effect.text] : []));
const after = (guest: VirtualGuest) => (guest.findings[0]?.capturedAt ?? Infinity) - WEDGE;
const names = (guest: VirtualGuest) => guest.findings[0]?.evidence.map(({ name }) => name);

describe('a guest that was up and wedges', () => {
  it('is read for its case though a host that was busy read it too late a moment before', () => {
    const shows = stuck('page-in');
    const failsAround = (at: number) => (at > WEDGE && at < WEDGE + 5_000 ? null : shows(at));
    const guest = lifeOf({ memory: failsAround }).run(60_000);
    expect(names(guest)).toContain('memory');
  });

  it.each(['page-in', 'exec'])('on a dead share (%s) is filed as soon as two snapshots agree', (name) => {
    const guest = lifeOf({ memory: stuck(name), press: answers(golden(name)) }).run(60_000);
    expect(guest.findings).toHaveLength(1);
    expect(after(guest)).toBeLessThanOrEqual(6_000);
    expect(names(guest)).toEqual(['memory', 'sysrq-w.1', 'sysrq-t']);
    expect(guest.findings[0]?.complete).toBe(true);
    expect(guest.findings[0]?.why[1]).toMatch(/^memory shows that \S+ in [DS] has stood still for [\d.]+ s/);
    expect(guest.stages).not.toContain('holding');
  });

  it('on a share whose server lives has its memory on disk at once, and its keys pressed in time', () => {
    const guest = lifeOf({ memory: stuck('page-in'), look: look({}) });
    guest.lines(['a job has begun'], WEDGE);
    guest.run(WEDGE + 7_000);
    expect(guest.stages.at(-1)).toBe('holding');
    expect(guest.pressed.filter((key) => key !== 'h')).toEqual([]);
    guest.run(23_000);
    expect(guest.findings).toHaveLength(1);
    expect(after(guest)).toBeLessThanOrEqual(11_000);
    expect(names(guest)).toEqual(['memory', 'sysrq-w.1', 'sysrq-t']);
  });

  it('for five seconds only is let go without a key, and without a pause', () => {
    const end = WEDGE + 6_000;
    const memory: Script['memory'] = (at) => (at < end ? stuck('page-in')(at) : slow(at));
    const ssh = (at: number) => (at > WEDGE && at < end ? ('timed-out' as const) : ('ok' as const));
    const guest = lifeOf({ memory, ssh, look: look({}) });
    guest.lines(['a job has begun'], WEDGE);
    guest.run(90_000);
    expect(titles(guest)).toEqual([]);
    expect(guest.stages).toContain('holding');
    expect(guest.pressed.filter((key) => key !== 'h')).toEqual([]);
    expect(guest.state.restraint.notBefore).toBe(0);
  });

  it('keeps its second look where memory was not read as a whole', () => {
    const memory: Script['memory'] = (at) =>
      at < WEDGE
        ? resting(at)
        : memoryAt(recordedTasks('page-in'), at, { since: null, incomplete: 'a list did not close' });
    const guest = lifeOf({ memory }).run(60_000);
    expect(names(guest)).toEqual(['memory', 'sysrq-w.1', 'sysrq-w.2', 'sysrq-t']);
    expect(guest.findings[0]?.complete).toBe(true);
  });
});

describe('nothing is pressed', () => {
  const keys = (guest: VirtualGuest) => guest.pressed.filter((key) => key !== 'h');

  it.each([
    ['slow: what is blocked moves', slow],
    ['out of reach: nothing is blocked', resting],
  ])('in a silent guest that is %s', (_, memory) => {
    const guest = lifeOf({ memory, look: look({ requests: 100 }) }).run(120_000);
    expect(titles(guest)).toEqual([]);
    expect(keys(guest)).toEqual([]);
    expect(notes(guest)).toContainEqual(expect.stringContaining('memory shows that'));
    expect(assess(guest.state, guest.settings, guest.now).class).toMatch(/network-only|none|suspect/);
  });

  it('but where every CPU is busy, and where a boot waits for a job, keys tell more', () => {
    const busy: Script['memory'] = (at) => memoryAt(idle, at, { since: null, busy: true });
    expect(keys(lifeOf({ memory: busy }).run(60_000))).toContain('w');
    const boot = new VirtualGuest({ ssh: () => 'refused', press: answers(golden('idle')), memory: resting });
    boot.lines(['[    0.000000] Linux version 6.1.0', 'Welcome to Debian!']);
    boot.lines(['[ ***  ] A start job is running for data.mount (9s / no limit)'], 9_000);
    expect(keys(boot.run(60_000))).toContain('w');
  });

  it('and a guest wedged by another cause later is caught all the same', () => {
    const wedge = 200_000;
    const memory: Script['memory'] = (at) =>
      at < wedge ? resting(at) : memoryAt(recordedTasks('page-in'), at, { since: wedge });
    const ssh = (at: number) =>
      at < WEDGE || (at > 60_000 && at < wedge) ? ('ok' as const) : ('timed-out' as const);
    const guest = lifeOf({ memory, ssh }).run(wedge + 20_000);
    expect(guest.findings).toHaveLength(1);
    expect((guest.findings[0]?.capturedAt ?? Infinity) - wedge).toBeLessThanOrEqual(6_000);
  });
});

describe('memory that was read as a whole', () => {
  it.each([
    ['without an answer', () => []],
    ['refused', () => ['[   11.8] sysrq: This sysrq operation is disabled.']],
  ])('is whole evidence, whatever the keys bring: %s', (_, press) => {
    const guest = lifeOf({ memory: stuck('page-in'), press }).run(120_000);
    const [finding] = guest.findings;
    expect(finding?.analysis.verdict.class).toBe('blocked');
    expect(finding).toMatchObject({ complete: true, incompleteBecause: [] });
    expect(finding?.analysis.verdict.reasons).toContainEqual(expect.stringMatching(/^Its keys: /));
    expect(finding?.analysis.verdict.reasons).toContainEqual(
      expect.stringMatching(/^By the scheduler's clock/),
    );
  });

  it('makes no incident of a guest whose QEMU is stopped for a moment', () => {
    const qmp = { ok: false as const, fault: 'no-greeting' as const, detail: 'no greeting' };
    const stopped = (): Look => ({ ...running, qemu: { pid: 1, state: 'T' }, qmp });
    const guest = lifeOf({ memory: stuck('page-in'), look: stopped }).run(80_000);
    expect(titles(guest)).toEqual([]);
  });
});

/** A guest that answers all the while, with the tasks of a recording in it from WEDGE on. */
function stalled(tasks: readonly Task[], script: Script = {}): VirtualGuest {
  const memory: Script['memory'] = (at) => memoryAt(tasks, at, { since: at < WEDGE ? null : WEDGE });
  const guest = booted(new VirtualGuest({ press: pageIn, memory, look: look({}), ...script }));
  guest.lines(['run fstests generic/475 at 2026-01-01 00:00:00'], 20_000);
  return guest;
}

describe('a task that stands while SSH answers', () => {
  it('is an incident within 90 s, once, with the test that runs', () => {
    const guest = stalled(recordedTasks('page-in')).run(WEDGE + 3_600_000);
    expect(guest.findings).toHaveLength(1);
    expect(after(guest)).toBeLessThanOrEqual(90_000);
    expect(after(guest)).toBeGreaterThanOrEqual(60_000);
    expect(guest.findings[0]).toMatchObject({ test: { name: 'generic/475' } });
    expect(Math.abs((guest.findings[0]?.wedgedSince ?? 0) - WEDGE)).toBeLessThan(1_000);
    expect(guest.findings[0]?.why[0]).toMatch(/^memory shows that .* has stood still for [67]\d\.\d s/);
    expect(guest.state.name).toBe('up');
  });

  it('leaves what a hang needs, and is told of again after it moved', () => {
    const tasks = recordedTasks('page-in');
    const again = WEDGE + 1_800_000;
    const memory: Script['memory'] = (at) =>
      at > WEDGE + 600_000 && at < again
        ? memoryAt(tasks, at, { since: null })
        : memoryAt(tasks, at, { since: at < WEDGE ? null : at < again ? WEDGE : again });
    const guest = stalled(tasks, { memory }).run(again + 120_000);
    expect(guest.findings).toHaveLength(2);
    expect(guest.state.restraint.filed).toEqual([]);
    expect(guest.state.restraint.complained).toHaveLength(2);
  });

  it.each(['fuse-stopped', 'nfs-stopped', 'frozen-fs', 'dm-suspended'])('is seen in %s', (name) => {
    const press = answers(golden(name));
    const guest = stalled(recordedTasks(name), { press, look: look({ requests: 0 }) }).run(WEDGE + 90_000);
    expect(guest.findings).toHaveLength(1);
  });

  const none = (guest: VirtualGuest) => {
    guest.run(WEDGE + 600_000);
    expect(titles(guest)).toEqual([]);
    expect(guest.pressed.filter((key) => key !== 'h')).toEqual([]);
  };

  it('accuses nobody while its disk completes requests, or its server works', () => {
    const writes = recordedTasks('writeback');
    none(stalled(writes, { press: answers(golden('writeback')), look: look({ requests: 20 }) }));
    none(stalled(recordedTasks('page-in'), { look: look({ work: 30 }) }));
    // It was started anew a moment ago.
    const anew = (at: number) => look({ work: at < WEDGE + 55_000 ? 30 : 10 })(at);
    none(stalled(recordedTasks('page-in'), { look: anew }));
    // One large request of a disk that is that slow.
    none(stalled(writes, { press: answers(golden('writeback')), look: look({ requests: 1 / 40 }) }));
  });

  it('accuses nobody who is switched, rests, waits for its child, a file lock, or for entropy', () => {
    none(stalled(recordedTasks('page-in'), { memory: slow }));
    none(stalled(idle));
    const one = recordedTasks('page-in').find(({ state }) => state === 'D');
    if (one === undefined) throw new Error('nobody is blocked');
    const frames = (...symbols: string[]) => symbols.map((symbol) => ({ ...shape, symbol }));
    const shape = { symbol: '', offset: 1, size: 2, module: null, reliable: true };
    const child = frames('schedule', 'wait_for_completion_killable', 'wait_for_vfork_done', 'kernel_clone');
    const lock = frames(
      'schedule',
      'request_wait_answer',
      'fuse_simple_request',
      'fuse_setlk',
      'fcntl_setlk',
    );
    const entropy = frames(
      'schedule',
      'wait_for_completion_killable',
      'virtio_read',
      'hwrng_fillfn',
      'kthread',
    );
    none(
      stalled([
        { ...one, pid: 70, frames: child },
        { ...one, pid: 71, state: 'S', frames: lock },
        { ...one, pid: 72, comm: 'hwrng', ppid: 2, frames: entropy },
        ...idle,
      ]),
    );
  });

  it('accuses nobody while the host is short of disk time itself', () => {
    none(stalled(recordedTasks('page-in'), { host: () => ({ io: 95 }) }));
  });

  it('is no matter of a guest whose memory is not read', () => {
    none(stalled(recordedTasks('page-in'), { memory: () => null }));
  });
});

describe('status', () => {
  it('says whether the memory is read, and why not', () => {
    const read = lifeOf({ memory: resting }).run(20_000);
    expect(guestStatus(read.state, read.settings, read.now).memory).toEqual({
      read: true,
      why: null,
      fix: null,
    });
    const closed = lifeOf({}).run(20_000);
    expect(guestStatus(closed.state, closed.settings, closed.now).memory).toMatchObject({
      read: false,
      why: 'the test does not let it be read',
    });
  });
});
