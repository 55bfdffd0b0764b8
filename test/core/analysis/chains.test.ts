import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import type { AnalysisContext } from '../../../src/core/analysis/places.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import type { Verdict } from '../../../src/core/model.js';
import { dump, stacks, task } from '../../support/stacks.js';

const nothing: AnalysisContext = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
const judge = (lines: readonly string[], context: Partial<AnalysisContext> = {}) =>
  analyze(parseDumps(lines), { ...nothing, ...context });
const verdict = (lines: readonly string[], context: Partial<AnalysisContext> = {}): Verdict =>
  judge(lines, context).verdict;

const chroot = task('chroot', 441, 'D', stacks.execRead);
const healthy = [
  task('init', 1, 'S', stacks.shell),
  task('kthreadd', 2, 'S', ['schedule+0x1/0x2', 'kthreadd+0x1/0x2', 'ret_from_fork+0x1/0x2']),
];
const hung = (comm: string, pid: number, frames: readonly string[], seconds = 120) => [
  `INFO: task ${comm}:${pid} blocked for more than ${seconds} seconds.`,
  ...task(comm, pid, 'D', frames),
];
const owned = (waiter: string, owner: string) =>
  `INFO: task ${waiter} is blocked on a mutex likely owned by task ${owner}.`;

describe('who waits for whom', () => {
  it('follows the kernel to the end of a chain of locks', () => {
    const lines = [
      ...hung('first', 1, stacks.mutex), owned('first:1', 'second:2'), ...task('second', 2, 'D', stacks.mutex),
      ...hung('second', 2, stacks.mutex), owned('second:2', 'kworker/0:1:3'), ...task('kworker/0:1', 3, 'D', stacks.firmware),
    ]; // prettier-ignore
    const { verdict: found, waits } = judge(lines);
    expect(found).toMatchObject({
      class: 'lock-chain',
      confidence: 'high',
      frame: 'thing_reset',
      culprit: { comm: 'kworker/0:1', pid: 3 },
    });
    expect(found.title).toBe(
      'kworker/0:1:3 blocked in work thing_reset → waiting for a completion (thing_reset) → module thing (+1 other), beside first:1 in thing_update',
    );
    expect(waits).toEqual([
      {
        waiter: 'first:1',
        owner: 'second:2',
        through: 'a mutex',
        confidence: 'high',
        reason: 'hung_task says so',
      },
      {
        waiter: 'second:2',
        owner: 'kworker/0:1:3',
        through: 'a mutex',
        confidence: 'high',
        reason: 'hung_task says so',
      },
    ]);
  });

  it('calls a ring a deadlock, and a diamond not', () => {
    const ring = [
      ...hung('a', 1, stacks.mutex),
      owned('a:1', 'b:2'),
      ...hung('b', 2, stacks.mutex),
      owned('b:2', 'a:1'),
    ];
    expect(verdict(ring)).toMatchObject({ class: 'deadlock', confidence: 'high' });
    expect(verdict(ring).title).toContain('→ deadlock with ');
    const diamond = [
      ...hung('a', 1, stacks.mutex),
      owned('a:1', 'c:3'),
      ...hung('b', 2, stacks.mutex),
      owned('b:2', 'c:3'),
      ...hung('c', 3, stacks.firmware),
    ];
    expect(verdict(diamond)).toMatchObject({ class: 'lock-chain', culprit: { pid: 3 } });
  });

  it('names an owner that no dump shows', () => {
    const found = verdict([...hung('a', 1, stacks.mutex), owned('a:1', 'gone:77')]);
    expect(found).toMatchObject({ class: 'lock-chain', confidence: 'medium', culprit: { pid: 1 } });
    expect(found.title).toMatch(/→ held by gone:77 \(not in these dumps\)$/);
  });

  it('reads lockdep: the last lock of a blocked task is the one it wants', () => {
    const lines = [
      ...hung('want', 1, stacks.mutex),
      ...hung('hold', 2, stacks.firmware),
      'Showing all locks held in the system:',
      '1 lock held by want/1:',
      ' #0: ffff888000fec848 (&thing->lock){+.+.}-{4:4}, at: thing_update+0x54/0x1a0',
      '2 locks held by hold/2:',
      ' #0: ffff888000fec848 (&thing->lock){+.+.}-{4:4}, at: thing_reset+0x54/0x1a0',
      ' #1: ffff888000aaaaaa (other){+.+.}-{4:4}, at: thing_reset+0x64/0x1a0',
    ];
    const { verdict: found, waits } = judge(lines);
    expect(waits).toEqual([
      {
        waiter: 'want:1',
        owner: 'hold:2',
        through: '&thing->lock',
        confidence: 'high',
        reason: "lockdep's table lists it as held",
      },
    ]);
    expect(found).toMatchObject({ class: 'lock-chain', culprit: { pid: 2 } });
  });

  it('follows a wait for the journal only to a journal thread that is stuck', () => {
    const commit = [
      '__schedule+0x1/0x2',
      'schedule+0x1/0x2',
      'jbd2_log_wait_commit+0x1/0x2 [jbd2]',
      'ext4_sync_file+0x1/0x2 [ext4]',
      '__x64_sys_fsync+0x1/0x2',
    ];
    const idle = task('jbd2/vda1-8', 50, 'S', [
      'schedule+0x1/0x2',
      'kjournald2+0x1/0x2 [jbd2]',
      'kthread+0x1/0x2',
      'ret_from_fork+0x1/0x2',
    ]);
    const busy = task('jbd2/vda1-8', 50, 'D', [
      '__schedule+0x1/0x2',
      'io_schedule+0x1/0x2',
      'blk_mq_get_tag+0x1/0x2',
      'jbd2_journal_commit_transaction+0x1/0x2 [jbd2]',
      'kjournald2+0x1/0x2 [jbd2]',
      'kthread+0x1/0x2',
    ]);
    const fsync = task('db', 9, 'D', commit);
    expect(verdict(dump('t', 1, fsync, idle))).toMatchObject({
      culprit: { pid: 9 },
      frame: 'ext4_sync_file',
    });
    expect(verdict(dump('t', 1, fsync, busy))).toMatchObject({
      class: 'blocked',
      culprit: { pid: 50 },
      frame: 'blk_mq_get_tag',
    });
  });

  it('puts a wait that explains itself before a lock whose owner is unknown', () => {
    const found = verdict(
      dump(
        'w',
        1,
        task('a', 1, 'D', stacks.mutex),
        task('b', 2, 'D', stacks.mutex),
        task('kworker/0:1', 3, 'D', stacks.firmware),
      ),
    );
    expect(found.culprit).toMatchObject({ pid: 3 });
  });
});

describe('what the kernel says itself', () => {
  const lockup = [
    'watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [spin:99]',
    'CPU: 1 PID: 99 Comm: spin Not tainted 6.1',
    'RIP: 0010:shrink_dcache+0x5/0x10',
    'Call Trace:',
    ' drop_slab+0x1/0x2',
  ];
  const panic = (message: string) => [
    `Kernel panic - not syncing: ${message}`,
    'CPU: 0 PID: 29 Comm: khungtaskd Not tainted 6.1',
    'Call Trace:',
    ' dump_stack+0x1/0x2',
    ' panic+0x1/0x2',
    ' watchdog+0x1/0x2',
  ];

  it('a CPU that does not come back', () => {
    expect(verdict(lockup)).toMatchObject({
      class: 'spinning',
      frame: 'drop_slab',
      culprit: { comm: 'spin', pid: 99 },
      title: 'spin:99 spinning ≥22 s on CPU 1 → drop_slab (at shrink_dcache)',
    });
  });

  it('blames the CPU for waits on grace periods and locks, and not for others', () => {
    const rcu = task('umount', 9, 'D', [
      'schedule+0x1/0x2',
      'schedule_timeout+0x1/0x2',
      '__wait_for_common+0x1/0x2',
      '__wait_rcu_gp+0x1/0x2',
      'synchronize_rcu+0x1/0x2',
      'namespace_unlock+0x1/0x2',
    ]);
    expect(verdict([...lockup, ...dump('w', 1, rcu), ...dump('w', 9, rcu)])).toMatchObject({
      class: 'spinning',
      culprit: { pid: 99 },
    });
    expect(verdict([...lockup, ...dump('w', 1, chroot), ...dump('w', 9, chroot)])).toMatchObject({
      class: 'blocked',
      culprit: { pid: 441 },
    });
  });

  it('a panic, with what led to it', () => {
    const oops = [
      'BUG: kernel NULL pointer dereference, address: 0000000000000010',
      'Oops: 0000 [#1] SMP',
      'CPU: 0 PID: 7 Comm: cat Not tainted 6.1',
      'RIP: 0010:thing_read+0x5/0x10 [thing]',
    ];
    expect(verdict([...oops, ...panic('Fatal exception')])).toMatchObject({
      class: 'panicked',
      frame: 'thing_read',
      title: 'kernel panicked: Fatal exception → cat:7 on CPU 0 in thing_read',
    });
    const timed = verdict([...hung('chroot', 441, stacks.execRead), ...panic('hung_task: blocked tasks')]);
    expect(timed).toMatchObject({ class: 'panicked', frame: 'filemap_read', culprit: { pid: 441 } });
  });

  it('an oops alone is no verdict', () => {
    expect(
      verdict([
        'kernel BUG at fs/a.c:1!',
        'CPU: 0 PID: 7 Comm: cat Not tainted 6.1',
        'RIP: 0010:thing_read+0x5/0x10',
      ]),
    ).toMatchObject({ class: 'unknown', frame: 'thing_read' });
  });
});

describe('fingerprint', () => {
  const print = (lines: readonly string[]) => judge(lines).fingerprint;
  it('is equal for the same place with other pids, names, offsets and times', () => {
    const other = task(
      'systemd',
      9,
      'D',
      stacks.execRead.map((frame) => frame.replace(/\+0x\w+/, '+0x7')),
    );
    expect(print(dump('w', 1, chroot))).toBe(print([...dump('w', 5, other), ...dump('w', 50, other)]));
    expect(print(dump('w', 1, chroot))).toMatch(/^[0-9a-f]{16}$/);
  });
  it('differs by class and by place', () => {
    const prints = [
      dump('w', 1, chroot),
      dump('w', 1, task('a', 1, 'D', stacks.pageIn)),
      dump('t', 1, task('a', 1, 'S', stacks.fuse)),
      dump('t', 1, ...healthy),
    ].map(print);
    expect(new Set(prints).size).toBe(4);
  });
  it('stays what it is within a version', () => {
    expect(judge(dump('w', 1, chroot))).toMatchObject({
      fingerprintVersion: 2,
      fingerprint: '246647ac0db493c8',
    });
  });
});
