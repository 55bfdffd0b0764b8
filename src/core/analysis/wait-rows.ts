/** Who does the work that others wait for, as a table: threads with a known duty, and code only one task at a time is in. */
import type { Task } from '../model.js';
import type { Row } from './edge-row.js';
import { firmSymbols } from './frames.js';
import { RTNL_LOCKERS } from './lock-uses.js';
import { whole } from './patterns.js';
import { FILESYSTEM_ROWS } from './filesystem-rows.js';
import { servesDisks } from './server-programs.js';
import { SUBSYSTEMS } from '../subsystems.js';
import { lockWaited } from './wait-kinds.js';

/** Waits for a page, a buffer or a request of some block device. */
const BLOCK_IO =
  /^(?:submit_bio_wait|blk_execute_rq\w*|_*wait_on_buffer|_*lock_buffer|_*folio_wait_\w+|folio_put_wait_locked|_*folio_lock\w*|_*lock_page\w*|wait_on_page\w*|blk_mq_get_tag|bit_wait_io|io_schedule\w*)$/;

/** Hands requests to a driver: the driver runs below. */
export const DISPATCHES =
  /^(?:_*blk_mq_run_hw_queue|blk_mq_dispatch_rq_list|_*blk_mq_sched_dispatch_requests)$/;

/** The threads that work for journals. */
const JOURNAL_ROWS = SUBSYSTEMS.flatMap(({ journal }): Row[] => {
  if (journal?.thread === undefined) return [];
  const { waiters, comm, works = [], notWhile = [], through, reason } = journal.thread;
  const not = whole(notWhile);
  const owner = comm ? { comm, not } : { frame: whole(works), not };
  return [{ waiter: whole(waiters), owner, through, confidence: 'medium', reason }];
});

/** Writers that a freeze keeps out of a filesystem, and requests that one keeps out of a block queue. */
const KEPT_OUT = /^(?:_*sb_start_\w+|mnt_want_write\w*|file_start_write)$/;
const ENTERS_QUEUE = /^(?:_*bio_queue_enter|blk_queue_enter)$/;
const MD_WAIT =
  /^(?:md_(?:write_start|handle_request|make_request|flush_request|submit_bio|wait_for_blocked_rdev)|raid\d+_make_request|raid5_get_active_stripe|make_stripe_request|(?:wait|raise)_barrier|mddev_(?:suspend|lock)\w*|stop_sync_thread)$/;

/** They count only where the owner is stuck itself: an idle one tells nothing. */
export const EDGE_ROWS: readonly Row[] = [
  ...JOURNAL_ROWS,
  ...FILESYSTEM_ROWS,
  {
    waiter: /^/,
    waits: 'fs-freeze',
    owner: { frame: /^(?:freeze_super|sb_wait_write)$/, not: KEPT_OUT },
    through: 'the freeze of a filesystem',
    confidence: 'medium',
    reason: 'this task freezes one, and is not done',
  },
  {
    waiter: /^/,
    waits: 'fs-freeze',
    owner: { frame: /^thaw_super\w*$/, not: KEPT_OUT },
    through: 'the thaw of a filesystem',
    confidence: 'medium',
    reason: 'this task is to thaw one',
  },
  {
    waiter: /^(?:thaw_super\w*|freeze_super)$/,
    lock: 'rwsem',
    owner: { frame: /^(?:iterate_supers\w*|super_cache_\w+|sync_filesystem|generic_shutdown_super|_*writeback_inodes_sb\w*)$/, not: /^$/ },
    through: 's_umount, the lock of a superblock',
    confidence: 'medium',
    reason: 'this task holds one while it syncs, shrinks or unmounts',
  },
  {
    waiter: ENTERS_QUEUE,
    owner: { frame: /^(?:blk_mq_freeze_queue\w*|blk_freeze_queue\w*|elevator_(?:switch|change)\w*|blk_mq_update_nr_\w+|nvme_(?:passthru_start|wait_freeze|start_freeze)\w*)$/, not: ENTERS_QUEUE },
    through: 'the freeze of a block queue',
    confidence: 'medium',
    reason: 'this task froze one',
  },
  {
    waiter: /^(?:blk_mq_freeze_queue_wait\w*|blk_mq_freeze_queue|blk_freeze_queue)$/,
    owner: { frame: /^blk_zone_wplug_bio_work$/, not: /^$/ },
    through: 'the requests in a block queue',
    confidence: 'medium',
    reason: 'the writes that it has plugged are some of them',
  },
  {
    waiter: MD_WAIT,
    owner: { frame: /^(?:raid\d+d|md_check_recovery|md_update_sb)$/, not: /^$/ },
    through: 'an MD array',
    confidence: 'medium',
    reason: 'this thread serves the array',
  },
  {
    waiter: MD_WAIT,
    owner: { frame: /^md_do_sync$/, not: /^$/ },
    through: 'an MD array',
    confidence: 'medium',
    reason: 'this thread resyncs or reshapes the array',
  },
  {
    waiter: /^clk_prepare_lock$/,
    lock: 'mutex',
    owner: { frame: /^_*clk_(?:pm_runtime_get|disable_unused|core_|prepare|unprepare|set_|bulk_|register|unregister|release|summary_show)\w*$/, not: /^clk_prepare_lock$/ },
    through: 'prepare_lock, the lock of all clocks',
    confidence: 'medium',
    reason: 'no other stuck task is in code that holds it',
  },
  {
    waiter: /^(?:rpm_(?:resume|suspend|idle)|_*pm_runtime_barrier)$/,
    owner: { frame: /^(?:_*rpm_callback|pm_generic_runtime_\w+)$/, not: /^$/ },
    through: 'a change of power state',
    confidence: 'medium',
    reason: 'no other stuck task is inside of one',
  },
  {
    waiter: /^(?:copy_net_ns|(?:un)?register_pernet_\w+)$/,
    owner: { frame: /^cleanup_net$/, not: /^(?:copy_net_ns|(?:un)?register_pernet_\w+)$/ },
    through: 'the lock of network namespaces',
    confidence: 'medium',
    reason: 'this worker holds it while it cleans one up',
  },
  {
    waiter: /^(?:wb_wait_for_completion|sync_inodes_sb|_*writeback_inodes_sb\w*|inode_wait_for_writeback|balance_dirty_pages\w*|bdi_split_work_to_wbs)$/,
    owner: { frame: /^(?:wb_workfn|wb_do_writeback|bdi_writeback_workfn|bdi_writeback_thread)$/, not: /^(?:sync_inodes_sb|balance_dirty_pages\w*)$/ },
    through: 'writeback',
    confidence: 'medium',
    reason: 'this worker writes dirty pages back',
  },
  {
    waiter: /^(?:(?:un)?register_shrinker\w*|prealloc_shrinker|free_prealloced_shrinker|shrinker_(?:register|free))$/,
    lock: 'rwsem',
    owner: { frame: /^(?:do_)?shrink_slab$/, not: /^(?:un)?register_shrinker\w*$/ },
    through: 'shrinker_rwsem',
    confidence: 'medium',
    reason: 'this task holds it while it shrinks caches',
  },
  {
    waiter: /^(?:throttle_direct_reclaim|reclaim_throttle|wait_iff_congested)$/,
    owner: { comm: /^kswapd\d/, not: /^$/ },
    through: 'memory',
    confidence: 'medium',
    reason: 'this thread reclaims memory',
  },
  {
    waiter: /^(?:remove_one|_*debugfs_file_removed)$/,
    owner: { frame: /^(?:full_proxy_(?!open)\w+|debugfs_attr_\w+|debugfs_(?:read|write)_file_\w+)$/, not: /^(?:remove_one|_*debugfs_file_removed)$/ },
    through: 'a file of debugfs that is in use',
    confidence: 'medium',
    reason: 'no other stuck task is inside one',
  },
  {
    waiter: /^(?:kernfs_drain\w*|_*kernfs_remove)$/,
    owner: { frame: /^(?:kernfs_fop_(?:read|write)\w*|kernfs_seq_\w+)$/, not: /^(?:kernfs_drain\w*|_*kernfs_remove)$/ },
    through: 'an attribute that is in use',
    confidence: 'medium',
    reason: 'no other stuck task is inside one',
  },
  {
    waiter: /^(?:proc_entry_rundown|remove_proc_(?:entry|subtree))$/,
    owner: { frame: /^proc_reg_(?!open|release)\w+$/, not: /^proc_entry_rundown$/ },
    through: 'a file of proc that is in use',
    confidence: 'medium',
    reason: 'no other stuck task is inside one',
  },
  {
    waiter: /^(?:scsi_block_when_processing_errors|_*scsi_execute\w*)$/,
    owner: { frame: /^scsi_error_handler$/, not: /^$/ },
    through: 'the error handling of a SCSI host',
    confidence: 'medium',
    reason: 'this thread handles errors, and no command is queued meanwhile',
  },
  {
    waiter: /^(?:cpus_read_lock|get_online_cpus|cpus_write_lock|cpu_hotplug_begin)$/,
    owner: { frame: /^(?:_cpu_(?:up|down)|cpuhp_\w+|cpu_subsys_\w+|freeze_secondary_cpus|(?:stop_machine|static_key_slow_\w+|jump_label_\w+)\w*)$/, not: /^(?:cpus_read_lock|get_online_cpus|cpus_write_lock|cpu_hotplug_begin)$/ },
    through: 'the lock of CPU hotplug',
    confidence: 'medium',
    reason: 'no other stuck task is in code that holds it',
  },
  {
    waiter: /^cgroup_(?:lock\w*|kn_lock_live)$/,
    lock: 'mutex',
    owner: { frame: /^(?:cgroup_(?:apply_control\w*|attach_task\w*|migrate\w*|destroy_locked|transfer_tasks|mkdir|rmdir|setup_root|subtree_control_write|_*procs_write|create|update_dfl_csses)|css_(?:create|killed_work_fn|release_work_fn))$/, not: /^cgroup_(?:lock\w*|kn_lock_live)$/ },
    through: 'cgroup_mutex',
    confidence: 'medium',
    reason: 'no other stuck task is in code that holds it',
  },
  {
    waiter: /^_*request_module$/,
    owner: { frame: /^(?:do_init_module|load_module)$/, not: /^_*request_module$/ },
    through: 'a module to be loaded',
    confidence: 'medium',
    reason: 'this task loads one',
  },
  {
    waiter: /^pci_call_probe$/,
    owner: { frame: /^local_pci_probe$/, not: /^pci_call_probe$/ },
    through: 'a PCI probe',
    confidence: 'medium',
    reason: 'this worker is in the probe',
  },
  {
    waiter: /^(?:wait_for_device_probe|async_synchronize_\w+|driver_attach|do_init_module)$/,
    owner: { frame: /^async_run_entry_fn$/, not: /^async_synchronize_\w+$/ },
    through: 'the probe of a device',
    confidence: 'medium',
    reason: 'this worker is in the probe',
  },
  {
    waiter: /^async_synchronize_\w+$/,
    owner: { frame: /^async_run_entry_fn$/, not: /^$/ },
    through: 'asynchronous work',
    confidence: 'low',
    reason: 'this worker runs some, and waits for some itself',
  },
  {
    waiter: /^_*rtnl_lock\w*$/,
    owner: {
      frame: /^(?:rtnetlink_rcv_msg|rtnl_newlink|dev_ioctl|devinet_ioctl|cleanup_net|unregister_netdevice\w*|netdev_run_todo|tun_chr_close|_*tun_detach|default_device_exit_batch|linkwatch_event|addrconf_dad_work)$/,
      not: /^(?:_*rtnl_lock\w*|_*netlink_dump\w*)$/,
    },
    through: 'the RTNL mutex',
    confidence: 'medium',
    reason: 'no other stuck task is in code that holds it',
  },
  {
    waiter: RTNL_LOCKERS,
    itself: true,
    lock: 'mutex',
    owner: {
      frame: /^(?:rtnetlink_rcv_msg|rtnl_newlink|dev_ioctl|devinet_ioctl|cleanup_net|unregister_netdevice\w*|netdev_run_todo|tun_chr_close|_*tun_detach|default_device_exit_batch|_*cfg80211_unregister_wdev|_*dev_close_many)$/,
      not: /^(?:_*rtnl_lock\w*|_*netlink_dump\w*|addrconf_(?:dad|verify)_work|reg_check_chans_work)$/,
    },
    through: 'the RTNL mutex',
    confidence: 'medium',
    reason: 'no other stuck task is in code that holds it',
  },
  {
    waiter: BLOCK_IO,
    owner: { frame: /^(?:loop_(?:workfn|process_work|queue_work|handle_cmd|thread)|lo_rw_aio|do_req_filebacked)$/, not: /^$/ },
    through: 'I/O of a loop device',
    confidence: 'low',
    reason: 'it serves a loop device, and is stuck',
  },
  {
    waiter: BLOCK_IO,
    owner: { frame: DISPATCHES, not: /^$/ },
    through: 'the requests of a disk',
    confidence: 'low',
    reason: 'this worker hands requests to their driver, and is stuck',
  },
  {
    waiter: BLOCK_IO,
    owner: { serves: 'disks' },
    through: 'I/O of a disk that a program serves',
    confidence: 'low',
    reason: 'it serves disks by its name, and is stuck',
  },
  {
    waiter: BLOCK_IO,
    owner: { frame: /^(?:dmcrypt_write|kcryptd_\w+|md_thread|raid\d+d|bch_\w+_thread|do_worker|process_prepared_mapping\w*|nbd_\w*work\w*|recv_work)$/, not: /^$/ },
    through: 'I/O of a stacked block device',
    confidence: 'low',
    reason: 'it serves such a device, and is stuck',
  },
]; // prettier-ignore

/** Whether a task does what this row's waiters wait for. */
export function doesWork({ owner, through }: Row, task: Task): boolean {
  if ('serves' in owner) return servesDisks(task);
  if (lockWaited(task)?.what === through) return false;
  const names = firmSymbols(task.frames);
  if (names.some((name) => owner.not.test(name))) return false;
  return 'comm' in owner ? owner.comm.test(task.comm) : names.some((name) => owner.frame.test(name));
}

/** Path walks that hold or want an inode's lock while the filesystem answers. */
export const INODE_CODE =
  /^(?:path_openat|open_last_lookups|lookup_slow|walk_component|do_unlinkat|do_rmdir|do_mkdirat|do_mknodat|do_renameat2|filename_create|iterate_dir|chmod_common|do_truncate|vfs_\w+|link_path_walk|lock_rename|lock_two_directories)$/;

/** The lock of a page: its holder is recorded nowhere. Waits for a page's data are not meant. */
export const PAGE_LOCK =
  /^(?:_*filemap_get_folio\w*|_*lock_page\w*|_*folio_lock\w*|pagecache_get_page|find_lock_page\w*)$/;

/** Holders of mmap_lock, besides page faults. */
export const IN_MMAP =
  /^(?:_*vm_munmap|do_mmap|vm_mmap_pgoff|_*mmap_region|do_(?:vmi_)?(?:align_)?munmap|unmap_region|mprotect_fixup|_*mm_populate|populate_vma_page_range|madvise_\w+|dup_mmap|exit_mmap|_*get_user_pages\w*|collapse_huge_page)$/;
