/** Where a CPU loops: one name for a loop, whichever of its functions the report happened to catch. */
import type { Frame } from '../model.js';
import { callersOf, iterating, tellingOf } from './callers.js';
import { firmFrames, firmSymbols } from './frames.js';
import { baseSymbol, layerOf, syscallName } from './layers.js';
import { whole } from './patterns.js';
import { subjectOfSymbol } from './subjects.js';

/**
 * Functions that call whatever they are given: what they called is the place. The rule is that of syzkaller's titles
 * (google/syzkaller, pkg/report/linux.go, stall reports); the names are from the kernel's sources.
 */
const CARRIERS = whole([
  // Threads, work items, initcalls.
  'process_one_work|process_scheduled_works|kthread|kthread_worker_fn|smpboot_thread_fn|ret_from_\\w+|async_run_entry_fn|do_one_initcall|irq_thread(?:_fn)?',
  'start_secondary|cpu_startup_entry|start_kernel|rest_init',
  // A driver's probe is the place, not the bus or the module that led to it.
  'really_probe|call_driver_probe|\\w+_bus_probe|(?:platform|i2c_device|pci_device|local_pci|virtio_dev|spi|amba|auxiliary_bus|usb)_(?:drv_)?probe(?:_\\w+)?|local_pci_probe|virtio_dev_probe',
  // Syscalls, and those of them that only lead on to a device or a protocol.
  'do_syscall_\\w+|do_fast_syscall_\\w+|do_int80\\w*|x64_sys_call|ia32_sys_call|_*invoke_syscall|el0_svc\\w*|do_el0_svc|system_call\\w*|ret_fast_syscall|tracesys\\w*|sysenter_\\w+|entry_\\w+',
  '(?:__(?:x64|ia32|arm64|riscv|s390x?|se|do)_(?:compat_)?sys_|(?:compat_)?SyS_|ksys_|(?:compat_)?sys_|__sys_)(?:ioctl|connect|socketpair|setsockopt|getsockopt|listen|accept4?|bind)',
  // Files and sockets.
  '_*vfs_(?:read|write|ioctl|iter_read|iter_write|readv|writev|open|fsync\\w*)|do_iter_\\w+|do_loop_readv_writev|call_(?:read|write)_iter|call_mmap|new_sync_(?:read|write)|do_dentry_open|mmap_region|_*mmap_region|do_mmap|\\w*compat_ioctl|do_vfs_ioctl|blkdev_(?:compat_)?ioctl|do_vfs_ioctl|blkdev_driver_ioctl',
  '_*sock_(?:sendmsg|sendmsg_nosec|recvmsg|release|ioctl|do_ioctl|mmap|common_setsockopt)|do_sock_setsockopt|kernel_(?:sendmsg|recvmsg|setsockopt|listen|accept)|sk_common_release|(?:nfnetlink|rtnetlink)_rcv_msg|netlink_dump',
  // Attributes of devices: who stores or shows one is the place.
  'kernfs_fop_(?:read|write)\\w*|kernfs_seq_show|sysfs_kf_\\w+|(?:kobj|dev|bus|drv|class)_attr_(?:show|store)',
  // Page faults, and work on the way back to a program.
  '_*do_fault|_*do_page_fault|page_fault|do_user_addr_fault|exc_page_fault|__+fput|task_work_run|exit_to_user\\w*|resume_user_mode_work',
]);

const SOFTIRQS = whole([
  '_*do_softirq\\w*|handle_softirqs|run_ksoftirqd|call_timer_fn|expire_timers|_*run_timers|run_timer_\\w+|tasklet_\\w*action\\w*|rcu_do_batch|_*netif_receive_skb\\w*|_*napi_poll|net_rx_action',
]);
const INTERRUPTS = whole(['_*hrtimer_run_\\w+|_*handle_irq_event\\w*']);

/** What a task that was preempted in its loop has on top. */
const PREEMPTED =
  /^(?:context_switch|__switch_to|__?schedule|schedule_rtlock|rt_?lock_slowlock\w*|preempt_schedule\w*|(?:raw_)?irqentry_exit\w*|asm_\w+|sysvec_\w+|retint_\w+|el1h?_\w+|arm64_preempt_\w+|_*cond_resched)$/;

/** A CPU that waits for others to answer its call: the caller does not matter. */
const CROSS_CALL = /smp_call_function|^multi_cpu_stop$/;
/** Of an architecture that inlines what it calls. */
const ASKS_ALL = /^on_each_cpu\w*$/;
const CALLS = [CARRIERS, SOFTIRQS, INTERRUPTS, CROSS_CALL];

/**
 * The interrupt that printed the report, where no mark in the stack says where it ends (arm, arm64, mips, powerpc,
 * riscv): what it calls to print, and what it came in by.
 */
const REPORTER =
  /^(?:_*dump_(?:stack|backtrace)\w*|show_(?:stack|regs)\w*|sched_show_task|dump_cpu_task|rcu_dump_cpu_stacks|rcu_(?:sched_clock_irq|check_callbacks)|(?:nmi_)?(?:trigger_\w+_)?cpu_backtrace\w*|watchdog_timer_fn|update_process_times|tick_sched_\w+|tick_(?:nohz_\w+|handle_\w+))$/;
const CAME_IN_BY =
  /^(?:el1h?_(?:64_)?irq\w*|el1_interrupt|__irq_svc|__irq_usr|gic_handle_irq|call_on_irq_stack|handle_(?:int|vint|exception)|except_vec_vi_end|plat_irq_dispatch|timer_interrupt|decrementer_common\w*|replay_(?:soft_)?interrupt\w*|arch_local_irq_restore|hardware_interrupt_common\w*|do_irq|arch_timer_handler_\w+|(?:smp_|\w*sysvec_)?apic_timer_interrupt|asm_\w*sysvec_\w+|ext_int_handler)$/;
/** Of those the outermost, of one interrupt. */
const VECTOR =
  /^(?:el1h?_(?:64_)?irq|el0\w*_irq\w*|__irq_svc|__irq_usr|handle_exception|except_vec_vi_end|decrementer_common\w*|hardware_interrupt_common\w*|apic_timer_interrupt|asm_\w*sysvec_\w+|ext_int_handler)$/;
const REPORT_MAX = 32;

export interface StallPlace {
  /** What was called by the innermost function that carries anything. */
  frame: string;
  /** Where the report caught the CPU. */
  at: string;
  /** What called it, from there outwards, inside of `frame`: the loop is in one of these. */
  callers: readonly string[];
  /**
   * Callers not to be left out: through which a module was called that is neither that of `frame` nor the innermost, and
   * which goes through many of something by its name.
   */
  telling: readonly string[];
  /** All functions from there outwards to `frame`. */
  within: readonly string[];
  /** Whether the stack ends before whatever carries `frame`. */
  cut: boolean;
  /** What an interrupt does, it does on top of any task; null where the task itself came there. */
  interrupt: 'a softirq' | 'an interrupt' | null;
}

/**
 * The function that an interrupt came into, where the interrupt waits for a lock, and that function is in the same
 * module: it likely has the lock. Behind it the nearest module that called it. Empty where none is.
 */
export function interrupted(frames: readonly Frame[]): string[] {
  const place = stallPlace(frames);
  if (!place?.interrupt || !waitsForOther(frames)) return [];
  const firm = firmFrames(frames);
  const names = firmSymbols(frames);
  const end = names.findLastIndex((name) => SOFTIRQS.test(name) || INTERRUPTS.test(name));
  const modules = new Set(firm.slice(0, end).flatMap(({ module }) => module ?? []));
  const part = subjectOfSymbol(place.at === place.frame ? place.frame : (place.callers[0] ?? place.frame));
  const held = firm
    .slice(end + 1)
    .find(
      ({ symbol, module }) =>
        (module === null ? isPart(symbol, part) : modules.has(module)) || isKin(symbol, place.frame),
    );
  if (held === undefined) return [];
  const by =
    held.module === null ? firm.slice(firm.indexOf(held)).find(({ module }) => module !== null) : null;
  return [held, ...(by ? [by] : [])].map(({ symbol }) => baseSymbol(symbol));
}

/** Drivers that are built in have their name in front of all their functions. */
function isKin(symbol: string, frame: string): boolean {
  const word = /^[a-z]{3,}\d*_/.exec(frame)?.[0];
  return (
    word !== undefined && subjectOfSymbol(frame)?.general !== true && baseSymbol(symbol).startsWith(word)
  );
}

const isPart = (symbol: string, part: ReturnType<typeof subjectOfSymbol>): boolean =>
  part !== null && part.general !== true && subjectOfSymbol(symbol) === part;

/**
 * The place of a loop, from a stack of the CPU in it. Of a stack that ends before any such function, the outermost
 * that is no primitive: what it was called by is cut off. Null where no function tells.
 */
export function stallPlace(frames: readonly Frame[]): StallPlace | null {
  const names = withoutLeaving(withoutReporter(firmSymbols(frames)));
  const carrier = names.findIndex((name) => CALLS.some((rows) => rows.test(name)));
  const at = lockWaitedFor(names) ?? names.find((name) => !PREEMPTED.test(name)) ?? names[0];
  const by = names[carrier];
  if (at === undefined) return null;
  if (ASKS_ALL.test(at)) return crossCall(names, at, names.indexOf(at));
  if (by === undefined) return cutOff(names, at);
  if (CROSS_CALL.test(by)) return crossCall(names, at, carrier);
  const called = names.slice(0, carrier);
  const place = called.findLast((name) => layerOf(name) !== 'primitive') ?? called.at(-1) ?? at;
  const syscall = syscallName(place);
  const frame = syscall === null ? place : `sys_${syscall}`;
  const inside = between(called, at, place);
  const telling = [...foreignIn(frames, place, inside), ...iterating(inside)];
  return {
    frame,
    at,
    callers: callersOf(inside, telling),
    telling,
    within: called.slice(0, called.lastIndexOf(place) + 1),
    cut: false,
    interrupt: interruptOf(by),
  };
}

/** The callers are those who want the others to answer. */
function crossCall(names: readonly string[], at: string, call: number): StallPlace {
  const outwards = names.slice(call + 1).filter((name) => !CROSS_CALL.test(name));
  const end = outwards.findIndex((name) => CARRIERS.test(name) || SOFTIRQS.test(name));
  const callers = callersOf(end < 0 ? outwards : outwards.slice(0, end));
  const stops = names[call] === 'multi_cpu_stop';
  return {
    ...NOWHERE,
    frame: stops ? 'multi_cpu_stop' : 'smp_call_function',
    at,
    callers: stops ? [] : callers,
    cut: end < 0,
  };
}

/** Where an interrupt ends, and lets softirqs run before it does. */
const LEAVING =
  /^(?:_*do_softirq\w*|handle_softirqs|invoke_softirq|_*irq_exit\w*|do_softirq_own_stack|call_on_(?:irq_)?stack|(?:smp_)?apic_timer_interrupt|(?:asm_)?sysvec_\w+|(?:asm_)?common_interrupt|do_IRQ|ret_from_intr|el1h?_\w+|__irq_svc|gic_handle_irq|(?:_*handle_)?(?:arch_)?handle_irq|_*handle_domain_irq|generic_handle_\w+)$/;

/** A CPU that is between softirqs runs none: what the interrupt came into is what does not end. */
function withoutLeaving(names: readonly string[]): readonly string[] {
  if (!/^(?:_*do_softirq|handle_softirqs)$/.test(names[0] ?? '')) return names;
  const end = names.findIndex((name) => !LEAVING.test(name));
  const left = names.slice(Math.max(end, 0));
  const exits = names.slice(0, Math.max(end, 0)).some((name) => /irq_exit/.test(name));
  return exits && left.some((name) => layerOf(name) === 'operation') ? left : names;
}

const NOWHERE = { telling: [], within: [], interrupt: null };

/** By what a CPU that waits for a lock rests, or lets another virtual one run. */
const RESTS_IN_LOCK =
  /^(?:native_\w*halt|kvm_wait|_*xen_\w+|pv_\w+|hypercall\w*|plpar_\w+|yield_to_\w+|\w*cpu_relax\w*|_*delay\w*|rep_nop)$/;
const LOCK = /^(?:native_|__pv_|pv_)*queued_\w+lock_slowpath$/;

function lockWaitedFor(names: readonly string[]): string | null {
  const end = names.findIndex((name) => !RESTS_IN_LOCK.test(name));
  const name = names[end] ?? '';
  return end > 0 && LOCK.test(name) ? name : null;
}

/**
 * Where a third module stands between that of the innermost functions and that of the place, its outermost tells why.
 * So does the innermost of a module that no near caller belongs to.
 */
function foreignIn(frames: readonly Frame[], place: string, names: readonly string[]): string[] {
  const firm = firmFrames(frames);
  const end = firm.findIndex(({ symbol }) => baseSymbol(symbol) === place);
  const inside = firm.slice(0, Math.max(end, 0));
  const known = new Set([null, firm[end]?.module, inside.find(({ module }) => module !== null)?.module]);
  const third = inside
    .filter(({ module }, index) => !known.has(module) && firm[index + 1]?.module !== module)
    .map(({ symbol }) => baseSymbol(symbol));
  const near = new Set(tellingOf(names).slice(0, NEAR));
  const entered = inside.find(({ module }) => module !== null && module !== firm[end]?.module);
  const isNear = inside.some(({ symbol, module }) => module !== null && near.has(baseSymbol(symbol)));
  return entered && !isNear ? [baseSymbol(entered.symbol), ...third] : third;
}

const NEAR = 2;

const between = (names: readonly string[], at: string, place: string): string[] =>
  names
    .slice(names.indexOf(at) + 1, names.lastIndexOf(place))
    .filter((name) => name !== at && name !== place && !PREEMPTED.test(name));

function cutOff(names: readonly string[], at: string): StallPlace | null {
  const told = names.findLast((name) => !PREEMPTED.test(name) && layerOf(name) === 'operation');
  const frame = told ?? (WAITS_FOR_CPU.test(at) ? at : undefined);
  return frame === undefined
    ? null
    : {
        ...NOWHERE,
        frame,
        at,
        callers: callersOf(between(names, at, frame)),
        telling: iterating(between(names, at, frame)),
        cut: true,
      };
}

/** What the checker of spinlocks prints first. */
const SPIN_BUG = /^(?:_*dump_stack\w*|show_stack\w*|dump_backtrace\w*|spin_(?:dump|bug)|do_raw_\w+lock)$/;
const CHECKED_MAX = 8;

function withoutChecker(names: readonly string[]): readonly string[] {
  const told = names.slice(0, CHECKED_MAX).findLastIndex((name) => /^spin_(?:dump|bug)$/.test(name));
  if (told < 0 && !/^(?:_*dump_|show_stack)/.test(names[0] ?? '')) return names;
  const rest = names.slice(told + 1);
  return rest.slice(
    Math.max(
      0,
      rest.findIndex((name) => !SPIN_BUG.test(name)),
    ),
  );
}

/** What the interrupt that prints did is not what it interrupted. */
function withoutReporter(all: readonly string[]): readonly string[] {
  const names = withoutChecker(all);
  const last = names.slice(0, REPORT_MAX).findLastIndex((name) => REPORTER.test(name));
  if (last < 0) return names;
  const rest = names.slice(last, last + REPORT_MAX);
  // Another interrupt further out may be what does not end.
  const first = rest.findIndex((name) => VECTOR.test(name));
  const beyond = rest.findIndex((name, index) => index > first && !CAME_IN_BY.test(name));
  const entry = first < 0 ? rest.findLastIndex((name) => CAME_IN_BY.test(name)) : beyond - 1;
  return entry < 0 ? names : names.slice(last + entry + 1);
}

/** Whether a stack shows what the CPU does, and not only that it was switched or pushed away from it. */
export const showsLoop = (frames: readonly Frame[]): boolean => stallPlace(frames) !== null;

/** A CPU in it waits for another one: that one is the reason. */
const WAITS_FOR_CPU =
  /^(?:native_queued_\w+|(?:__pv_|pv_)?queued_\w+lock_slowpath|_raw_(?:spin|read|write)_lock\w*|do_raw_\w+lock|arch_spin_\w+|rt_spin_lock\w*|rt_(?:read|write)_lock\w*|kvm_wait|csd_lock_wait\w*|smp_call_function\w*|multi_cpu_stop|stop_one_cpu\w*|tasklet_unlock_\w*wait|tasklet_(?:kill|disable)|osq_lock|mutex_spin_on_owner|rwsem_spin_on_owner)$/;

/** Whether a CPU was caught waiting for another: for its lock, or for its answer. */
export function waitsForOther(frames: readonly Frame[]): boolean {
  const place = stallPlace(frames);
  return place !== null && (isCrossCall(place) || WAITS_FOR_CPU.test(place.at));
}

/** It waits until all the others have answered, or have stopped. */
export const isCrossCall = ({ frame }: StallPlace): boolean => CROSS_CALL.test(frame);

const interruptOf = (carrier: string): StallPlace['interrupt'] =>
  SOFTIRQS.test(carrier) ? 'a softirq' : INTERRUPTS.test(carrier) ? 'an interrupt' : null;
