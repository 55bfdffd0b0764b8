import { describe, expect, it } from 'vitest';
import { annotate } from '../../../src/core/analysis/annotate.js';
import { waitOf, LOCKS, WAITS } from '../../../src/core/analysis/wait-kinds.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { dump, stacks, task } from '../../support/stacks.js';

/** What stands between the sleep and the caller, for each row; from the kernel's sources. */
const golden: readonly (readonly [inner: string, kind: string, what: string])[] = [
  ['rtnl_lock', 'mutex', 'the RTNL mutex'],
  ['__rt_mutex_slowlock', 'mutex', 'an rt-mutex'],
  ['__mutex_lock.constprop.0', 'mutex', 'a mutex'],
  ['rwsem_down_write_slowpath', 'rwsem', 'a rw-semaphore'],
  ['console_lock', 'semaphore', 'the console lock'],
  ['__down', 'semaphore', 'a semaphore'],
  ['__six_lock_type_slowpath', 'mutex', 'a lock of a btree node'],
  ['__lock_sock', 'mutex', 'a socket lock'],
  ['native_queued_spin_lock_slowpath', 'spinlock', 'a spinlock'],
  ['blk_queue_enter rpm_suspend', 'queue-freeze', 'a suspended block queue to resume'],
  ['__bio_queue_enter', 'queue-freeze', 'the freeze of a block queue to end'],
  ['wbt_wait', 'block-tag', 'writeback throttling (wbt)'],
  ['rq_qos_wait', 'block-tag', 'throttled block I/O to go on'],
  ['blk_mq_get_tag', 'block-tag', 'a free block request'],
  ['jbd2_log_wait_commit', 'journal-commit', 'a journal commit'],
  ['wait_current_trans', 'transaction', 'a transaction'],
  ['xfs_buf_wait_unpin', 'buffer', 'a pinned buffer, for the log to be forced'],
  ['blk_mq_freeze_queue_wait', 'queue-freeze', 'the freeze of a block queue'],
  ['md_handle_request', 'block-io', 'an MD array'],
  ['handle_reserve_ticket', 'transaction', 'space to be reserved'],
  ['lock_extent_bits', 'mutex', 'a range of a file'],
  ['submit_bio_wait', 'block-io', 'a block request'],
  ['freeze_super', 'fs-freeze', 'writers to leave a filesystem that it freezes'],
  ['__sb_start_write', 'fs-freeze', 'the thaw of a frozen filesystem'],
  ['synchronize_srcu_expedited', 'rcu', 'an expedited SRCU grace period'],
  ['__synchronize_srcu.part.0', 'rcu', 'an SRCU grace period'],
  ['synchronize_rcu_expedited', 'rcu', 'an expedited RCU grace period'],
  ['synchronize_rcu_tasks_generic', 'rcu', 'a grace period of RCU tasks'],
  ['synchronize_net', 'rcu', 'an RCU grace period of networking'],
  ['synchronize_rcu', 'rcu', 'an RCU grace period'],
  ['rcu_barrier', 'rcu', 'an RCU barrier'],
  ['dma_fence_default_wait', 'completion', 'a fence of the GPU'],
  ['__ocfs2_cluster_lock.isra.0', 'completion', 'a lock of the cluster'],
  ['kvm_async_pf_task_wait_schedule', 'page', 'a page that the host has swapped out'],
  ['handle_userfault', 'page', 'a page from user space (userfaultfd)'],
  ['balance_dirty_pages', 'dirty-throttle', 'dirty pages to be written'],
  ['wb_wait_for_completion', 'writeback', 'writeback'],
  ['reclaim_throttle', 'reclaim', 'memory to be reclaimed'],
  ['do_coredump', 'coredump', 'the other threads for a core dump'],
  ['wait_for_device_probe', 'completion', 'the probes of devices'],
  ['async_synchronize_cookie_domain', 'completion', 'asynchronous work to finish'],
  ['wait_for_vfork_done', 'child', 'its vfork child'],
  ['__flush_work.isra.0', 'work', 'a work item to finish'],
  ['kthread_stop', 'kthread', 'a kernel thread'],
  ['_request_firmware', 'firmware', 'firmware from user space'],
  ['usb_kill_urb', 'completion', 'an URB to be given back'],
  ['usleep_range_state', 'poll-loop', 'polling'],
  ['futex_wait_queue', 'futex', 'a futex'],
  ['pipe_read', 'pipe', 'the other end of a pipe'],
  ['do_wait', 'child', 'a child'],
  ['ep_poll', 'events', 'events'],
  ['__skb_wait_for_more_packets', 'socket', 'a socket'],
  ['wait_for_completion', 'completion', 'a completion'],
  ['folio_wait_bit_common', 'page', 'a page'],
  ['__wait_on_buffer', 'buffer', 'a buffer'],
  ['io_schedule', 'io', 'I/O'],
  ['try_to_free_pages', 'reclaim', 'memory to be reclaimed'],
  ['jbd2_journal_commit_transaction', 'transaction', 'its open handles'],
  ['rpm_resume', 'completion', 'a device to change its power state'],
];

const parsed = (state: string, ...frames: string[]) => {
  const [one] = parseDumps(dump('t', 1, task('x', 9, state, frames.map((name) => `${name}+0x1/0x2`))));
  return one!.tasks[0]!;
}; // prettier-ignore

describe('wait kinds', () => {
  it.each(golden)('%s is %s', (inner, kind, what) => {
    expect(waitOf(parsed('D', 'schedule', ...inner.split(' '), 'thing_do', '__x64_sys_ioctl'))).toMatchObject({ kind, what });
  }); // prettier-ignore

  it('has a function for each row', () => {
    expect(golden.map(([, kind, what]) => [kind, what])).toEqual(
      [...LOCKS, ...WAITS].map(({ kind, what }) => [kind, what]),
    );
  });

  it.each([
    [
      'a lock that is held already does not count',
      ['schedule', 'thing_sleep', 'mutex_lock', 'thing_do'],
      null,
    ],
    ['a FUSE request', ['schedule', 'request_wait_answer', 'fuse_permission'], 'fuse'],
    ['a thread that never ran', ['__schedule', 'schedule', 'kthread', 'ret_from_fork'], 'never-run'],
    ['a frozen task', ['schedule', '__refrigerator', 'get_signal'], 'frozen'],
    [
      'a queue entered for a request',
      ['schedule', 'blk_queue_enter', 'blk_mq_alloc_request'],
      'queue-freeze',
    ],
    ['a driver that sleeps as it resumes', ['schedule', 'thing_sleep', '__rpm_callback', 'rpm_resume'], null],
    ['nothing known', ['schedule', 'thing_sleep'], null],
    ['a lost SMB server', ['schedule', 'cifs_wait_for_server_reconnect', 'smb2_reconnect'], 'smb'],
    ['capabilities of Ceph', ['schedule', 'wait_woken', 'ceph_get_caps', 'ceph_write_iter'], 'ceph'],
    ['the recovery of NFS state', ['schedule', 'nfs4_wait_clnt_recover', 'nfs4_do_open'], 'nfs'],
  ])('%s', (_case, frames, kind) => {
    expect(waitOf(parsed('D', ...frames))?.kind ?? null).toBe(kind);
  });

  it.each([
    ['a page fault', ['schedule', 'rwsem_down_read_slowpath', 'down_read', 'do_user_addr_fault', 'asm_exc_page_fault']],
    ['munmap', ['schedule', 'rwsem_down_write_slowpath', 'down_write_killable', '__vm_munmap', '__x64_sys_munmap']],
    ['another process', ['schedule', 'rwsem_down_read_slowpath', 'down_read', '__access_remote_vm', 'vfs_read']],
  ])('knows the lock of an address space in %s', (_case, frames) => {
    expect(waitOf(parsed('D', ...frames))?.what).toMatch(/^mmap_lock/);
    expect(waitOf(parsed('D', ...frames.slice(0, 3), 'thing_do'))?.what).toBe('a rw-semaphore');
  }); // prettier-ignore
});

describe('annotate', () => {
  const annotated = (state: string, frames: readonly string[]) =>
    annotate(parseDumps(dump('t', 1, task('x', 9, state, frames)))[0]!.tasks[0]!);

  it('says wait, operation, subject and entry', () => {
    expect(annotated('D', stacks.mutex)).toEqual({
      wait: 'mutex',
      operation: 'thing_update',
      subject: 'module thing',
      entry: 'ioctl',
    });
    expect(annotated('D', stacks.pageIn)).toMatchObject({ wait: 'page', entry: 'page fault' });
    expect(annotated('D', stacks.firmware)).toMatchObject({ wait: 'completion', entry: 'work thing_reset' });
    expect(annotated('D', stacks.neverRun)).toMatchObject({ wait: 'never-run' });
  });

  it('knows an idle thread, whatever it sleeps in', () => {
    const idle = ['schedule+0x1/0x2', 'kswapd+0x1/0x2', 'kthread+0x1/0x2', 'ret_from_fork+0x1/0x2'];
    expect(annotated('S', idle)).toMatchObject({ wait: 'idle', entry: 'kthread kswapd' });
  });
});
