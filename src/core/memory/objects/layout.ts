/** Offsets in the structures of the VFS, of locks and of FUSE. A part whose structures are not known is null. */
import type { Kernel, Layouts } from '../model.js';

/** Offsets by name; null if a single one is missing. */
type Offsets<Name extends string> = Readonly<Record<Name, bigint>>;

function offsets<Name extends string>(
  layouts: Layouts,
  wanted: Readonly<Record<Name, readonly [struct: string, path: string]>>,
): Offsets<Name> | null {
  const found: Partial<Record<Name, bigint>> = {};
  for (const [name, [struct, path]] of Object.entries<readonly [string, string]>(wanted)) {
    const offset = layouts.offset(struct, path);
    if (offset === null || offset < 0 || offset > OFFSET_MAX) return null;
    found[name as Name] = BigInt(offset);
  }
  return found as Record<Name, bigint>;
}

/** No structure read here is larger. */
const OFFSET_MAX = 1 << 16;

const one = (layouts: Layouts, struct: string, path: string): bigint | null =>
  offsets(layouts, { it: [struct, path] })?.it ?? null;

function filesOf(layouts: Layouts) {
  return offsets(layouts, {
    fileInode: ['file', 'f_inode'],
    fileDentry: ['file', 'f_path.dentry'],
    inodeSuper: ['inode', 'i_sb'],
    inodeMapping: ['inode', 'i_mapping'],
    inodeNumber: ['inode', 'i_ino'],
    inodeDentries: ['inode', 'i_dentry'],
    alias: ['dentry', 'd_u.d_alias|d_alias'],
    dentrySuper: ['dentry', 'd_sb'],
    dentryInode: ['dentry', 'd_inode'],
    dentryParent: ['dentry', 'd_parent'],
    dentryName: ['dentry', 'd_name.name'],
    superList: ['super_block', 's_list'],
    superType: ['super_block', 's_type'],
    superId: ['super_block', 's_id'],
    typeName: ['file_system_type', 'name'],
    host: ['address_space', 'host'],
  });
}

function mountsOf(layouts: Layouts) {
  const common = offsets(layouts, {
    mounts: ['super_block', 's_mounts'],
    parent: ['mount', 'mnt_parent'],
    point: ['mount', 'mnt_mountpoint'],
    source: ['mount', 'mnt_devname'],
  });
  if (!common) return null;
  // A list of the superblock's; since 7.0 a chain of pointers.
  const chain = one(layouts, 'mount', 'mnt_next_for_sb');
  const instance = one(layouts, 'mount', 'mnt_instance');
  return chain === null && instance === null ? null : { ...common, chain, instance };
}

function foliosOf(layouts: Layouts) {
  const folio = layouts.offset('folio', 'index') === null ? 'page' : 'folio';
  return offsets(layouts, {
    flags: ['page', 'flags'],
    mapping: [folio, 'mapping'],
    index: [folio, 'index'],
  });
}

function disksOf(layouts: Layouts) {
  return offsets(layouts, {
    inode: ['bdev_inode', 'vfs_inode'],
    device: ['bdev_inode', 'bdev'],
    disk: ['block_device', 'bd_disk'],
    name: ['gendisk', 'disk_name'],
  });
}

/** How a lock that sleeps is laid out. */
export interface LockLayout {
  waiterTask: bigint;
  waiterList: bigint;
  /** The list of waiters that the lock heads; null since 7.1, where `firstWaiter` points into a ring without it. */
  waitList: bigint | null;
  firstWaiter: bigint | null;
  /** Null for a semaphore that does not remember its last holder. */
  owner: bigint | null;
  /** Of an rwsem. */
  count: bigint | null;
}

function lockOf(layouts: Layouts, lock: string, waiter: string): LockLayout | null {
  const common = offsets(layouts, { waiterTask: [waiter, 'task'], waiterList: [waiter, 'list'] });
  const waitList = one(layouts, lock, 'wait_list');
  const firstWaiter = one(layouts, lock, 'first_waiter');
  if (!common || (waitList === null && firstWaiter === null)) return null;
  const owner = one(layouts, lock, 'owner|last_holder');
  return { ...common, waitList, firstWaiter, owner, count: one(layouts, lock, 'count') };
}

/** rt_mutex, of which PREEMPT_RT makes nearly all locks, and any kernel those of futexes with priority inheritance. */
function rtOf(layouts: Layouts) {
  const base = layouts.offset('rt_mutex_base', 'owner') === null ? 'rt_mutex' : 'rt_mutex_base';
  return offsets(layouts, {
    blockedOn: ['task_struct', 'pi_blocked_on'],
    lock: ['rt_mutex_waiter', 'lock'],
    owner: [base, 'owner'],
  });
}

function workersOf(layouts: Layouts) {
  return offsets(layouts, {
    // The thread's own data: 5.17 gave it a member of its own.
    thread: ['task_struct', 'worker_private|set_child_tid'],
    data: ['kthread', 'data'],
    func: ['worker', 'current_func'],
    about: ['worker', 'desc'],
    pool: ['worker', 'current_pwq'],
    queue: ['pool_workqueue', 'wq'],
    name: ['workqueue_struct', 'name'],
  });
}

function scheduledOf(layouts: Layouts) {
  return offsets(layouts, {
    priority: ['task_struct', 'prio'],
    ran: ['task_struct', 'se.sum_exec_runtime'],
  });
}

function build(kernel: Kernel) {
  const { layouts } = kernel;
  return {
    files: filesOf(layouts),
    mounts: mountsOf(layouts),
    folios: foliosOf(layouts),
    disks: disksOf(layouts),
    pageSize: BigInt(layouts.size('page') ?? 64),
    mutex: lockOf(layouts, 'mutex', 'mutex_waiter'),
    rwsem: lockOf(layouts, 'rw_semaphore', 'rwsem_waiter'),
    semaphore: lockOf(layouts, 'semaphore', 'semaphore_waiter'),
    rt: rtOf(layouts),
    workers: workersOf(layouts),
    scheduled: scheduledOf(layouts),
    arrival: one(layouts, 'task_struct', 'sched_info.last_arrival'),
    lockOwners: {
      inode: one(layouts, 'inode', 'i_rwsem'),
      super: one(layouts, 'super_block', 's_umount'),
      rename: one(layouts, 'super_block', 's_vfs_rename_mutex'),
      memory: one(layouts, 'mm_struct', 'mmap_lock|mmap_sem'),
      mm: one(layouts, 'task_struct', 'mm'),
    },
    root: offsets(layouts, {
      fs: ['task_struct', 'fs'],
      mount: ['fs_struct', 'root.mnt'],
      super: ['vfsmount', 'mnt_sb'],
    }),
    pids: offsets(layouts, {
      pid: ['task_struct', 'thread_pid'],
      level: ['pid', 'level'],
      numbers: ['pid', 'numbers'],
    }),
    request: {
      header: one(layouts, 'fuse_req', 'in.h'),
      mount: one(layouts, 'fuse_req', 'fm'),
      super: one(layouts, 'fuse_mount', 'sb'),
    },
  };
}

export type ObjectLayout = ReturnType<typeof build>;
export type FileLayout = NonNullable<ObjectLayout['files']>;

const known = new WeakMap<Kernel, ObjectLayout>();

/** Constant for a boot. */
export function objectLayout(kernel: Kernel): ObjectLayout {
  const before = known.get(kernel);
  if (before) return before;
  const layout = build(kernel);
  known.set(kernel, layout);
  return layout;
}
