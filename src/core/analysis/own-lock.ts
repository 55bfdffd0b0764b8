/** A lock that the stack which waits for it holds already, further out: nobody else can let it go. */
import type { Task } from '../model.js';
import { backendOf } from './backends.js';
import { type Edge, edgeTo } from './edges.js';
import { firmSymbols } from './frames.js';
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

function ownAnswer(task: Pick<Task, 'frames'>): OwnLock | null {
  if (backendOf(task.frames)?.kind !== 'fuse') return null;
  const holder = firmSymbols(task.frames).find((name) => TELLS.test(name));
  return holder === undefined ? null : { lock: 'its own answer to a FUSE request', holder };
}

/** The lock that a stack waits for and holds itself; null where no row says so. */
export function ownLock(task: Pick<Task, 'frames'>): OwnLock | null {
  const answer = ownAnswer(task) ?? ownPage(task);
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
