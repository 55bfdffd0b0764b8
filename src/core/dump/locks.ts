import type { Frame, ListedLock, Task } from '../model.js';

/** Frames above which a lock is being waited for: kernel/locking/, and the locks of sockets, ttys, RTNL. */
const LOCKING =
  /^(?:(?:__)?(?:ww_)?(?:rt_)?mutex_\w+|__mutex_\w+|_*down(?:_\w+)?|(?:call_)?rwsem_\w+|rwbase_\w+|percpu_(?:down|rwsem)\w*|__percpu_down\w*|_*ldsem_\w+|_*lock_sock\w*|rtnl_lock\w*|console_lock|rtlock_\w+|_*rt_mutex_\w+|(?:_raw|queued|native)_\w*(?:lock|slowpath)\w*|osq_lock|lock_acquire|__lock_acquire)$/;
/** What any sleeper has on top. */
const SLEEPING =
  /^(?:context_switch|__?schedule|schedule(?:_preempt_disabled|_timeout|_rtlock)?|io_schedule(?:_timeout)?|__switch_to|preempt_schedule\w*|schedule_timeout_\w+)$/;

/** Whether the innermost firm frame that is not the scheduler's belongs to a lock. */
function waitsForLock(frames: readonly Frame[]): boolean {
  const firm = frames.some(({ reliable }) => reliable) ? frames.filter(({ reliable }) => reliable) : frames;
  const inner = firm.find(({ symbol }) => !SLEEPING.test(symbol));
  return inner !== undefined && LOCKING.test(inner.symbol.replace(/\.(?:isra|constprop|part|cold)\b.*$/, ''));
}

/**
 * Says of each listed lock whether its task waits for it. Lockdep enters a lock before it is won, so that of a task
 * which sleeps in a lock's code the last one is wanted; all before it are held.
 */
export function markWanted(locks: readonly ListedLock[], tasks: readonly Task[]): ListedLock[] {
  const waiting = new Map<number, boolean>();
  for (const { pid, frames } of tasks)
    if (pid !== null && frames.length > 0) waiting.set(pid, waitsForLock(frames));
  return locks.map((lock, index) => {
    if (locks[index + 1]?.pid === lock.pid) return { ...lock, wanted: false };
    const wanted = waiting.get(lock.pid);
    return wanted === undefined ? lock : { ...lock, wanted };
  });
}
