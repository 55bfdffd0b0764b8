/** A lock that the stack which waits for it holds already, further out: nobody else can let it go. */
import type { Task } from '../model.js';
import { backendOf } from './backends.js';
import { type Edge, edgeTo } from './edges.js';
import { firmFrames, firmSymbols } from './frames.js';
import { subjectOfSymbol } from './subjects.js';
import { lockWaited } from './wait-kinds.js';

interface Row {
  lock: string;
  /** Who takes it, directly outside of the lock's own functions. */
  wants: RegExp;
  /** Who is only called with it held. */
  holds: RegExp;
  /** Lets go of it in between. */
  lets?: RegExp;
}

/** By what net/core, net/wireless and mm demand of their callers (ASSERT_RTNL, lockdep_assert_held). */
const ROWS: readonly Row[] = [
  {
    lock: 'the RTNL mutex',
    wants: /^_*rtnl_lock\w*$/,
    holds:
      /^(?:register_netdevice|unregister_netdevice_(?:queue|many\w*)|_*dev_(?:open|close|close_many|change_flags|set_mtu)|_*netif_(?:open|close|close_many|change_flags|set_mtu)\w*|rollback_registered\w*|do_setlink|call_netdevice_\w+|_*linkwatch_run_queue)$/,
    lets: /^(?:_*rtnl_unlock|netdev_run_todo)$/,
  },
  {
    // Since 5.12 nl80211 takes the mutex of the device as well.
    lock: 'the RTNL mutex',
    wants: /^(?:(?:un)?register_netdev|wiphy_(?:un)?register)$/,
    holds:
      /^(?:nl80211_\w+|rtnetlink_rcv_msg|rtnl_(?:newlink|dellink|setlink)|do_setlink|_*dev_(?:open|close|change_flags)|dev_ioctl|devinet_ioctl)$/,
    lets: /^_*rtnl_unlock$/,
  },
  {
    // By net/ipv4 and net/vmw_vsock, which call a protocol's connect, disconnect and release with it held.
    lock: 'the lock of its socket',
    wants: /^_*lock_sock\w*$/,
    holds:
      /^(?:_*inet_stream_connect|tcp_sendmsg_(?:fastopen|locked)|vsock_(?:stream_)?connect|vsock_assign_transport|mptcp_(?:disconnect|sendmsg_fastopen))$/,
    lets: /^(?:release_sock|_*sk_flush_backlog|inet_(?:stream_)?(?:release|accept)|_*sock_release)$/,
  },
  {
    lock: 'the mutex of a wireless device',
    wants: /^cfg80211_netdev_notifier_call$/,
    holds: /^(?:cfg80211_remove_virtual_intf|_*cfg80211_unregister_wdev)$/,
  },
  {
    // By block/bdev.c, which opens and closes a disk with it held.
    lock: 'open_mutex, the lock of a disk',
    wants:
      /^(?:del_gendisk|blkdev_(?:get_by_dev|put)|bdev_(?:open\w*|release|mark_dead)|disk_scan_partitions|invalidate_disk)$/,
    holds: /^(?:blkdev_(?:get|put)_whole|bdev_disk_changed|blkdev_flush_mapping)$/,
  },
  {
    // By kernel/cpu.c: callbacks of hotplug run with it held for writing.
    lock: 'the lock of CPU hotplug',
    wants: /^(?:cpus_(?:read|write)_lock|get_online_cpus|cpu_hotplug_begin)$/,
    holds: /^(?:_cpu_(?:up|down)|cpuhp_(?:invoke_callback\w*|up_callbacks))$/,
  },
  {
    // By kernel/cgroup: controllers are told of a change with it held.
    lock: 'cgroup_mutex',
    wants: /^cgroup_(?:lock\w*|kn_lock_live)$/,
    holds:
      /^(?:css_create|online_css|offline_css|cgroup_(?:apply_control\w*|attach_task|migrate_execute|destroy_locked))$/,
  },
  {
    // By fs/f2fs/checkpoint.c: it is taken for writing as a checkpoint begins, which writes nodes and drops inodes.
    lock: 'cp_rwsem, which keeps operations out of a checkpoint',
    wants:
      /^f2fs_(?:lock_op|truncate_blocks|do_truncate_blocks|map_blocks|reserve_new_block|convert_inline_\w+|evict_inode)$/,
    holds: /^(?:f2fs_sync_node_pages|f2fs_sync_dirty_inodes|block_operations|f2fs_write_checkpoint)$/,
  },
  {
    lock: 'the console lock',
    wants: /^console_lock$/,
    holds: /^(?:console_unlock|console_flush_all|do_con_write|do_take_over_console|do_unblank_screen)$/,
  },
  {
    lock: 'mmap_lock, the lock of an address space',
    wants: /^(?:do_user_addr_fault|_*do_page_fault|do_mem_abort|lock_mm_and_find_vma)$/,
    holds: /^(?:do_mmap|_*mmap_region|do_(?:vmi_)?(?:align_)?munmap|mprotect_fixup|dup_mmap|show_s?map\w*)$/,
  },
];

interface OwnLock {
  lock: string;
  /** The function further out that runs with it. */
  holder: string;
}

/** A FUSE server that tells the kernel something gets the kernel's own question only once it is told. */
const TELLS = /^fuse_dev_(?:do_write|write|splice_write)$/;

/** A read of a page has it locked; so whoever writes pages back from within waits for that very lock. */
function ownPage(task: Pick<Task, 'frames'>): OwnLock | null {
  const names = firmSymbols(task.frames);
  const wants = names.findIndex((name) => /^(?:_*folio_lock\w*|_*lock_page\w*)$/.test(name));
  const writes = names.findIndex((name) => /write_cache_pages|writepages/.test(name));
  if (wants < 0 || writes < wants) return null;
  const holder = names.slice(writes + 1).find((name) => READS_PAGE.test(name));
  return holder === undefined ? null : { lock: 'the lock of a page that it reads', holder };
}

const READS_PAGE =
  /^(?:filemap_read_folio|filemap_update_page|do_read_cache_(?:page|folio)|read_pages|\w+_read_?(?:folio|page))$/;

/** Work that is called by what it waits for: an attribute that removes itself, as long as it does not say so. */
const REMOVALS = [
  { wants: /^(?:kernfs_drain\w*|_*kernfs_remove)$/, holds: /^kernfs_fop_(?:read|write)\w*$/, lets: /^(?:kernfs_break_active_protection|\w+_remove_file_self|kernfs_remove_self)$/, lock: 'an attribute that is in use' },
  { wants: /^proc_entry_rundown$/, holds: /^proc_reg_\w+$/, lock: 'a file of proc that is in use' },
  { wants: /^(?:remove_one|_*debugfs_file_removed)$/, holds: /^(?:full_proxy_\w+|debugfs_attr_\w+)$/, lock: 'a file of debugfs that is in use' },
] as const; // prettier-ignore

function ownRemoval(task: Pick<Task, 'frames'>): OwnLock | null {
  const names = firmSymbols(task.frames);
  for (const { lock, wants, holds, ...rest } of REMOVALS) {
    const taker = names.findIndex((name) => wants.test(name));
    const holder = taker < 0 ? undefined : names.slice(taker).find((name) => holds.test(name));
    const lets = 'lets' in rest && names.some((name) => rest.lets.test(name));
    if (holder !== undefined && !lets) return { lock, holder };
  }
  return null;
}

/** A filesystem that copies from or to a program's memory, in a lock of its own, and is asked for the page of that memory. */
function ownFault(task: Pick<Task, 'frames'>): OwnLock | null {
  const firm = firmFrames(task.frames);
  const names = firmSymbols(task.frames);
  const fault = names.findIndex((name) => /^(?:filemap_fault|_*do_fault|handle_mm_fault)$/.test(name));
  const inner = firm.slice(0, Math.max(fault, 0)).findLast(({ symbol }) => isFilesystem(symbol));
  if (!inner) return null;
  const name = subjectOfSymbol(inner.symbol)?.name;
  const at = names.findIndex((symbol, index) => index > fault && HOLDS_RANGE.test(symbol));
  const holder = names.slice(fault, at + 1).find((symbol) => /fiemap/.test(symbol)) ?? names[at];
  const same = at >= 0 && names.slice(at).some((symbol) => subjectOfSymbol(symbol)?.name === name);
  return same && holder !== undefined ? { lock: 'a range of a file', holder } : null;
}

const isFilesystem = (symbol: string): boolean => {
  const subject = subjectOfSymbol(symbol);
  return subject?.layer === 'filesystem' && subject.general !== true;
};

/** Direct I/O, and the list of extents: they copy with a range or an inode locked. */
const HOLDS_RANGE =
  /^(?:_*iomap_dio_rw|\w+_(?:direct_(?:IO|read|write)|dio_(?:read|write)\w*|fiemap)|extent_fiemap|iomap_fiemap)$/;

function ownAnswer(task: Pick<Task, 'frames'>): OwnLock | null {
  if (backendOf(task.frames)?.kind !== 'fuse') return null;
  const holder = firmSymbols(task.frames).find((name) => TELLS.test(name));
  return holder === undefined ? null : { lock: 'its own answer to a FUSE request', holder };
}

/** The lock that a stack waits for and holds itself; null where no row says so. */
export function ownLock(task: Pick<Task, 'frames'>): OwnLock | null {
  const answer = ownAnswer(task) ?? ownPage(task) ?? ownRemoval(task) ?? ownFault(task);
  if (answer) return answer;
  if (lockWaited(task) === null) return null;
  const names = firmSymbols(task.frames);
  for (const { lock, wants, holds, lets } of ROWS) {
    const taker = names.findIndex((name) => wants.test(name));
    if (taker < 0) continue;
    const holder = names.findIndex((name, index) => index > taker + 1 && holds.test(name));
    const between = names.slice(taker, Math.max(holder, 0));
    if (holder >= 0 && !between.some((name) => lets?.test(name) === true))
      return { lock, holder: names[holder] ?? '' };
  }
  return null;
}

/** The edge of a task to itself. */
export function byOwnStack(waiter: Task): Edge | null {
  const own = ownLock(waiter);
  return (
    own &&
    edgeTo(waiter, waiter, {
      through: own.lock,
      confidence: 'medium',
      reason: `${own.holder} in its own stack runs with it held`,
      source: 'rule',
    })
  );
}
