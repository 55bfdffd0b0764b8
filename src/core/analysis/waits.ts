import type { Confidence, Dump, Task } from '../model.js';
import type { Candidate } from './candidates.js';
import { firmSymbols, operationFrame } from './frames.js';
import { lockWaited, type WaitFound } from './wait-kinds.js';

/** One task waits for another. */
export interface Edge {
  waiter: Task;
  /** Its pid, and its stack where a dump has it. */
  owner: { comm: string; pid: number; task: Task | null };
  through: string;
  confidence: Confidence;
  /** What says so, as a clause. */
  reason: string;
}

interface Row {
  /** Any firm function of the waiter. */
  waiter: RegExp;
  /** The thread that does the awaited work: by name, or by a function it is in. */
  owner: { comm: RegExp } | { frame: RegExp; not: RegExp };
  through: string;
  confidence: Confidence;
  reason: string;
}

/** Waits for a known thread's work. They count only where that thread is stuck itself: an idle one tells nothing. */
const ROWS: readonly Row[] = [
  {
    waiter: /^(?:jbd2_log_wait_commit|start_this_handle|jbd2_journal_\w+|wait_transaction_\w+)$/,
    owner: { comm: /^jbd2\// },
    through: 'a journal commit',
    confidence: 'medium',
    reason: 'this thread commits the journal',
  },
  {
    waiter: /^(?:wait_current_trans|btrfs_commit_transaction\w*|btrfs_wait_for_commit)$/,
    owner: { comm: /^btrfs-transacti/ },
    through: 'a btrfs transaction',
    confidence: 'medium',
    reason: 'this thread commits transactions',
  },
  {
    waiter: /^(?:xlog_\w+|xfs_log_\w+)$/,
    owner: { comm: /^xfsaild\// },
    through: 'the XFS log',
    confidence: 'medium',
    reason: 'this thread pushes the log',
  },
  {
    waiter: /^txg_wait_\w+$/,
    owner: { comm: /^txg_sync/ },
    through: 'a ZFS transaction group',
    confidence: 'medium',
    reason: 'this thread syncs them',
  },
  {
    waiter: /^pci_call_probe$/,
    owner: { frame: /^local_pci_probe$/, not: /^pci_call_probe$/ },
    through: 'a PCI probe',
    confidence: 'medium',
    reason: 'this worker is in the probe',
  },
  {
    waiter: /^rtnl_lock$/,
    owner: {
      frame:
        /^(?:rtnetlink_rcv_msg|rtnl_newlink|dev_ioctl|devinet_ioctl|cleanup_net|unregister_netdevice\w*|netdev_run_todo)$/,
      not: /^rtnl_lock$/,
    },
    through: 'the RTNL mutex',
    confidence: 'medium',
    reason: 'no other stuck task is in code that holds it',
  },
];

/** Path walks that hold or want an inode's lock while the filesystem answers. */
const INODE_CODE =
  /^(?:path_openat|open_last_lookups|lookup_slow|walk_component|do_unlinkat|do_rmdir|do_mkdirat|do_renameat2|filename_create|iterate_dir|chmod_common|do_truncate|vfs_\w+|link_path_walk)$/;

/** The edges of the wait-for graph, at most one a waiter, by falling trust. */
export function findEdges(stuck: readonly Candidate[], dumps: readonly Dump[]): Edge[] {
  const tasks = new Map<number, Task>();
  for (const dump of dumps) for (const task of dump.tasks) if (task.pid !== null) tasks.set(task.pid, task);
  const blockers = new Map(
    dumps.flatMap((dump) => dump.blockers ?? []).map((blocker) => [blocker.waiter.pid, blocker]),
  );
  const lockdep = lockOwners(dumps);
  const rowOwners = ROWS.map((row) => stuck.filter(({ task }) => doesWork(row, task)));
  const servers = stuck.filter(
    ({ backend, task }) => backend !== null && firmSymbols(task.frames).some((name) => INODE_CODE.test(name)),
  );

  const edges = stuck.flatMap(({ task }): Edge[] => {
    if (task.pid === null) return [];
    const said = blockers.get(task.pid);
    if (said) {
      const owner = { ...said.owner, task: tasks.get(said.owner.pid) ?? null };
      return [edge(task, owner, `a ${said.lock}`, 'high', 'hung_task says so')];
    }
    const lock = lockWaited(task);
    const held = lock === null ? undefined : lockdep(task);
    if (held)
      return [
        edge(
          task,
          { ...held, task: tasks.get(held.pid) ?? null },
          held.name,
          'high',
          "lockdep's table lists it as held",
        ),
      ];
    return childOrWorker(task, stuck, rowOwners) ?? inodeLock(task, lock, servers) ?? [];
  });
  return [...edges, ...pageLockEdges(edges)];
}

function edge(
  waiter: Task,
  owner: Edge['owner'],
  through: string,
  confidence: Confidence,
  reason: string,
): Edge {
  return { waiter, owner, through, confidence, reason };
}

function toTask(waiter: Task, owner: Task, through: string, confidence: Confidence, reason: string): Edge[] {
  return owner.pid === null
    ? []
    : [edge(waiter, { comm: owner.comm, pid: owner.pid, task: owner }, through, confidence, reason)];
}

function doesWork(row: Row, task: Task): boolean {
  if ('comm' in row.owner) return row.owner.comm.test(task.comm);
  const { frame, not } = row.owner;
  const names = firmSymbols(task.frames);
  return names.some((name) => frame.test(name)) && !names.some((name) => not.test(name));
}

function childOrWorker(
  task: Task,
  stuck: readonly Candidate[],
  rowOwners: readonly (readonly Candidate[])[],
): Edge[] | null {
  const names = firmSymbols(task.frames);
  if (names.includes('wait_for_vfork_done')) {
    const child = stuck.find((other) => other.task.ppid === task.pid)?.task;
    return child ? toTask(task, child, 'its vfork child', 'medium', 'it is its child') : null;
  }
  for (const [index, row] of ROWS.entries()) {
    if (!names.some((name) => row.waiter.test(name))) continue;
    const owners = rowOwners[index]?.filter((other) => other.task.pid !== task.pid) ?? [];
    // Two tasks inside the same code: which of them is waited for would be a guess.
    const only = owners.length === 1 ? owners[0]?.task : undefined;
    if (only) return toTask(task, only, row.through, row.confidence, row.reason);
  }
  return null;
}

/** A path walk waits for an inode's lock while another one waits for the filesystem's server: likely its holder. */
function inodeLock(task: Task, lock: WaitFound | null, servers: readonly Candidate[]): Edge[] | null {
  if (lock?.kind !== 'rwsem' || !firmSymbols(task.frames).some((name) => INODE_CODE.test(name))) return null;
  const holder = servers.find((other) => other.task.pid !== task.pid)?.task;
  return holder
    ? toTask(task, holder, 'an inode lock', 'low', 'it is in the same code, and waits for the server')
    : null;
}

/** The lock of a page: its holder is recorded nowhere. Waits for a page's data are not meant. */
const PAGE_LOCK =
  /^(?:_*filemap_get_folio\w*|_*lock_page\w*|_*folio_lock\w*|pagecache_get_page|find_lock_page\w*)$/;

/**
 * Closes rings: a task waits for a page's lock, and one that waits for it in turn, on the kernel's word, is inside
 * the same function. Then the latter likely holds the page.
 */
function pageLockEdges(edges: readonly Edge[]): Edge[] {
  const waiters = new Set(edges.map(({ waiter }) => waiter));
  return edges.flatMap(({ waiter, owner: { task }, confidence }) => {
    if (confidence !== 'high' || !task || waiters.has(task)) return [];
    const place = operationFrame(task.frames)?.symbol;
    const inside = waiter.frames.some(({ symbol, reliable }) => reliable && symbol === place);
    if (!inside || !firmSymbols(task.frames).some((name) => PAGE_LOCK.test(name))) return [];
    waiters.add(task);
    return toTask(task, waiter, 'a page lock', 'low', 'it is inside the same function');
  });
}

/** Lockdep's table: a blocked task's last lock is the one it wants; its owner lists it too, and not as its wish. */
function lockOwners(
  dumps: readonly Dump[],
): (waiter: Task) => { comm: string; pid: number; name: string } | undefined {
  const rows = dumps.findLast((dump) => dump.locks.length > 0)?.locks;
  if (!rows) return () => undefined;
  const last = new Map<number, (typeof rows)[number]>();
  for (const row of rows) last.set(row.pid, row);
  const owners = new Map<string, { comm: string; pid: number }>();
  const wishing = new Set(
    dumps.flatMap(({ tasks }) => tasks.filter((task) => lockWaited(task) !== null).map(({ pid }) => pid)),
  );
  for (const row of rows) {
    if (row.address === '' || (last.get(row.pid) === row && wishing.has(row.pid))) continue;
    if (!owners.has(row.address)) owners.set(row.address, { comm: row.comm, pid: row.pid });
  }
  return (waiter) => {
    const wish = waiter.pid === null ? undefined : last.get(waiter.pid);
    const owner = wish && owners.get(wish.address);
    return wish && owner && owner.pid !== waiter.pid ? { ...owner, name: wish.name } : undefined;
  };
}
