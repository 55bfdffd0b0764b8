import { describe, expect, it } from 'vitest';
import { byOwnStack, ownLock } from '../../../src/core/analysis/own-lock.js';
import type { Task } from '../../../src/core/model.js';

const sleeping = (text: string): Task => ({
  comm: 'ip',
  pid: 7,
  ppid: 1,
  state: 'D',
  workqueue: null,
  blockedForSeconds: null,
  frames: text.split(' ').map((symbol) => ({ symbol, offset: 1, size: 2, module: null, reliable: true })),
});
const RTNL = 'schedule __mutex_lock rtnl_lock';

describe('a lock that its own stack holds', () => {
  it.each<[string, string, string | null]>([
    ['RTNL in a callback', `${RTNL} thing_stop __dev_close_many dev_close_many rtnl_dellink`, '__dev_close_many'],
    ['RTNL let go in between', `${RTNL} netdev_wait_allrefs_any netdev_run_todo rtnl_unlock unregister_netdevice_queue`, null],
    ['RTNL taken by the function itself', `${RTNL} register_netdevice thing_probe`, null],
    ['RTNL wanted by a message', `${RTNL} rtnetlink_rcv_msg netlink_rcv_skb`, null],
    ['no wait for a lock', 'schedule msleep thing_stop __dev_close_many', null],
    ['a page fault in a mapping', 'schedule rwsem_down_read_slowpath down_read do_user_addr_fault asm_exc_page_fault thing_mmap mmap_region do_mmap', 'mmap_region'],
    ['a disk that is opened again while it is opened', 'schedule __mutex_lock bdev_open thing_probe thing_open blkdev_get_whole bdev_open', 'blkdev_get_whole'],
    ['the lock of hotplug in a callback of it', 'schedule percpu_rwsem_wait __percpu_down_read cpus_read_lock thing_online cpuhp_invoke_callback _cpu_up', 'cpuhp_invoke_callback'],
    ['cgroup_mutex within a controller', 'schedule __mutex_lock cgroup_lock_and_drain_offline thing_alloc css_create cgroup_apply_control_enable', 'css_create'],
    ['the console lock within printing', 'schedule __down down console_lock thing_unblank thing_write console_flush_all console_unlock', 'console_flush_all'],
    ['an attribute that removes itself', 'schedule kernfs_drain __kernfs_remove thing_unregister thing_store kernfs_fop_write_iter', 'kernfs_fop_write_iter'],
    ['one that says so', 'schedule kernfs_drain __kernfs_remove sysfs_remove_file_self thing_store kernfs_fop_write_iter', null],
    ['a file of proc that removes itself', 'schedule wait_for_completion proc_entry_rundown proc_remove thing_write proc_reg_write vfs_write', 'proc_reg_write'],
    ['a file of debugfs that removes itself', 'schedule wait_for_completion remove_one simple_recursive_removal thing_write full_proxy_write vfs_write', 'full_proxy_write'],
    ['a fault in the range of its own direct I/O', 'schedule lock_extent_bits extent_readahead filemap_fault __do_fault handle_mm_fault fault_in_readable iomap_dio_rw btrfs_file_write_iter', 'iomap_dio_rw'],
    ['a fault in the memory that takes the extents', 'schedule lock_extent_bits extent_readahead filemap_fault handle_mm_fault fiemap_fill_next_extent extent_fiemap btrfs_fiemap', 'fiemap_fill_next_extent'],
    ['a fault that comes from no filesystem', 'schedule lock_extent_bits extent_readahead filemap_fault handle_mm_fault do_user_addr_fault', null],
  ])('%s', (_case, text, holder) => {
    expect(ownLock(sleeping(text))?.holder ?? null).toBe(holder);
  }); // prettier-ignore

  it('makes a ring of one', () => {
    const task = sleeping(`${RTNL} thing_stop __dev_close_many`);
    const edge = byOwnStack(task);
    expect(edge).toMatchObject({ waiter: task, owner: { pid: 7, task }, confidence: 'medium' });
  });
});
