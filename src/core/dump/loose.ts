/** Stacks in a paste that stand alone: without a report or a dump around them, or from /proc/PID/stack. */
import type { TaskHeader } from './task-header.js';

/** fs/proc/base.c, proc_pid_stack(): since 4.14 it hides each address so. */
const PROC_FRAME = /^\[<0>\] *[A-Za-z_.$][\w.$]*\+0x/;
const PROC_STACK = /\/proc\/(\d{1,10})\/(?:task\/(\d{1,10})\/)?stack\b/;
/** ` D … 12 1 0x80000000`, behind a name: a header in columns, as kernels before 5.10 print one. */
const COLUMNS =
  /^\S.{0,14} +[DRSTtXZPIK](?: +running task)? *(?:[0-9a-f]{8,16} +)?\d{1,10} +\d{1,10} +\d{1,10} 0x[0-9a-f]{8,16}$/;
const FRAME = /^(?:\[<[0-9a-f]{1,16}>\] *)*(?:\? *)?([A-Za-z_.$][\w.$]*)\+0x[0-9a-f]+\/0x[0-9a-f]+/;
/** Nearly every function has one in its name; prose has none. */
const BARE = /^(?:\? )?((?=\w*_)[a-z_]\w{2,60}|schedule|kthread|evict|iput|dput)(?:\(\))?$/;
const SLEEPS =
  /^(?:__schedule|schedule|io_schedule|schedule_\w+|__switch_to|context_switch|_*mutex_lock\S*|rwsem_down_\S+|down_(?:read|write)\w*|_*down\w*|wait_for_completion\w*|_*wait_for_common\S*|_*lock_sock|msleep|usleep_range\S*|cv_wait\w*|folio_wait_\w+)$/;

/** What says of a stack that its CPU did not come back: the registers of kernel code, or the watchdog's timer in it. */
const SPINS =
  /^(?:RIP: 0010:|pc : |PC is at |NIP \[|epc : )[A-Za-z_.$[]|^(?:\[<?[0-9a-f]{8,16}>?\] *)*(?:\? *)?(?:watchdog_timer_fn|rcu_dump_cpu_stacks|rcu_sched_clock_irq)\+0x/;
const STACK_BEGINS = /^(?:Call [Tt]race:|<(?:IRQ|TASK|NMI)>|CPU: \d+ .*Comm: )/;
/** Such a stack tells of an oops or a warning instead. */
const OTHERWISE =
  /^(?:WARNING: |-{3,}\[ cut here|BUG: |Oops|general protection|Unable to handle|kernel BUG|Internal error|divide error|UBSAN|KASAN|refcount_t)/;

const NAMELESS = /^(?:\[<[0-9a-f]{1,16}>\] *)?(?:\? *)?0x[0-9a-f]{8,16}$/;

const FRAMES_MIN = 3;
const LINES_MAX = 2_000;

/** A line that is a frame and nothing else. */
export const isLooseFrame = (text: string): boolean => text.includes('+0x') && FRAME.test(text);

/** The function that stands alone in a line, or null. */
export const bareFunction = (text: string): string | null => BARE.exec(text)?.[1] ?? null;

/** `tcmu-runner call trace:`, above a stack that somebody shortened; names of programs, no words of prose. */
const NAMED_TRACE = /^((?=\S*[-/\d])[A-Za-z][\w./:-]{2,30}) call trace:?$/i;
/** A header of which only name and state are left. */
const CUT_HEADER = /^task: ?\S.{0,14}? +state:D\b(?!.*pid:)/;

/** The task whose stack a command shows that was pasted with its output. Whoever looks there, found it stuck. */
export function looseOwner(text: string): TaskHeader | null {
  const comm = NAMED_TRACE.exec(text)?.[1];
  if (comm !== undefined) return { comm, pid: null, ppid: null, state: 'D' };
  if (!text.includes('/proc/')) return null;
  const [, pid, thread] = PROC_STACK.exec(text) ?? [];
  return pid === undefined ? null : { comm: '', pid: Number(thread ?? pid), ppid: null, state: 'D' };
}

/** ` 3-....: (24002 ticks this GP) idle=…`, kernel/rcu/tree_stall.h. */
const STALLED_CPU = /^(?:rcu: *)?\d{1,5}-[A-Za-z.?!\d]{3,6}: \(\d{1,10} (?:ticks this GP|GPs behind)\)/;
const STALLED_POOLS = /^Showing backtraces of \w+ workers in stalled /;

/** The report that a line of its body belongs to, of which the headline was cut off. */
export function stallWithoutHeadline(text: string): 'rcu_stall' | 'lockup' | null {
  if (text.includes('this GP)') || text.includes('GPs behind)'))
    return STALLED_CPU.test(text) ? 'rcu_stall' : null;
  return text.startsWith('Showing backtraces') && STALLED_POOLS.test(text) ? 'lockup' : null;
}

/** Whether a line that belongs to nothing begins a list of tasks. */
export const opensLoosely = (text: string): boolean =>
  (text.startsWith('[<0>]') && PROC_FRAME.test(text)) ||
  looseOwner(text) !== null ||
  (text.startsWith('task:') && CUT_HEADER.test(text)) ||
  (text.includes(' 0x') && COLUMNS.test(text));

/** Keeps stacks of sleeping tasks that nothing introduces, for a paste that has nothing else. */
export class LooseStacks {
  lines: string[] = [];
  private run: string[] = [];
  private sleeps = false;
  private workqueue: string | null = null;
  private readonly running: string[] = [];
  private readonly unknown: string[] = [];
  private spins = false;
  private otherwise = false;

  /** The lines of a CPU's stack whose report is cut off above it; none if it is another kind of report. */
  get spinning(): readonly string[] {
    return this.spins && !this.otherwise ? this.running : [];
  }

  /** Stacks of which not even that is known whether they sleep. */
  get others(): readonly string[] {
    return this.otherwise ? [] : this.unknown;
  }

  /** Hands its sleeping stacks over. */
  takeLines(): string[] {
    const { lines } = this;
    this.lines = [];
    this.run = [];
    return lines;
  }

  private ofCpu(text: string): void {
    this.otherwise ||= OTHERWISE.test(text);
    const spins = SPINS.test(text);
    this.spins ||= spins;
    const begun = this.running.length > 0 || spins || STACK_BEGINS.test(text);
    if (begun && this.running.length < LINES_MAX) this.running.push(text);
  }

  push(text: string): void {
    this.ofCpu(text);
    const symbol = text.includes('+0x') ? FRAME.exec(text)?.[1] : undefined;
    if (symbol !== undefined) {
      if (this.run.length === 0) this.sleeps = SLEEPS.test(symbol);
      if (this.run.length < 64) this.run.push(text);
      if (this.sleeps && this.run.length >= FRAMES_MIN) this.keep(text, this.lines);
      else if (this.run.length >= FRAMES_MIN) this.keep(text, this.unknown);
      return;
    }
    // A module that is not loaded any more has no names.
    if (NAMELESS.test(text)) return;
    if (text.startsWith('Workqueue: ')) this.workqueue = text;
    else if (!/^(?:Call Trace:|<\/?TASK>)/.test(text)) this.workqueue = null;
    if (this.run.length > 0) this.run = [];
  }

  private keep(text: string, into: string[]): void {
    if (into.length >= LINES_MAX) return;
    if (this.run.length > FRAMES_MIN) into.push(text);
    else {
      // Any other line ends the stack before it.
      into.push('', 'Call Trace:', ...(this.workqueue === null ? [] : [this.workqueue]), ...this.run);
    }
  }
}
