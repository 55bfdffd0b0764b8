import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { dump, stacks, task } from '../../support/stacks.js';

const judge = (lines: readonly string[]) =>
  analyze(parseDumps(lines), { secondsBetweenLooks: null, shares: [], kernelCommandLine: null });
const at = (...names: string[]): string[] => names.map((name) => `${name}+0x1/0x2`);
const asleep = (...names: string[]): string[] => at('__schedule', 'schedule', ...names);
const hung = (comm: string, pid: number, frames: readonly string[]) => [
  `INFO: task ${comm}:${pid} blocked for more than 120 seconds.`,
  ...task(comm, pid, 'D', frames),
];
const lock = asleep('__mutex_lock', 'mutex_lock_nested', 'rtnl_lock', 'sock_ioctl', '__x64_sys_ioctl');
const grace = asleep(
  'synchronize_rcu_expedited',
  'synchronize_net',
  '__tun_detach',
  'tun_chr_close',
  '__fput',
);
const table = [
  'Showing all locks held in the system:',
  '1 lock held by want/1:',
  ' #0: ffff888000fec848 (rtnl_mutex){+.+.}-{4:4}, at: rtnl_lock+0x17/0x20',
  '1 lock held by hold/2:',
  ' #0: ffff888000fec848 (rtnl_mutex){+.+.}-{4:4}, at: rtnl_lock+0x17/0x20',
]; // prettier-ignore

describe('a log of hung_task reports alone', () => {
  const reports = [...hung('want', 1, lock), ...hung('hold', 2, grace), ...table];

  it('names the place of the first, and who holds it up', () => {
    const { verdict } = judge(reports);
    expect(verdict).toMatchObject({
      class: 'lock-chain',
      frame: 'rtnl_lock',
      culprit: { comm: 'hold', pid: 2, frame: 'synchronize_rcu' },
    });
    expect(verdict.title).toBe(
      'want:1 stuck ≥120 s in ioctl → waiting for the RTNL mutex (rtnl_lock ← sock_ioctl) → held up by hold:2 in synchronize_rcu',
    );
  });

  it('goes to the end where a whole dump shows everybody', () => {
    const { verdict } = judge([...reports, ...dump('t', 9, task('want', 1, 'D', lock), task('hold', 2, 'D', grace))]);
    expect(verdict).toMatchObject({ frame: 'synchronize_rcu', culprit: { pid: 2 } });
  }); // prettier-ignore

  it('keeps to the first where nothing links it to the others', () => {
    const alone = [...hung('a', 1, asleep('__mutex_lock', 'foo_open')), ...hung('b', 2, stacks.firmware)];
    expect(judge(alone).verdict).toMatchObject({ frame: 'foo_open', culprit: { pid: 1 } });
  });

  it('says the same below a panic of khungtaskd', () => {
    const { verdict } = judge([
      ...reports,
      'Kernel panic - not syncing: hung_task: blocked tasks',
      'CPU: 0 PID: 29 Comm: khungtaskd Not tainted 6.1',
      'Call Trace:',
      ...at('dump_stack', 'panic', 'watchdog', 'kthread').map((frame) => ` ${frame}`),
    ]);
    expect(verdict).toMatchObject({ class: 'panicked', frame: 'rtnl_lock', culprit: { pid: 2 } });
  });
});

describe('the place', () => {
  it.each([
    ['grace periods are one place', asleep('wait_for_completion', '__synchronize_srcu.part.0', 'fsnotify_mark_destroy'), 'synchronize_rcu'],
    ['a net grace period too', asleep('synchronize_net', 'packet_release'), 'synchronize_rcu'],
    ['helpers of the driver core are passed by', asleep('usb_start_wait_urb', 'usb_control_msg', 'hub_port_init'), 'hub_port_init'],
    ['work cancelled is the caller’s', asleep('wait_for_completion', '__flush_work', '__cancel_work_timer', 'cancel_work_sync', 'p9_fd_close'), 'p9_fd_close'],
    ['what fault injection printed is another’s', at('dump_stack', 'should_fail', 'should_failslab', '__kmalloc', 'memfd_create'), null],
    ['and cut off', [...asleep('io_schedule', 'blkdev_issue_flush'), ...at('dump_stack', 'should_fail', '__kmalloc')], 'blkdev_issue_flush'],
  ])('%s', (_case, frames, frame) => {
    expect(judge(hung('a', 1, frames)).verdict.frame).toBe(frame);
  }); // prettier-ignore
});

describe('who does the awaited work', () => {
  const flush = asleep('wait_for_completion', '__flush_work', 'thing_close', '__x64_sys_close');
  const waits = (...lines: string[][]) => judge(lines.flat()).waits;
  const wedged = task('kworker/1:2', 7, 'D', stacks.firmware);

  it('is named by the table of busy workqueues', () => {
    const [sysrq, ...tail] = dump('t', 1, task('close', 5, 'D', flush), task('kworker/1:2', 7, 'D', stacks.firmware));
    const lines = [
      sysrq ?? '', ...tail.slice(0, -1),
      'Showing busy workqueues and worker pools:',
      'workqueue events: flags=0x0',
      '  pwq 2: cpus=1 node=0 flags=0x0 nice=0 active=1/256 refcnt=2',
      '    in-flight: 7:thing_reset BAR(5)',
      tail.at(-1) ?? '',
    ];
    expect(waits(lines)).toContainEqual({
      waiter: 'close:5', owner: 'kworker/1:2:7', through: 'work thing_reset', confidence: 'high',
      reason: 'the table of busy workqueues says who runs it',
    });
    expect(judge(lines).verdict.culprit).toMatchObject({ pid: 7 });
  }); // prettier-ignore

  it('is the only worker that is stuck, as a guess', () => {
    expect(waits(dump('w', 1, task('close', 5, 'D', flush), wedged))).toMatchObject([
      { waiter: 'close:5', owner: 'kworker/1:2:7', confidence: 'low' },
    ]);
    const another = task('kworker/0:1', 8, 'D', stacks.firmware);
    expect(waits(dump('w', 1, task('close', 5, 'D', flush), wedged, another))).toEqual([]);
  });

  it.each([
    ['writeback', asleep('wb_wait_for_completion', 'sync_inodes_sb', '__x64_sys_sync'), 'kworker/u4:1', asleep('blk_mq_get_tag', 'wb_writeback', 'wb_workfn', 'process_one_work')],
    ['a ZFS transaction group', asleep('cv_wait_common', 'txg_wait_synced', 'zfs_sync'), 'txg_sync', asleep('zio_wait', 'txg_sync_thread', 'kthread')],
    ['the XFS log', asleep('xlog_grant_head_wait', 'xfs_log_reserve', 'xfs_create'), 'xfsaild/vda', asleep('xfs_buf_lock', 'xfsaild', 'kthread')],
    ['memory', asleep('throttle_direct_reclaim', 'try_to_free_pages', 'do_swap_page'), 'kswapd0', asleep('xfs_buf_lock', 'shrink_slab', 'kswapd', 'kthread')],
    ['I/O of a loop device', asleep('io_schedule', 'folio_wait_bit_common', 'filemap_read', 'blkdev_read_iter'), 'kworker/u4:2', asleep('request_wait_answer', 'fuse_read_folio', 'lo_rw_aio', 'loop_process_work', 'process_one_work')],
  ])('%s', (through, waiter, comm, owner) => {
    expect(waits(dump('w', 1, task('a', 5, 'D', waiter), task(comm, 7, 'D', owner)))).toMatchObject([
      { waiter: 'a:5', owner: `${comm}:7`, through },
    ]);
  }); // prettier-ignore

  it('is a task that runs and does not let a grace period end', () => {
    const lines = dump('t', 1,
      task('umount', 5, 'D', asleep('__wait_rcu_gp', 'synchronize_rcu', 'namespace_unlock', '__x64_sys_umount')),
      task('drop', 6, 'R', at('shrink_dentry_list', 'drop_slab', '__x64_sys_write', 'do_syscall_64')),
    );
    expect(judge(lines).verdict).toMatchObject({ class: 'spinning', culprit: { pid: 6, frame: 'shrink_dentry_list' } });
  }); // prettier-ignore

  it('is the one inside the function that wants the lock', () => {
    const inside = asleep('wait_for_completion', 'thing_reset', 'thing_update', '__x64_sys_ioctl');
    expect(waits(dump('w', 1, task('a', 5, 'D', stacks.mutex), task('b', 6, 'D', inside)))).toMatchObject([
      { waiter: 'a:5', owner: 'b:6', through: 'a mutex', confidence: 'low' },
    ]);
  });

  it('shows the parent that sleeps for a stuck child', () => {
    const lines = dump('t', 1, task('sh', 4, 'S', stacks.shell), task('cat', 9, 'D', stacks.pageIn, 4));
    expect(judge(lines).waits).toMatchObject([{ waiter: 'sh:4', owner: 'cat:9', through: 'the end of its child' }]);
  }); // prettier-ignore
});
