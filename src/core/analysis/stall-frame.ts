/** Where a CPU loops: one name for a loop, whichever of its functions the report happened to catch. */
import type { Frame } from '../model.js';
import { firmSymbols } from './frames.js';
import { layerOf, syscallName } from './layers.js';
import { whole } from './patterns.js';

/**
 * Functions that call whatever they are given: what they called is the place. The rule is that of syzkaller's titles
 * (google/syzkaller, pkg/report/linux.go, stall reports); the names are from the kernel's sources.
 */
const CARRIERS = whole([
  // Threads, work items, initcalls.
  'process_one_work|process_scheduled_works|kthread|kthread_worker_fn|smpboot_thread_fn|ret_from_\\w+|async_run_entry_fn|do_one_initcall|irq_thread(?:_fn)?',
  'start_secondary|cpu_startup_entry|start_kernel|rest_init',
  // Syscalls, and those of them that only lead on to a device or a protocol.
  'do_syscall_\\w+|do_fast_syscall_\\w+|do_int80\\w*|x64_sys_call|ia32_sys_call|_*invoke_syscall|el0_svc\\w*|do_el0_svc|system_call\\w*|ret_fast_syscall|tracesys\\w*|sysenter_\\w+|entry_\\w+',
  '(?:__(?:x64|ia32|arm64|riscv|s390x?|se|do)_(?:compat_)?sys_|(?:compat_)?SyS_|ksys_|(?:compat_)?sys_|__sys_)(?:ioctl|connect|socketpair|setsockopt|getsockopt|listen|accept4?|bind)',
  // Files and sockets.
  '_*vfs_(?:read|write|ioctl|iter_read|iter_write|readv|writev|open|fsync\\w*)|do_iter_\\w+|do_loop_readv_writev|call_(?:read|write)_iter|call_mmap|new_sync_(?:read|write)|do_dentry_open|mmap_region|_*mmap_region|do_mmap|\\w*compat_ioctl|blkdev_(?:compat_)?ioctl|blkdev_driver_ioctl',
  '_*sock_(?:sendmsg|sendmsg_nosec|recvmsg|release|ioctl|do_ioctl|mmap|common_setsockopt)|do_sock_setsockopt|kernel_(?:sendmsg|recvmsg|setsockopt|listen|accept)|sk_common_release|(?:nfnetlink|rtnetlink)_rcv_msg|netlink_dump',
  // Page faults, and work on the way back to a program.
  '_*do_fault|_*do_page_fault|page_fault|do_user_addr_fault|exc_page_fault|_*fput|task_work_run|exit_to_user\\w*|resume_user_mode_work',
]);

const SOFTIRQS = whole([
  '_*do_softirq\\w*|handle_softirqs|run_ksoftirqd|call_timer_fn|expire_timers|_*run_timers|run_timer_\\w+|tasklet_\\w*action\\w*|rcu_do_batch|_*netif_receive_skb\\w*|_*napi_poll|net_rx_action',
]);
const INTERRUPTS = whole(['_*hrtimer_run_\\w+|_*handle_irq_event\\w*']);

/** What a task that was preempted in its loop has on top. */
const PREEMPTED =
  /^(?:context_switch|__?schedule|preempt_schedule\w*|(?:raw_)?irqentry_exit\w*|asm_\w+|sysvec_\w+|retint_\w+|el1h?_\w+|arm64_preempt_\w+|_*cond_resched)$/;

/** A CPU that waits for others to answer its call: the caller does not matter. */
const CROSS_CALL = /smp_call_function/;
const CALLS = [CARRIERS, SOFTIRQS, INTERRUPTS, CROSS_CALL];

export interface StallPlace {
  /** What was called by the innermost function that carries anything. */
  frame: string;
  /** Where the report caught the CPU. */
  at: string;
  /** What an interrupt does, it does on top of any task; null where the task itself came there. */
  interrupt: 'a softirq' | 'an interrupt' | null;
}

/** The place of a loop, from a stack of the CPU in it. Null where no such function is in the stack. */
export function stallPlace(frames: readonly Frame[]): StallPlace | null {
  const names = firmSymbols(frames);
  const carrier = names.findIndex((name) => CALLS.some((rows) => rows.test(name)));
  const at = names.find((name) => !PREEMPTED.test(name)) ?? names[0];
  const by = names[carrier];
  if (at === undefined || by === undefined) return null;
  if (CROSS_CALL.test(by)) return { frame: 'smp_call_function', at, interrupt: null };
  const called = names.slice(0, carrier);
  const place = called.findLast((name) => layerOf(name) !== 'primitive') ?? called.at(-1) ?? at;
  const syscall = syscallName(place);
  return { frame: syscall === null ? place : `sys_${syscall}`, at, interrupt: interruptOf(by) };
}

const interruptOf = (carrier: string): StallPlace['interrupt'] =>
  SOFTIRQS.test(carrier) ? 'a softirq' : INTERRUPTS.test(carrier) ? 'an interrupt' : null;
