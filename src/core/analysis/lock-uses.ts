/** What a lock is for, where its kind does not say: an address space, or the freeze of a filesystem. */

/** Functions that take an address space's lock themselves; memory management has it from no parameter. */
export const MMAP_LOCKERS =
  /^(?:do_user_addr_fault|_*do_page_fault|do_mem_abort|lock_mm_and_find_vma|mmap_(?:read|write)_lock\w*|_*vm_munmap|vm_mmap_pgoff|exit_mm\w*|_*access_remote_vm|(?:do_|process_)?madvise\w*|do_mprotect_pkey|dup_mm\w*|collapse_huge_page|khugepaged\w*|hpage_collapse_\w+|m_start|proc_pid_cmdline_read|get_mm_cmdline|_*get_user_pages_\w+|userfaultfd_\w+|process_vm_rw\w*|task_numa_work|_*mm_populate|populate_vma_page_range|do_shmat|_*(?:x64|arm64|do|se)_sys_(?:munmap|brk|mprotect|mremap|madvise)|sys_(?:brk|munmap|mprotect))$/;

/** Functions of networking that take the RTNL mutex themselves, or in a tail call that leaves no frame of rtnl_lock. */
export const RTNL_LOCKERS =
  /^(?:rtnetlink_rcv_msg|rtnl_dumpit|do_ipv?6?_setsockopt|addrconf_(?:dad|verify)_work|linkwatch_event|dev_(?:ioctl|ethtool)|devinet_ioctl|reg_check_chans_work|cfg80211_destroy_iface_wk|default_device_exit_batch|(?:un)?register_netdevice_notifier|tun_chr_close)$/;

/**
 * A writer that is kept out of a filesystem, or who freezes one and waits for its writers: the lock is a percpu
 * rw-semaphore, no inode's.
 */
export function freezes(names: readonly string[]): boolean {
  const freezer = /^(?:freeze_super|sb_wait_write)$/;
  const down = names.some((name) => /^_*percpu_down_write/.test(name));
  return (down && names.some((name) => freezer.test(name))) || KEPT_OUT.test(takerOf(names));
}

const KEPT_OUT =
  /^(?:_*sb_start_\w+|mnt_want_write\w*|file_start_write|vfs_write|do_iter_write|xfs_trans_alloc|start_transaction|_*gfs2_trans_begin)$/;

/** Who takes a percpu rw-semaphore to read, empty if none. */
function takerOf(names: readonly string[]): string {
  const lock = names.findLastIndex((name) => /^(?:percpu_rwsem_wait|_*percpu_down_read)/.test(name));
  return lock < 0 ? '' : (names[lock + 1] ?? '');
}

/** Filesystems that a freeze keeps from beginning a transaction: such a lock is taken there for nothing else. */
export const beginsTransaction = (names: readonly string[]): boolean =>
  /^(?:xfs_trans_alloc|start_transaction|_*gfs2_trans_begin)$/.test(takerOf(names));
