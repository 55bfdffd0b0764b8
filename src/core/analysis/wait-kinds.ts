/** What a stack sleeps for. Names from the kernel's sources, 3.x to 7.x; the test names one function for each row. */
import type { Frame, Task, WaitKind } from '../model.js';
import { backendOf } from './backends.js';
import { isFrozen, neverRun } from './benign.js';
import { firmSymbols, operationFrame } from './frames.js';
import { baseSymbol, layerOf } from './layers.js';
import { whole } from './patterns.js';
import { perStack } from './per-stack.js';
import { beginsTransaction, freezes, MMAP_LOCKERS, RTNL_LOCKERS } from './lock-uses.js';
import { SUBSYSTEMS } from '../subsystems.js';

interface Row {
  kind: WaitKind;
  frame: RegExp;
  /** For the title: `waiting for …`. */
  what: string;
  /** Only where the function itself sleeps: others sleep on behalf of it as well. */
  itself?: true;
  /** Only where such a function called it. */
  within?: RegExp;
}

/** Locks: they count only inside the operation, since further out the task holds them already. */
export const LOCKS: readonly Row[] = [
  { kind: 'mutex', frame: /^_*rtnl_lock/, what: 'the RTNL mutex' },
  { kind: 'mutex', frame: /rt_mutex|^rtlock|^__rt_spin/, what: 'an rt-mutex' },
  { kind: 'mutex', frame: /mutex/, what: 'a mutex' },
  {
    kind: 'rwsem',
    frame: /rwsem|^_*down_(?:read|write)|percpu_(?:down|rwsem)|^rwbase/,
    what: 'a rw-semaphore',
  },
  { kind: 'semaphore', frame: /^_*console_lock$/, what: 'the console lock' },
  { kind: 'semaphore', frame: /^_*down|ldsem/, what: 'a semaphore' },
  { kind: 'mutex', frame: /^_*six_lock/, what: 'a lock of a btree node' },
  { kind: 'mutex', frame: /^_*lock_sock/, what: 'a socket lock' },
  { kind: 'spinlock', frame: /spin_lock|queued_\w+_lock/, what: 'a spinlock' },
];

/** Other waits, the most telling first: any firm function from the sleep outwards counts. */
export const WAITS: readonly Row[] = [
  // The block layer sleeps for everybody, and nobody for it. A suspended device lets no request into its queue.
  {
    kind: 'queue-freeze',
    frame: /^(?:_*bio_queue_enter|blk_queue_enter)$/,
    within:
      /^(?:rpm_(?:suspend|resume|idle)|_*rpm_callback|pm_(?:generic_)?runtime_\w+|dpm_\w+|_*device_(?:suspend|resume)\w*|\w+_(?:runtime_)?(?:suspend|resume))$/,
    what: 'a suspended block queue to resume',
  },
  {
    kind: 'queue-freeze',
    frame: /^(?:_*bio_queue_enter|blk_queue_enter)$/,
    what: 'the freeze of a block queue to end',
  },
  { kind: 'block-tag', frame: /^wbt_wait$/, what: 'writeback throttling (wbt)' },
  {
    kind: 'block-tag',
    frame: /^(?:rq_qos_wait|_*rq_qos_throttle|ioc_rqos_throttle|blkcg_iolatency_throttle|blk_throtl_bio)$/,
    what: 'throttled block I/O to go on',
  },
  {
    kind: 'block-tag',
    frame:
      /^(?:blk_mq_get_tag|_*blk_mq_alloc_requests?|get_request|bt_get|sbitmap_queue_get\w*|scsi_\w*get_budget)$/,
    what: 'a free block request',
  },
  {
    kind: 'journal-commit',
    frame: whole(SUBSYSTEMS.flatMap(({ journal }) => journal?.commitWaits ?? [])),
    what: 'a journal commit',
  },
  {
    kind: 'transaction',
    frame: whole(SUBSYSTEMS.flatMap(({ journal }) => journal?.transactionWaits ?? [])),
    what: 'a transaction',
  },
  { kind: 'buffer', frame: /^xfs_buf_wait_unpin$/, what: 'a pinned buffer, for the log to be forced' },
  {
    kind: 'queue-freeze',
    frame: /^(?:blk_mq_freeze_queue\w*|blk_freeze_queue\w*|blk_mq_quiesce\w*)$/,
    what: 'the freeze of a block queue',
  },
  {
    kind: 'block-io',
    frame:
      /^(?:md_(?:super_wait|write_start|handle_request|update_sb)|raid5_(?:make_request|get_active_stripe)|make_stripe_request|(?:wait|raise)_barrier|freeze_array)$/,
    what: 'an MD array',
  },
  {
    kind: 'transaction',
    frame: /^(?:handle_reserve_ticket|wait_reserve_ticket)$/,
    what: 'space to be reserved',
  },
  {
    kind: 'mutex',
    frame: /^(?:_*lock_extent\w*|wait_extent_bit|btrfs_lock_extent\w*)$/,
    what: 'a range of a file',
  },
  {
    kind: 'block-io',
    frame:
      /^(?:blk_execute_rq\w*|submit_bio_wait|dm_wait_for_completion|_*blkdev_direct_IO\w*|_*blockdev_direct_IO|iomap_dio_\w+|dio_await_completion|blk_wait_io)$/,
    what: 'a block request',
  },
  {
    kind: 'fs-freeze',
    frame: /^(?:freeze_super|sb_wait_write)$/,
    what: 'writers to leave a filesystem that it freezes',
    itself: true,
  },
  {
    kind: 'fs-freeze',
    frame: /^(?:_*sb_start_\w+|mnt_want_write\w*|file_start_write)$/,
    what: 'the thaw of a frozen filesystem',
  },
  { kind: 'rcu', frame: /^_*synchronize_srcu_expedited$/, what: 'an expedited SRCU grace period' },
  { kind: 'rcu', frame: /^_*synchronize_srcu\w*$/, what: 'an SRCU grace period' },
  {
    kind: 'rcu',
    frame: /^_*synchronize_(?:rcu|sched)_expedited\w*$|^exp_funnel_lock$/,
    what: 'an expedited RCU grace period',
  },
  { kind: 'rcu', frame: /^_*synchronize_rcu_tasks\w*$/, what: 'a grace period of RCU tasks' },
  { kind: 'rcu', frame: /^synchronize_net$/, what: 'an RCU grace period of networking' },
  {
    kind: 'rcu',
    frame: /^(?:_*synchronize_(?:rcu|sched)\w*|_*wait_rcu_gp\w*)$/,
    what: 'an RCU grace period',
  },
  { kind: 'rcu', frame: /^_*rcu_barrier\w*$/, what: 'an RCU barrier' },
  {
    kind: 'completion',
    frame: /^(?:dma_fence_\w*wait\w*|dma_resv_wait\w*|drm_syncobj_\w*wait\w*|reservation_object_wait\w*)$/,
    what: 'a fence of the GPU',
  },
  {
    kind: 'completion',
    frame: whole(SUBSYSTEMS.flatMap(({ clusterLocks = [] }) => clusterLocks)),
    what: 'a lock of the cluster',
  },
  {
    kind: 'page',
    frame: /^kvm_async_pf_task_wait\w*$/,
    what: 'a page that the host has swapped out',
  },
  { kind: 'page', frame: /^handle_userfault$/, what: 'a page from user space (userfaultfd)' },
  { kind: 'dirty-throttle', frame: /^balance_dirty_pages\w*$/, what: 'dirty pages to be written' },
  {
    kind: 'writeback',
    frame:
      /^(?:(?:folio_)?wait_on_page_writeback|folio_wait_writeback|wait_on_page_writeback_range|_*filemap_fdatawait\w*|wb_wait_for_completion|wait_sb_inodes|inode_wait_for_writeback|_*inode_sleep_on_writeback|writeback_inodes_sb\w*|_*writeback_inodes_sb_nr)$/,
    what: 'writeback',
  },
  {
    kind: 'reclaim',
    frame: /^(?:throttle_direct_reclaim|reclaim_throttle|congestion_wait|wait_iff_congested)$/,
    what: 'memory to be reclaimed',
  },
  {
    kind: 'coredump',
    frame: /^(?:do_coredump|vfs_coredump|zap_threads|coredump_wait|coredump_task_exit)$/,
    what: 'the other threads for a core dump',
  },
  {
    kind: 'completion',
    frame: /^(?:wait_for_device_probe|async_synchronize_\w+)$/,
    within: /^(?:wait_for_device_probe|do_init_module|driver_\w+|prepare_namespace|kernel_init\w*)$/,
    what: 'the probes of devices',
  },
  { kind: 'completion', frame: /^async_synchronize_\w+$/, what: 'asynchronous work to finish' },
  { kind: 'child', frame: /^wait_for_vfork_done$/, what: 'its vfork child' },
  {
    kind: 'work',
    frame:
      /^(?:_*flush_work\w*|_*flush_workqueue|_*cancel_(?:delayed_)?work\w*|drain_workqueue|flush_delayed_work|work_on_cpu\w*|schedule_on_each_cpu)$/,
    what: 'a work item to finish',
  },
  {
    kind: 'kthread',
    frame: /^(?:kthread_(?:stop|park|flush_work\w*|create\w*)|_*kthread_create_on_node)$/,
    what: 'a kernel thread',
  },
  {
    kind: 'firmware',
    frame: /^_*(?:request_firmware\w*|fw_load_\w+|firmware_loading_\w+)$/,
    what: 'firmware from user space',
  },
  { kind: 'completion', frame: /^usb_(?:kill|poison)_urb$/, what: 'an URB to be given back' },
  { kind: 'poll-loop', frame: /^(?:usleep_range\w*|msleep\w*|fsleep)$/, what: 'polling' },
  { kind: 'futex', frame: /^(?:_*futex_wait\w*|futex_lock_pi\w*|do_futex)$/, what: 'a futex' },
  {
    kind: 'pipe',
    frame: /^(?:(?:anon_)?pipe_(?:read|write|wait\w*)|wait_for_partner|fifo_open|opipe_prep|ipipe_prep)$/,
    what: 'the other end of a pipe',
  },
  { kind: 'child', frame: /^(?:do_wait(?!_for)\w*|kernel_wait4|_*do_sys_wait4|sys_wait4)$/, what: 'a child' },
  {
    kind: 'events',
    frame:
      /^(?:ep_poll|do_epoll_wait|do_select|do_poll|do_sys_poll|poll_schedule_timeout\w*|inotify_read|eventfd_read|signalfd_\w*read\w*|sigsuspend|do_sigtimedwait|do_nanosleep|hrtimer_nanosleep|n_tty_read|do_pause|sys_pause|evdev_read|do_syslog|read_events)$/,
    what: 'events',
  },
  {
    kind: 'socket',
    frame:
      /^(?:_*skb_wait_\w+|_*skb_recv_\w+|inet_csk_\w*accept\w*|sk_(?:wait_data|stream_wait_\w+)|unix_(?:stream|dgram)_\w*wait\w*|unix_stream_\w*read\w*|unix_wait_for_peer|tcp_recvmsg\w*|netlink_recvmsg)$/,
    what: 'a socket',
  },
  {
    kind: 'completion',
    frame: /^(?:wait_for_completion\w*|_*wait_for_common|do_wait_for_common)$/,
    what: 'a completion',
  },
  {
    kind: 'page',
    frame: /^(?:_*folio_wait_\w+|_*lock_page\w*|_*folio_lock\w*|wait_on_page\w*|folio_put_wait_locked)$/,
    what: 'a page',
  },
  { kind: 'buffer', frame: /^(?:_*lock_buffer|_*wait_on_buffer|bh_uptodate_or_lock)$/, what: 'a buffer' },
  { kind: 'io', frame: /^io_schedule\w*$/, what: 'I/O' },
  // Reclaim as such: what it met further in says more.
  {
    kind: 'reclaim',
    frame:
      /^(?:try_to_free_\w+|do_try_to_free_pages|shrink_\w+|balance_pgdat|_*alloc_pages_(?:slowpath|direct_\w+))$/,
    what: 'memory to be reclaimed',
  },
  {
    kind: 'transaction',
    frame: /^jbd2?_journal_commit_transaction$/,
    what: 'its open handles',
    itself: true,
  },
  {
    kind: 'completion',
    frame: /^(?:rpm_(?:resume|suspend|idle)|_*pm_runtime_barrier)$/,
    what: 'a device to change its power state',
    itself: true,
  },
];

const THAW: WaitFound = { kind: 'fs-freeze', what: 'the thaw of a frozen filesystem' };

export interface WaitFound {
  kind: WaitKind;
  what: string;
}

/** The lock a stack waits for, or null: of the functions inside the operation the outermost tells the most. */
export const lockWaited = (task: Pick<Task, 'frames'>): WaitFound | null => lockIn(task.frames);

const lockIn = perStack((frames): WaitFound | null => {
  const operation = operationFrame(frames)?.symbol ?? null;
  let found: WaitFound | null = null;
  for (const name of firmSymbols(frames)) {
    const inside = layerOf(name) === 'primitive' || /^_*(?:rtnl_lock|lock_sock)/.test(name);
    found = (inside ? LOCKS.find(({ frame }) => frame.test(name)) : undefined) ?? found;
    if (operation !== null && name === baseSymbol(operation)) break;
  }
  return found && namedLock(found, operation === null ? '' : baseSymbol(operation), frames);
});

/** What a lock is for, where who takes it says that. */
function namedLock(found: WaitFound, taker: string, frames: readonly Frame[]): WaitFound | null {
  if (found.what === 'a mutex' && RTNL_LOCKERS.test(taker)) return RTNL;
  if (found.kind !== 'rwsem') return found;
  // A filesystem is frozen by whoever holds this lock for writing, and then goes away.
  if (freezes(firmSymbols(frames))) return null;
  return MMAP_LOCKERS.test(taker) ? MMAP_LOCK : found;
}

const RTNL: WaitFound = { kind: 'mutex', what: 'the RTNL mutex' };
const MMAP_LOCK: WaitFound = { kind: 'rwsem', what: 'mmap_lock, the lock of an address space' };

/** Whether a stack waits for the lock of an address space. */
export const waitsForMmap = (task: Pick<Task, 'frames'>): boolean => lockWaited(task) === MMAP_LOCK;

/** What a stack waits for, or null where it is not known to wait. */
export const waitOf = (task: Pick<Task, 'frames'>): WaitFound | null => waitIn(task.frames);

const waitIn = perStack((frames): WaitFound | null => {
  const backend = backendOf(frames);
  if (backend) return { kind: backend.kind, what: `the answer to a ${backend.request}` };
  if (neverRun(frames)) return { kind: 'never-run', what: 'its first run' };
  if (isFrozen(frames)) return { kind: 'frozen', what: 'a thaw' };
  const lock = lockIn(frames);
  if (lock) return lock;
  const names = firmSymbols(frames);
  if (beginsTransaction(names)) return THAW;
  const own = operationFrame(frames);
  return (
    WAITS.find(
      ({ frame, itself, within }) =>
        (within === undefined || names.some((name) => within.test(name))) &&
        (itself
          ? own !== null && frame.test(baseSymbol(own.symbol))
          : names.some((name) => frame.test(name))),
    ) ?? null
  );
});
