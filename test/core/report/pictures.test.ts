import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { icicle } from '../../../src/core/report/icicle.js';
import { shownDump } from '../../../src/core/report/tasks.js';
import { waitGraph } from '../../../src/core/report/wait-graph.js';
import { dump, stacks, task } from '../../support/stacks.js';

const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
const graphOf = (lines: readonly string[]) => waitGraph(analyze(parseDumps(lines), context));

/** hung_task's report of a task that waits for another's mutex. */
const hung = (comm: string, pid: number, owner: string, frames = stacks.mutex) => [
  `INFO: task ${comm}:${pid} blocked for more than 120 seconds.`,
  ...task(comm, pid, 'D', frames),
  `INFO: task ${comm}:${pid} is blocked on a mutex likely owned by task ${owner}.`,
];
const box = (graph: ReturnType<typeof waitGraph>, title: string) =>
  graph?.boxes.find((one) => one.title === title);

describe('the picture of waits', () => {
  it('rings those that wait for each other, and puts equal victims into one box', () => {
    const victims = [20, 21, 22].flatMap((pid) => hung('victim', pid, 'bob:12'));
    const graph = graphOf([...hung('alice', 11, 'bob:12'), ...hung('bob', 12, 'alice:11'), ...victims]);
    const root = graph?.boxes.find(({ kind }) => kind === 'root');
    expect(root).toMatchObject({ ring: true, tasks: 1 });
    expect(graph?.boxes.filter(({ ring }) => ring).map(({ title }) => title)).toEqual(
      expect.arrayContaining(['alice:11', 'bob:12']),
    );
    expect(box(graph, '3 × victim')).toMatchObject({
      ring: false,
      members: 'victim:20, victim:21, victim:22',
    });
    expect(graph?.arrows.map(({ ring }) => ring).sort()).toEqual([false, true, true]);
    expect(graph?.arrows[0]).toMatchObject({ label: 'a mutex', guess: false });
  });

  it('takes a diamond for no ring', () => {
    const waits = [
      ['a:1', 'b:2'],
      ['a:1', 'c:3'],
      ['b:2', 'd:4'],
      ['c:3', 'd:4'],
    ].map(([waiter = '', owner = '']) => ({ waiter, owner, through: 'x', confidence: 'high' as const }));
    const analysis = analyze(parseDumps(dump('t', 1, task('d', 4, 'D', stacks.pageIn))), context);
    const graph = waitGraph({ ...analysis, waits });
    expect(graph?.boxes.map(({ title, kind, ring }) => [title, kind, ring])).toEqual([
      ['d:4', 'root', false],
      ['b:2', 'outside', false],
      ['c:3', 'outside', false],
      ['a:1', 'task', false],
    ]);
    expect(graph?.arrows).toHaveLength(4);
  });

  it('says where the culprit waits outside the guest, and how many share its stack', () => {
    const readers = [1, 2, 3].map((pid) => task('reader', pid, 'D', stacks.fuse));
    const graph = graphOf(dump('t', 1, ...readers, task('other', 9, 'D', stacks.mutex)));
    expect(box(graph, 'reader:1')?.lines.at(-1)).toBe('and 2 more tasks in this stack');
    expect(box(graph, 'a FUSE server')).toMatchObject({ kind: 'outside' });
    expect(box(graph, 'other:9')).toMatchObject({ kind: 'task' });
    expect(graph?.arrows).toMatchObject([{ from: 'reader:1', label: 'waits for' }]);
  });

  it('draws nothing where nothing is stuck', () => {
    expect(graphOf(dump('t', 1, task('sh', 7, 'S', stacks.shell)))).toBeNull();
  });

  it('of too many keeps what is nearest to the cause, and counts the rest', () => {
    const far = Array.from({ length: 60 }, (_, n) => hung(`t${n}`, 100 + n, `t${n + 1}:${101 + n}`)).flat();
    const graph = graphOf([...far, ...hung('t60', 160, 'gone:999')]);
    expect(graph?.boxes).toHaveLength(24);
    expect(graph?.boxes.some(({ title }) => title === 'gone:999')).toBe(true);
    expect(graph?.boxes.some(({ title }) => title === 't0:100')).toBe(false);
    expect(graph?.left).toMatchObject({ boxes: 38 });
  });

  it('survives tasks that are named like the innards of a library', () => {
    const graph = graphOf([...hung('__proto__', 5, 'constructor:6'), ...hung('\u0000n1', 7, '__proto__:5')]);
    expect(graph?.boxes).toHaveLength(3);
  });
});

const drawn = (lines: readonly string[]) => {
  const dumps = parseDumps(lines);
  return icicle(shownDump(dumps)!, dumps);
};

describe('the icicle', () => {
  it('goes from the syscall to the function that sleeps, the stuck ones first', () => {
    const { bars, tasks, idle, families } = drawn(
      dump(
        't',
        1,
        task('sh', 1, 'S', stacks.shell),
        task('sh', 2, 'S', stacks.shell),
        task('exec', 3, 'S', stacks.fuse),
        task('parked', 4, 'D', stacks.neverRun),
      ),
    );
    expect([tasks, idle]).toEqual([3, 1]);
    const top = bars.filter(({ depth }) => depth === 0);
    expect(top.map(({ label, tasks: count, family }) => [label, count, family])).toEqual([
      ['execve', 1, 'server'],
      ['wait4', 2, 'user'],
    ]);
    expect(top.map(({ left, width }) => [left, width].map((share) => share.toFixed(3)))).toEqual([
      ['0.000', '0.333'],
      ['0.333', '0.667'],
    ]);
    expect(bars.filter(({ left }) => left === 0).map(({ label }) => label)).toEqual([
      ...['execve', 'inode_permission', 'fuse_permission', 'fuse_simple_request', 'request_wait_answer'],
    ]);
    expect([...families]).toEqual([
      ['user', 2],
      ['server', 1],
    ]);
  });

  it('knows what did not move between two dumps', () => {
    const stuck = task('reader', 50, 'D', stacks.pageIn);
    const moved = stacks.pageIn.map((frame) => frame.replace('0xda', '0xdb'));
    const { bars } = drawn([
      ...dump('w', 1, stuck, task('slow', 51, 'D', stacks.pageIn)),
      ...dump('t', 4, stuck, task('slow', 51, 'D', moved)),
    ]);
    expect(bars[0]).toMatchObject({ label: 'page fault', tasks: 2, unchanged: 1 });
  });

  it('stays small and true with hundreds of kinds of deep stacks', () => {
    const many = Array.from({ length: 600 }, (_, n) =>
      task(`t${n}`, n + 1, 'D', [
        ...['__schedule+0x1/0x2', 'schedule+0x1/0x2'],
        ...Array.from({ length: 30 }, (_, depth) => `f${depth}_${n % 3 === 0 ? n % 15 : n}+0x1/0x2`),
        '__x64_sys_ioctl+0x1/0x2',
      ]),
    );
    const { bars, tasks, depth } = drawn(dump('t', 1, ...many));
    expect(tasks).toBe(600);
    expect(bars.length).toBeLessThanOrEqual(1200);
    expect(depth).toBeLessThanOrEqual(26);
    const second = bars.filter((bar) => bar.depth === 1);
    expect(second.reduce((sum, bar) => sum + bar.tasks, 0)).toBe(600);
  });
});
