/** Locks of which no table tells the holder: who is in the same code and past them. */
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { dump, task } from '../../support/stacks.js';

const stack = (names: string) => names.split(' ').map((name) => `${name}+0x1/0x2`);
const FAULT = 'handle_mm_fault do_user_addr_fault exc_page_fault asm_exc_page_fault';
const wants = stack(
  '__schedule schedule rwsem_down_write_slowpath down_write_killable __vm_munmap __x64_sys_munmap',
);
const holds = stack(`__schedule schedule io_schedule folio_wait_bit_common filemap_fault __do_fault ${FAULT}`); // prettier-ignore

const analysis = (...tasks: string[][]) =>
  analyze(parseDumps(dump('t', 1, ...tasks)), {
    secondsBetweenLooks: null,
    shares: [],
    kernelCommandLine: null,
  });

describe('mmap_lock', () => {
  it('is held by the thread of that name that is past it', () => {
    const { verdict, waits } = analysis(
      task('app', 1, 'D', wants),
      task('app', 2, 'D', holds),
      task('other', 3, 'D', holds),
    );
    expect(waits).toMatchObject([
      { waiter: 'app:1', owner: 'app:2', through: 'mmap_lock', confidence: 'low' },
    ]);
    expect(verdict.culprit).toMatchObject({ comm: 'app', pid: 2, frame: 'filemap_fault' });
  });

  it("is anybody's where two could hold it", () => {
    const { waits } = analysis(
      task('app', 1, 'D', wants),
      task('app', 2, 'D', holds),
      task('app', 3, 'D', holds),
    );
    expect(waits).toEqual([]);
  });

  it("is not what a filesystem's own rw-semaphore is", () => {
    const inode = stack('__schedule schedule rwsem_down_write_slowpath down_write thing_write vfs_write');
    expect(analysis(task('app', 1, 'D', inode), task('app', 2, 'D', holds)).waits).toEqual([]);
  });
});

describe('a worker', () => {
  const worker = (workqueue: string, names: string) => {
    const [header = '', ...rest] = task('kworker/u8:2', 92, 'D', stack(names));
    return analysis([header, workqueue, ...rest]).verdict.title;
  };
  const QUEUE = 'process_one_work worker_thread kthread ret_from_fork';

  it('names the device that it writes to', () => {
    expect(
      worker(
        'Workqueue: writeback wb_workfn (flush-179:0)',
        `__schedule schedule io_schedule blk_mq_get_tag blk_mq_submit_bio do_writepages wb_workfn ${QUEUE}`,
      ),
    ).toBe('kworker/u8:2:92 blocked in work wb_workfn → waiting for a free block request (blk_mq_get_tag ← do_writepages ← wb_workfn) → the block layer (flush-179:0)');
  }); // prettier-ignore

  it('names the device of its queue', () => {
    expect(
      worker(
        'Workqueue: xfs-inodegc/vdb xfs_inodegc_worker [xfs]',
        `__schedule schedule xlog_grant_head_wait xlog_grant_head_check xfs_log_reserve xfs_inactive ${QUEUE}`,
      ),
    ).toMatch(/ → a filesystem journal \(xfs-inodegc\/vdb\)$/);
  });
});

it('a task that runs is not said to wait', () => {
  const loop = stack('evict_inodes drop_pagecache_sb drop_caches_sysctl_handler vfs_write __x64_sys_write do_syscall_64 entry_SYSCALL_64');
  const waits = stack('__schedule schedule __wait_rcu_gp synchronize_rcu namespace_unlock path_umount __x64_sys_umount2');
  const { verdict } = analysis(task('systemd', 1, 'D', waits), task('sysctl', 9, 'R', loop));
  expect(verdict.title).toBe('sysctl:9 running in write → evict_inodes, beside systemd:1 in synchronize_rcu');
  expect(verdict.class).toBe('spinning');
}); // prettier-ignore

describe('a part of the kernel that is built in', () => {
  const waits = (names: string) => stack(`__schedule schedule schedule_preempt_disabled mutex_lock ${names}`);
  const answers = (names: string) => stack(`__schedule schedule wait_for_completion bus_ask ${names}`);

  it('has one lock for all, most likely: whoever is past it is held to have it', () => {
    expect(
      analysis(task('poll', 1, 'D', waits('fictoheat_poll')), task('set', 2, 'D', answers('fictoheat_set')))
        .waits,
    ).toMatchObject([{ waiter: 'poll:1', owner: 'set:2', confidence: 'low' }]);
  });
  it('but block devices are many, each with a lock of its own', () => {
    expect(
      analysis(task('open', 1, 'D', waits('blkdev_get')), task('write', 2, 'D', answers('blkdev_write_iter')))
        .waits,
    ).toEqual([]);
  });
});

describe('the RTNL mutex', () => {
  const takes = (names: string) => stack(`__schedule schedule schedule_preempt_disabled mutex_lock ${names}`);
  const dad = task('kworker/3:1', 1, 'D', takes('addrconf_dad_work process_one_work worker_thread kthread'));

  it('is not held by one more who waits for it, in a tail call that left no frame of rtnl_lock', () => {
    expect(
      analysis(dad, task('ethtool', 2, 'D', takes('dev_ethtool dev_ioctl __x64_sys_ioctl'))).waits,
    ).toEqual([]);
    const closes = stack(
      '__schedule schedule wait_for_completion thing_stop __dev_close_many rtnetlink_rcv_msg',
    );
    expect(analysis(dad, task('ip', 2, 'D', closes)).waits).toMatchObject([
      { waiter: 'kworker/3:1:1', owner: 'ip:2', through: 'the RTNL mutex' },
    ]);
  });
});
