/** A task that stands beside a guest that answers: it is filed whatever else is blocked there, and once it can be seen. */
import { describe, expect, it } from 'vitest';
import type { Look, SysrqKey, Task } from '../../../src/core/model.js';
import { memoryAt, recordedTasks } from '../../support/memory-dumps.js';
import type { Script } from '../../support/script.js';
import { answers, booted, golden, running, VirtualGuest } from '../../support/virtual-guest.js';

const WEDGE = 30_000;
const titles = ({ findings }: VirtualGuest) => findings.map(({ analysis }) => analysis.verdict.title);
const after = ({ findings }: VirtualGuest) => (findings[0]?.capturedAt ?? Infinity) - WEDGE;

/** Its disk completes so many requests a second. */
const look =
  (requests: number) =>
  (at: number): Look => ({
    ...running,
    shares: [{ tag: 'store', socket: '/s', server: { pid: 7, comm: 'virtiofsd', state: 'S', cpuMs: 5 } }],
    qmp: {
      ok: true,
      runState: 'running',
      vcpus: [{ index: 0, threadId: 9, cpuMs: 0 }],
      block: { reads: Math.floor((at / 1000) * requests), writes: 0 },
    },
  });

const lifeOf = (script: Script) => booted(new VirtualGuest({ look: look(0), ...script }));
const standing = (tasks: readonly Task[], at: number) =>
  memoryAt(tasks, at, { since: at < WEDGE ? null : WEDGE });

const MOVED = 5_000;
/** The stacks of these tasks in a dump, by other pids. */
function stacksOf(lines: readonly string[], tasks: readonly Task[]): string[] {
  let inside = false;
  return lines.flatMap((line) => {
    const [, comm, pid] = / task:(\S+) .* pid:(\d+) /.exec(line) ?? [];
    if (comm !== undefined) inside = tasks.some((task) => task.comm === comm && task.pid === Number(pid));
    else if (/sysrq: |Sched Debug/.test(line)) inside = false;
    return inside ? [line.replace(`pid:${pid ?? ''} `, `pid:${Number(pid) + MOVED} `)] : [];
  });
}

/** A guest at work, whose tasks are blocked and move, in which the blocked tasks of another recording stand. */
function atWork(work: string, hang: string): VirtualGuest {
  const stuck = recordedTasks(hang).filter(
    ({ state, frames }) => state === 'D' || frames.some(({ symbol }) => symbol === 'request_wait_answer'),
  );
  const moved = stuck.map((task) => ({ ...task, pid: (task.pid ?? 0) + MOVED }));
  const [usual, added] = [answers(golden(work)), answers(golden(hang))];
  return lifeOf({
    look: look(100),
    memory: (at) => {
      const moving = memoryAt(recordedTasks(work), at, { since: null });
      return { ...moving, tasks: [...moving.tasks, ...standing(moved, at).tasks] };
    },
    press: (key) => {
      const [header = '', ...lines] = usual(key);
      return key === 'w' || key === 't' ? [header, ...stacksOf(added(key), stuck), ...lines] : usual(key);
    },
  });
}

describe.each(['writeback', 'page-in'])(
  'in a guest at work, whose other tasks are blocked and move (%s)',
  (work) => {
    it.each([
      ['fuse-stopped', 'FUSE request'],
      ['nfs-stopped', 'NFS request'],
      ['frozen-fs', 'thaw'],
    ])('%s is filed for what stands, once', (hang, names) => {
      const guest = atWork(work, hang).run(WEDGE + 600_000);
      expect(titles(guest)).toEqual([expect.stringContaining(names)]);
      expect(after(guest)).toBeLessThan(90_000);
      expect(guest.findings[0]?.analysis.verdict.culprit?.pid).toBeGreaterThan(MOVED);
      // What keys brought is shown all the same.
      expect(guest.findings[0]?.analysis.dumps.map(({ key }) => key)).toEqual(['memory', 'w', 't']);
    });
  },
);

describe('whose memory cannot be read as its case opens', () => {
  /** Until so many milliseconds later, whenever a case is open. */
  const blind = (ms: number, hang: string, script: Script) => {
    let first = Infinity;
    const memory: Script['memory'] = (at) => {
      const opens = guest.state.case?.accusation.by === 'stalled';
      if (opens) first = Math.min(first, at);
      return opens && at < first + ms ? null : standing(recordedTasks(hang), at);
    };
    const guest = lifeOf({ memory, press: () => [], ...script });
    return guest;
  };

  it('is looked into again, and filed', () => {
    const guest = blind(20_000, 'fuse-stopped', {}).run(WEDGE + 900_000);
    expect(titles(guest)).toEqual([expect.stringContaining('FUSE request')]);
    expect(after(guest)).toBeLessThan(300_000);
  });

  it('is looked into ever more rarely while that lasts', () => {
    const guest = blind(Infinity, 'fuse-stopped', {});
    const opened: number[] = [];
    while (guest.now < 3 * 3_600_000) {
      const before = guest.state.case;
      guest.run(1_000);
      if (before === null && guest.state.case !== null) opened.push(guest.now);
    }
    expect(titles(guest)).toEqual([]);
    const pauses = opened.slice(1).map((at, index) => Math.round((at - (opened[index] ?? 0)) / 60_000));
    expect(pauses).toEqual([2, 4, 8, 16, 32, 60]);
  });

  it('does not hide that commands hang', () => {
    const command = (at: number) => (at < WEDGE ? 400 : Infinity);
    const guest = blind(200_000, 'page-in', { command, press: answers(golden('page-in')) });
    guest.run(WEDGE + 900_000);
    expect(titles(guest)).toHaveLength(1);
  });
});

it('another hang in an hour that has had its incidents is filed when that is over', () => {
  const [end, again] = [WEDGE + 600_000, WEDGE + 1_800_000];
  const memory: Script['memory'] = (at) => {
    const tasks = recordedTasks('page-in');
    const since = at < WEDGE || (at > end && at < again) ? null : at < again ? WEDGE : again;
    return memoryAt(tasks, at, { since });
  };
  const press = answers(golden('page-in'));
  const guest = lifeOf({ memory, press, config: 'capture:\n  maxPerHour: 1\n' }).run(2 * 3_600_000);
  expect(titles(guest)).toHaveLength(2);
  expect((guest.findings[1]?.capturedAt ?? 0) - (guest.findings[0]?.capturedAt ?? 0)).toBeGreaterThan(
    3_600_000,
  );
});

it.each([
  ['which was filed', { answers: true, task: 'pagein:109' }, 1],
  ['which was filed of another task', { answers: true, task: 'mount:88' }, 1],
  ['which was looked into in vain', { answers: false, task: 'pagein:109' }, 1],
])('what the kernel says of a hang %s is one incident in all', (_, { answers: readable, task }, count) => {
  const tasks = recordedTasks('page-in');
  // Its case ends without an incident where memory is whole, and the keys show nobody blocked.
  const idle = answers(golden('idle'));
  const pageIn = answers(golden('page-in'));
  const memory: Script['memory'] = (at) => standing(tasks, at);
  const press = (key: SysrqKey, at: number) => (readable || at > WEDGE + 100_000 ? pageIn : idle)(key);
  const guest = lifeOf({ memory, press });
  for (let turn = 1; turn < 6; turn += 1)
    guest.lines(
      [`[  ${150 + turn}.0] INFO: task ${task} blocked for more than ${121 * turn} seconds.`],
      WEDGE + 122_000 * turn,
    );
  expect(titles(guest.run(1_200_000))).toHaveLength(count);
});

it('a QEMU that is stuck is filed, though the kernel spoke of a hang that is filed just before', () => {
  const memory: Script['memory'] = (at) => standing(recordedTasks('page-in'), at);
  const saidAt = WEDGE + 122_000;
  const stuck = (at: number): Look =>
    at < saidAt
      ? look(0)(at)
      : { ...look(0)(at), qmp: { ok: false, fault: 'main-loop-stuck', detail: 'silent' } };
  const guest = lifeOf({ memory, press: answers(golden('page-in')), look: stuck });
  guest.lines(['[  151.0] INFO: task mount:88 blocked for more than 121 seconds.'], saidAt);
  guest.run(300_000);
  expect(guest.findings.map(({ analysis }) => analysis.verdict.class)).toEqual(['blocked', 'qemu-stuck']);
});

it('a guest of which SSH tells nothing is not said to answer', () => {
  const memory: Script['memory'] = (at) => standing(recordedTasks('page-in'), at);
  const guest = lifeOf({ memory, press: answers(golden('page-in')), config: 'ssh:\n  enabled: false\n' });
  // Its console goes on.
  for (let at = 1; at < 60; at += 1)
    guest.lines(
      [`the job is at ${'abcdefghij'[at % 10] ?? ''}${'klmnopqrst'[Math.floor(at / 10)] ?? ''}`],
      at * 5_000,
    );
  guest.run(WEDGE + 120_000);
  expect(guest.findings.map(({ why }) => why[1])).toEqual(['SSH is off for this guest']);
});

it.each([
  ['server:/export', 180],
  ['//server/share', 180],
  ['/dev/nbd0', 180],
  ['/dev/vda', 60],
  ['store', 60],
])('waits for all that was written to %s: it has %i s', (source, limit) => {
  const filesystem = { type: 'any', source, on: '/mnt' };
  const objects: Task['objects'] = [{ kind: 'folio', text: 'a page', filesystem }];
  const writes = recordedTasks('writeback').map((task) => ({ ...task, objects }));
  const press = answers(golden('writeback'));
  const guest = lifeOf({ memory: (at) => standing(writes, at), press }).run(WEDGE + 600_000);
  const [, seconds] = / in D has stood still for ([\d.]+) s/.exec(guest.findings[0]?.why[0] ?? '') ?? [];
  expect(Number(seconds)).toBeGreaterThanOrEqual(limit);
  expect(Number(seconds)).toBeLessThan(limit + 15);
});
