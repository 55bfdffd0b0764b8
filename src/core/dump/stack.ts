import type { Frame } from '../model.js';
import { parseInstruction, parseLink } from './frame.js';
import type { StackPool } from './stack-pool.js';

/** Deeper than any kernel stack; a guest that prints frames for ever stops here. */
const MAX_FRAMES = 512;
/** Sections of an x86 stack: `<TASK>`, `</IRQ>`, `<#DF>`; `<EOI>` and `<<EOE>>` end one before 4.10. */
const MARK = /^<{1,2}(\/?)(#?[A-Z_]{2,20})>{1,2} */;
/** An address follows that is not where the task is. */
const ASIDE = /^(?:Last Breaking-Event-Address|Preemption disabled at):/;
/** What stands outermost in a whole stack, by architecture; see the entry code in arch/. */
const OUTERMOST =
  /^(?:ret_\w+|kthread|child_rip|kernel_thread\w*|(?:asm|entry|stub|tracesys|secondary|sysenter|system_call|x86_64_start)_\w+|sysenter\w*|system_call\w*|tracesys|do_syscall_64|do_idle|el\d\w*|\w*syscall\w*|start_\w+|cpu_startup_entry|work_\w+|handle_\w+|page_fault|_start)$/;

/** The interrupt that printed the report is not what does not end. */
const REPORTS =
  /^(?:watchdog_timer_fn|rcu_(?:dump|check|sched_clock|print)\w*|(?:print|check)_cpu_stall\w*|show_regs|sched_show_task|nmi_\w+|tick_\w+|update_process_times)$/;
/** Of a firm frame as most architectures print it. */
const SYMBOL = /^(?:\[<?[0-9a-f]{1,16}>?\] *)*([A-Za-z_.$][\w.$]*)\+0x[0-9a-f]+\/0x/;
/** Nothing is called by it, and nothing that sleeps is inside of it. */
const FALLS_ASLEEP = /^(?:__schedule|__switch_to|context_switch)$/;
const ENDS =
  /^(?:ret_from_\w+|kthread|worker_thread|entry_SYSCALL\w*|el0\w*_sync\w*|system_call_fastpath|ret_fast_syscall)$/;
const GOES_ON =
  /^(?:ret_\w+|kthread|child_rip|kernel_thread\w*|entry_\w+|\w*syscall\w*|system_call\w*|el\d\w*|asm_\w+|start_(?:kernel|secondary|here|cpu|thread)\w*|secondary_\w+)$/;
const FRAMES_MIN = 3;

/** Reads the lines of one stack into a task's or a CPU's frames. */
export class Stack {
  /** Stacks that began with `<TASK>` and did not reach `</TASK>`. */
  cut = 0;

  private target: { frames: Frame[] } | null = null;
  private ofCpu = false;
  private traced = false;
  private open = false;
  private aside = false;
  private cutOff: Frame[] = [];
  private interrupt = { from: 0, inside: false, registersSeen: false };
  private link: Frame | null = null;

  constructor(private readonly pool: StackPool) {}

  /** The frames that follow belong to this task, or CPU. */
  begin(target: { frames: Frame[] }, ofCpu: boolean): void {
    this.leave();
    this.target = target;
    this.link = null;
    this.ofCpu = ofCpu;
    this.traced = false;
    this.interrupt = { from: 0, inside: false, registersSeen: false };
  }

  /** What follows belongs to nobody yet. */
  leave(): void {
    if (this.open) this.cut += 1;
    this.open = false;
    this.drop();
  }

  private drop(): void {
    if (this.target && this.link) this.target.frames = withLink(this.target.frames, this.link);
    // A stack that has nothing but an interrupt in it is cut off, or the interrupt is what does not end.
    if (this.target?.frames.length === 0) this.target.frames = this.cutOff;
    this.cutOff = [];
    if (this.target) this.target.frames = this.pool.shared(this.target.frames);
    this.target = null;
  }

  /** Whether a stack that begins now has nobody to belong to. */
  get homeless(): boolean {
    return this.target === null || this.traced;
  }

  /** Whether nobody's frames are read. */
  get idle(): boolean {
    return this.target === null;
  }

  /** `Call Trace:`, after which frames belong to the target. */
  trace(): void {
    this.traced = true;
  }

  /** `<Same stack as pid 12>` */
  sameAs(like: { frames: Frame[] } | undefined): void {
    if (this.target && like) this.target.frames = [...like.frames];
  }

  /** A function that stands alone, as people shorten a stack. False outside of one. */
  bare(symbol: string | null): boolean {
    if (symbol === null || this.target === null || !this.traced) return false;
    // Whoever shortens a stack shortens all of it: in a whole one this is another writer's word.
    if (this.target.frames.some(({ offset }) => offset !== null)) return false;
    return this.add([{ symbol, offset: null, size: null, module: null, reliable: true }]);
  }

  /** Whether the outermost firm frame is none that a stack ends with. */
  get unfinished(): boolean {
    const last = this.target?.frames.findLast(({ reliable }) => reliable);
    return last !== undefined && !OUTERMOST.test(last.symbol);
  }

  /** Whether this frame of a paste belongs to the stack of another task, of which nothing says so. */
  beginsAnew(text: string): boolean {
    if (this.ofCpu || !this.target || this.target.frames.length < FRAMES_MIN) return false;
    const symbol = SYMBOL.exec(text)?.[1];
    const last = this.target.frames.findLast(({ reliable }) => reliable)?.symbol;
    if (symbol === undefined || last === undefined) return false;
    return (
      (FALLS_ASLEEP.test(symbol) && !FALLS_ASLEEP.test(last)) || (ENDS.test(last) && !GOES_ON.test(symbol))
    );
  }

  /** True if the line is a frame, a register that names a function, or a mark within the stack. */
  push(text: string): boolean {
    const known = this.pool.known(text);
    if (known) return this.add(known);
    const mark = text.startsWith('<') ? MARK.exec(text) : null;
    if (mark) {
      this.mark(mark[1] === '/', mark[2] ?? '');
      const rest = text.slice(mark[0].length);
      return rest === '' || this.push(rest);
    }
    if (ASIDE.test(text)) return (this.aside = true);
    if (text.startsWith('#') || text.startsWith('NMI ')) return false;
    const instruction = parseInstruction(text);
    if (instruction) this.registers();
    else if (this.target?.frames.length === 1) this.link ??= parseLink(text);
    const frames = instruction ? [instruction] : this.pool.read(text, this.target?.frames.length === 0);
    return frames !== null && this.add(frames);
  }

  private add(frames: readonly Frame[]): true {
    if (this.target && !this.aside && this.target.frames.length < MAX_FRAMES)
      this.target.frames.push(...frames);
    this.aside = false;
    return true;
  }

  private mark(closes: boolean, name: string): void {
    if (name === 'TASK') {
      if (closes) this.open = false;
      if (closes) this.drop();
      else this.open = this.target !== null;
    } else if (closes || name === 'EOI' || name === 'EOE') this.leaveInterrupt(name);
    else if (name === 'IRQ' || name === 'NMI') {
      this.interrupt.from = this.ofCpu ? (this.target?.frames.length ?? 0) : 0;
      this.interrupt.inside = this.ofCpu;
    }
  }

  /** Within an interrupt's frames the registers are those of what it interrupted, which another interrupt may be. */
  private registers(): void {
    if (this.interrupt.inside && !this.interrupt.registersSeen && this.target) {
      this.target.frames.length = Math.min(this.interrupt.from, this.target.frames.length);
      // What is cut off is cut off once.
      this.interrupt = { ...this.interrupt, from: MAX_FRAMES, inside: false };
    }
    this.interrupt.registersSeen = true;
  }

  /** The NMI or interrupt that printed the backtrace is not what the CPU was doing, unless it was in an interrupt. */
  private leaveInterrupt(name: string): void {
    if (!this.ofCpu || !this.target) return;
    this.interrupt.inside = false;
    if (
      name === 'NMI' ||
      name === 'EOE' ||
      ((name === 'IRQ' || name === 'EOI') && !this.interrupt.registersSeen)
    ) {
      const inside = this.target.frames;
      if (name === 'IRQ' && this.interrupt.from === 0 && !inside.some(({ symbol }) => REPORTS.test(symbol)))
        this.cutOff = [...inside];
      this.target.frames.length = Math.min(this.interrupt.from, this.target.frames.length);
    }
  }
}

/**
 * The caller of a function that keeps no frame of its own is in the link register only. A function that has called
 * another has itself there.
 */
function withLink(frames: readonly Frame[], link: Frame): Frame[] {
  const [at, ...traced] = frames;
  if (!at || link.symbol === at.symbol) return [...frames];
  const again = traced[0]?.symbol === at.symbol ? 1 : 0;
  if (traced.slice(again, again + 2).some(({ symbol }) => symbol === link.symbol)) return [...frames];
  return [at, ...traced.slice(0, again), link, ...traced.slice(again)];
}
