import { describe, expect, it } from 'vitest';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';

const only = (text: string) => {
  const dumps = parseDumps(text.split('\n'));
  expect(dumps).toHaveLength(1);
  return dumps[0]!;
};

describe('locks', () => {
  it('tells the lock a task waits for from those it holds', () => {
    const { locks } = only(`sysrq: Show Blocked State
task:writer          state:D stack:0     pid:20    tgid:20    ppid:1      flags:0x00004002
Call Trace:
 <TASK>
 __schedule+0x282/0x870
 schedule+0x46/0xb0
 rwsem_down_write_slowpath+0x1d3/0x4e0
 down_write+0x6a/0x70
 open_last_lookups+0x1/0x2
 </TASK>
task:owner           state:D stack:0     pid:21    tgid:21    ppid:1      flags:0x00004002
Call Trace:
 <TASK>
 __schedule+0x282/0x870
 schedule+0x46/0xb0
 io_schedule+0x1/0x2
 folio_wait_bit_common+0x1/0x2
 </TASK>
Showing all locks held in the system:
2 locks held by writer/20:
 #0: ffff88810a0b8448 (sb_writers#3){.+.+}-{0:0}, at: mnt_want_write+0x1/0x2
 #1: ffff88810b0b8448 (&type->i_mutex_dir_key#5/1){++++}-{4:4}, at: open_last_lookups+0x1/0x2
1 lock held by owner/21:
 #0: ffff88810b0b8448 (&type->i_mutex_dir_key#5/1){++++}-{4:4}, at: path_openat+0x1/0x2
1 lock held by other/22:
 #0: ffffffff9a3c5e20 (rcu_read_lock){....}-{1:2}, at: debug_show_all_locks+0x53/0x260
4 locks held by running/23:
`);
    expect(locks.map(({ pid, name, at, wanted }) => [pid, name, at, wanted])).toEqual([
      [20, 'sb_writers#3', 'mnt_want_write', false],
      [20, '&type->i_mutex_dir_key#5/1', 'open_last_lookups', true],
      [21, '&type->i_mutex_dir_key#5/1', 'path_openat', false],
      [22, 'rcu_read_lock', 'debug_show_all_locks', undefined],
    ]);
  });

  it('reads the table of 7.3, which tells the number and the CPU behind the name', () => {
    const { locks } = only(`sysrq: Show State
task:touch           state:D stack:13416 pid:85    tgid:85    ppid:1      task_flags:0x400000 flags:0x00080000
Call Trace:
 <TASK>
 __schedule+0x4e4/0xc30
 mnt_want_write+0x19/0x40
 </TASK>
Showing all locks held in the system:
locks held by touch/85: 1, on CPU#0:
 #0: ffff888002c91430 (sb_writers#4){++++}-{0:0}, at: mnt_want_write+0x19/0x40
locks held by sleep/86: 0, last CPU#1
locks held by cat/87: 1, last CPU#1:
 #0: ffff888002c91430 (sb_writers#4){++++}-{0:0}, at: mnt_want_write+0x19/0x40
`);
    expect(locks.map(({ pid, comm, name }) => [pid, comm, name])).toEqual([
      [85, 'touch', 'sb_writers#4'],
      [87, 'cat', 'sb_writers#4'],
    ]);
  });

  it('lists a task once, though hung_task shows its locks and then all of them', () => {
    const lock = ' #0:  (&bdev->bd_mutex){+.+.+.}, at: [<ffffffff815cbf34>] __blkdev_get+0x1/0x2';
    const { locks } = only(`INFO: task cat:9 blocked for more than 120 seconds.
cat             D    0     9      1 0x00000004
Call Trace:
 [<ffffffff838b3f74>] schedule+0x7f/0x1b0
1 lock held by cat/9:
${lock}
Showing all locks held in the system:
1 lock held by cat/9:
${lock}
no locks held by bash/7.
`);
    expect(locks).toEqual([
      { pid: 9, comm: 'cat', address: '', name: '&bdev->bd_mutex', at: '__blkdev_get', wanted: false },
    ]);
  });
});

describe('workqueues', () => {
  it('reads items, who runs them, and who waits for their end', () => {
    const { workqueues } = only(`sysrq: Show State
Showing busy workqueues and worker pools:
workqueue events: flags=0x0
  pwq 2: cpus=0 node=0 flags=0x0 nice=0 active=4/256 refcnt=5
    in-flight: 12:slow_work [dm_mod] BAR(441) BAR(442) next_work, 77(RESCUER):other_work for 33s
    pending: 2*vmstat_shepherd, flush_me BAR(9)
    inactive: later
workqueue old: flags=0x2
  pwq 8: cpus=0-3 flags=0x4 nice=0 active=1/256
    delayed: old_work
workqueue bh: flags=0x100
  pwq 0: cpus=0 node=0 flags=0x10 nice=0 active=1/2048 refcnt=2
    in-flight: bh:tasklet_work
pool 2: cpus=0 node=0 flags=0x0 nice=0 hung=41s workers=4 manager: 30 idle: 5 6
`);
    const item = { pid: null, pool: 2, flushers: [], seconds: null };
    expect(workqueues.map(({ name, items }) => [name, items])).toEqual([
      [
        'events',
        [
          { ...item, state: 'in-flight', func: 'slow_work', pid: 12, flushers: [441, 442] },
          { ...item, state: 'pending', func: 'next_work' },
          { ...item, state: 'in-flight', func: 'other_work', pid: 77, seconds: 33 },
          { ...item, state: 'pending', func: 'vmstat_shepherd' },
          { ...item, state: 'pending', func: 'flush_me', flushers: [9] },
          { ...item, state: 'inactive', func: 'later' },
        ],
      ],
      ['old', [{ ...item, state: 'inactive', func: 'old_work', pool: 8 }]],
      ['bh', [{ ...item, state: 'in-flight', func: 'tasklet_work', pool: 0 }]],
      ['pool 2', undefined],
    ]);
    expect(workqueues.at(-1)).toMatchObject({ hungSeconds: 41 });
  });
});

describe('whom a stall accuses', () => {
  it.each<[string, string, object]>([
    [
      'RCU since 4.x',
      'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:\nrcu: \t1-...!: (1 GPs behind) idle=3dc/1/0x4000000000000000 softirq=9/9 fqs=0\nrcu: \tTasks blocked on level-0 rcu_node (CPUs 0-3): P77/1:b..l P78\n(detected by 0, t=21002 jiffies, g=1, q=3)',
      { cpus: [1], pids: [77, 78], seconds: null, jiffies: 21002, gracePeriod: 1, detectedBy: 0 },
    ],
    [
      'RCU on 3.10',
      'INFO: rcu_sched detected stalls on CPUs/tasks: { 2 3} (detected by 0, t=60002 jiffies, g=8, c=7, q=1)',
      { cpus: [2, 3], pids: [], seconds: null, jiffies: 60002, gracePeriod: 8, detectedBy: 0 },
    ],
    [
      'the thread of grace periods, starved',
      'rcu: INFO: rcu_sched detected stalls on CPUs/tasks:\nrcu: \t1-...!: (0 ticks this GP) idle=cf8/0/0x0 softirq=20/20 fqs=0\nrcu: \t(detected by 0, t=38227 jiffies, g=-1127, q=10)\nrcu: rcu_sched kthread starved for 38227 jiffies! g-1127 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x402 ->cpu=1',
      {
        cpus: [1],
        pids: [],
        seconds: null,
        tickless: [1],
        jiffies: 38227,
        gracePeriod: -1127,
        detectedBy: 0,
        starved: { comm: 'rcu_sched', cpu: 1, jiffies: 38227, runnable: false },
      },
    ],
    [
      'an expedited grace period',
      'rcu: INFO: rcu_sched detected expedited stalls on CPUs/tasks: { 1-...D P9/1:b..l } 21 jiffies s: 77 root: 0x2/.',
      { cpus: [1], pids: [9], seconds: null },
    ],
    [
      'a soft lockup',
      'watchdog: BUG: soft lockup - CPU#3 stuck for 23s! [kworker/3:1:99]',
      { cpus: [3], pids: [99], seconds: 23 },
    ],
    [
      'a hard lockup',
      'NMI watchdog: Watchdog detected hard LOCKUP on cpu 2',
      { cpus: [2], pids: [], seconds: null },
    ],
    [
      'a workqueue lockup',
      'BUG: workqueue lockup - pool cpus=0-2,5 node=0 flags=0x4 nice=0 stuck for 33s!',
      { cpus: [0, 1, 2, 5], pids: [], seconds: 33 },
    ],
  ])('%s', (_what, text, stall) => {
    expect(only(text).stall).toEqual(stall);
  });
});
