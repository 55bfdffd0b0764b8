import { whole } from './patterns.js';
import { perSymbol } from './per-stack.js';
import { SUBSYSTEMS } from '../subsystems.js';

/**
 * What each function of a sleeping stack is for, innermost first: primitives put the task to sleep, plumbing carries
 * any caller, the entry is how the kernel was entered. What is neither is the operation: it names the place.
 * Collected from the kernel's sources (5.10 to 7.x) and the skip lists of crash, drgn-tools and syzkaller.
 */
type Layer = 'primitive' | 'plumbing' | 'entry' | 'operation';

/**
 * Named although their name is a primitive's or plumbing's: locks so large that they are a place of their own, and waits
 * that say more than their callers.
 */
const ANCHORS = whole([
  'filemap_fault|filemap_read|generic_file_buffered_read|do_read_cache_(?:page|folio)',
  ...SUBSYSTEMS.flatMap(({ anchors = [] }) => anchors),
  // They take a lock or wait for a page themselves.
  '_*filemap_(?:get|add)_folio|filemap_create_folio|truncate_inode_pages\\w*|truncate_pagecache\\w*|generic_file_(?:write_iter|llseek)\\w*',
  'vfs_(?:unlink|rmdir|rename|link|mkdir|create|\\w*xattr\\w*|fsync\\w*|\\w+_dir\\w*|fallocate|get_tree)|page_cache_(?:ra_unbounded|async_ra|sync_ra)',
]);

/**
 * Whatever has one of these in its name sleeps on behalf of its caller: drivers and filesystems have helpers of their own
 * around locks, completions and wait queues.
 */
const SLEEPS =
  /_(?:slow)?lock|rwsem|completion|wait|synchronize|(?:^|_)(?:sched(?:ule)?|kthread)(?:_|$)|(?:^|_)down_|^_*down$|context_switch|__switch_to|cancel_(?:delayed_)?work|flush_work|rcu_barrier/;

const PRIMITIVES = whole([
  '__schedule|__sched_text_start|schedule|schedule_timeout\\w*|schedule_preempt_disabled|schedule_hrtimeout\\w*|schedule_rtlock',
  'io_schedule(?:_timeout)?|preempt_schedule\\w*|__?cond_resched|context_switch|__switch_to\\w*',
  '\\w*mutex_lock\\w*|mutex_spin_on_owner|ww_mutex_\\w+',
  '__down\\w*|down|down_(?:read|write|timeout|killable|interruptible)\\w*|ldsem_down\\w*|__ldsem_down\\w*',
  'rwsem_\\w+|call_rwsem_\\w+|__?percpu_down_\\w+|percpu_rwsem_\\w+',
  'rtlock_\\w+|rt_mutex_\\w+|__rt_mutex_\\w+|rt_read_lock|rt_write_lock|rwbase_\\w+',
  '_raw_(?:spin|read|write)_(?:try)?lock\\w*|(?:native_)?queued_\\w+_lock_slowpath|rt_spin_lock\\w*',
  'wait_for_completion\\w*|wait_for_common\\w*|__wait_for_common|do_wait_for_common',
  '__wake_up\\w*|wake_up_\\w+|try_to_wake_up|autoremove_wake_function|default_wake_function|osq_\\w+',
  'bit_wait\\w*|\\w*wait_on_bit\\w*|__wait_on_\\w+|wait_on_page\\w*|folio_wait_\\w+|wait_var_event\\w*',
  'sleep_on_(?:buffer|page|shadow_bh)\\w*|__?lock_page\\w*|__folio_lock\\w*|folio_lock\\w*|lock_buffer|__lock_buffer|__wait_on_buffer',
  '__lock_sock|console_lock|inode_lock\\w*|_*six_lock\\w*',
  'msleep\\w*|usleep_range\\w*|fsleep|__?flush_work\\w*|__?flush_workqueue|flush_delayed_work|__flush_work',
  'cancel_(?:delayed_)?work_sync|__cancel_work\\w*|drain_workqueue|kthread_(?:stop|park|flush_work\\w*)',
  'lock_acquire|__lock_acquire|lock_release|lockdep_\\w+|mark_held_locks|find_held_lock|trace_hardirqs_\\w+',
  'rcu_barrier\\w*|__wait_rcu_gp|cv_wait_\\w+|__cv_\\w+',
]);

const PLUMBING = whole([
  '_*filemap_\\w+|folio_\\w+|_*pagecache_\\w+|page_cache_\\w+|do_page_cache_ra|read_pages|force_page_cache\\w*|ondemand_readahead',
  'generic_file_\\w+|generic_perform_write|truncate_inode_pages\\w*|truncate_pagecache|read_cache_page\\w*',
  '_*vfs_\\w+|do_sys_\\w+|ksys_\\w+|do_iter_\\w+|do_readv\\w*|do_writev\\w*|call_(?:read|write)_iter|new_sync_\\w+|kernel_(?:read|write)',
  'process_one_work|process_scheduled_works|worker_thread|kthread|kthreadd|ret_from_\\w+|kernel_thread_\\w+|smpboot_thread_fn',
  '_*handle_mm_fault|handle_pte_fault|_*do_fault|do_(?:read|cow|shared|pte_missing)\\w*fault\\w*|do_pte_missing|lock_mm_and_find_vma',
  'do_syscall_\\w+|do_fast_syscall\\w*|do_int80\\w*|x64_sys_call|ia32_sys_call|_*invoke_syscall|el0_\\w+|do_el0_\\w+|syscall_\\w+|int_ret_\\w+|stub_\\w+',
  'exit_to_user\\w*|prepare_exit_to_user\\w*|arch_do_signal\\w*|do_notify_resume|task_work_run|secondary_startup\\w*',
  // The driver core and helpers of buses carry any driver.
  'device_(?:add|del|unregister|destroy|release|remove_file|for_each_child)\\w*|devres_release_all|get_device_parent|kobject_\\w+|sysfs_remove\\w*|usb_(?:kill_urb|kill_anchored_urbs|control_msg|submit_urb|hcd_submit_urb)|i2c_del_adapter|_*unregister_netdev\\w*|rollback_registered\\w*|destroy_workqueue|hwrng_unregister|tty_unregister_device|del_timer\\w*|_*timer_delete\\w*',
  // The scheduler, which lies about on doubtful stacks.
  'psi_\\w+|ttwu_\\w+|(?:en|de)queue_(?:task|entity)\\w*|update_(?:curr|load_avg|rq_clock)\\w*|finish_task_switch\\w*|pick_next_\\w+|newidle_balance|load_balance|put_pwq',
  // Fault injection and instrumentation.
  '_*should_fail\\w*|fail_dump|fault_create\\w*|_*k[am]san_(?!(?:de)?populate|release_)\\w+|__[am]san_\\w+|__sanitizer\\w*|check_memory_region\\w*|_*x86_\\w*thunk\\w*|srso_\\w+|__fentry__|ftrace_\\w*call\\w*',
  '_*dump_(?:stack|backtrace)\\w*|unwind_backtrace|unwind_next_frame|arch_stack_walk\\w*|stack_trace_save\\w*|show_stack\\w*|nmi_\\w+|arch_trigger_\\w+|trigger_\\w+_cpu_backtrace|panic|vpanic|check_\\w*hung\\w*|watchdog|die|__die\\w*|die_addr|oops_\\w+|page_fault_oops',
]);

/** How the kernel was entered, outermost in the stack. The first group is the name of the syscall. */
const SYSCALL =
  /^(?:__(?:x64|ia32|ia32_compat|arm64|riscv|s390x?|se|do)_(?:compat_)?sys_|(?:compat_)?SyS_|ksys_|sys_)(\w+)$/;
const FAULT =
  /^(?:asm_exc_page_fault|exc_page_fault|do_user_addr_fault|_*do_page_fault|(?:async_)?page_fault|trace_page_fault|do_mem_abort|do_translation_fault|do_DataAbort)$/;
const ARRIVAL =
  /^(?:__(?:dabt|pabt|irq|und)_(?:usr|svc)|vector_\w+|entry_\w+|system_call\w*|ret_fast_syscall|el0\w*_sync\w*|el0t_\w+|asm_\w+|handle_exception|ret_from_exception\w*)$/;

/** A symbol without the suffixes that compilers add to clones of a function. */
export function baseSymbol(symbol: string): string {
  return symbol.includes('.')
    ? symbol.replace(/\.(?:isra|constprop|part|cold|llvm|lto_priv)\b.*$/, '')
    : symbol;
}

/** A helper around a sleep by its name alone: which of all functions have to do with it, no table says. */
export const isHelper = (symbol: string): boolean =>
  layerOf(symbol) === 'primitive' && !PRIMITIVES.test(baseSymbol(symbol));

/** The layer of one function. */
export const layerOf = perSymbol((symbol): Layer => {
  const name = baseSymbol(symbol);
  if (ANCHORS.test(name)) return 'operation';
  if (SYSCALL.test(name) || FAULT.test(name) || ARRIVAL.test(name)) return 'entry';
  if (PRIMITIVES.test(name)) return 'primitive';
  if (PLUMBING.test(name)) return 'plumbing';
  return SLEEPS.test(name) ? 'primitive' : 'operation';
});

/** The syscall a function implements the entry of, or null. */
export const syscallName = (symbol: string): string | null => SYSCALL.exec(baseSymbol(symbol))?.[1] ?? null;

export const isFaultEntry = (symbol: string): boolean => FAULT.test(baseSymbol(symbol));
