/**
 * Stacks as debuggers print them, from a vmcore or a living kernel: crash's `bt`, drgn's and gdb's; and kernels' own that
 * are shortened, or of an ARM without unwinder's offsets. Each line is rewritten as the kernel prints its own.
 */

/** crash: `PID: 1234   TASK: ffff88003e0a0000  CPU: 3   COMMAND: "umount"` */
const TASK = /^PID: (\d{1,10}) +TASK: [0-9a-f]{6,16} +CPU: (\d{1,5}) +COMMAND: "(.{1,15})"/;
/** ` #1 [ffff8801] schedule at ffffffff816 [xfs]`, `#1  schedule (kernel/sched/core.c:12:3)`, `#1 0xffffffff81 in schedule () at f.c:1`. */
const FRAME =
  /^(?:#\d{1,3} +|(?:\d{1,3} +)?(?=\[[0-9a-f]{8,16}\] \S{1,200} at [0-9a-f]))(?:\[[0-9a-f]{8,16}\] |0xffff[0-9a-f]{4,12} in )?([A-Za-z_][\w.]*)(?:\+(?:0x)?[0-9a-f]+(?:\/0x[0-9a-f]+)?)?(?: at [0-9a-f]{8,16}(?: \[([\w-]+)\])?| \((?:[\w./-]+\.[chSs]:\d|\)).*| *)$/;
/** crash, of a CPU that an interrupt stopped. */
const EXCEPTION = /^\[exception RIP: ([A-Za-z_][\w.]*)\+(?:0x)?[0-9a-f]+\]/;
/** arm32, which names caller and callee: `[<c0545380>] (schedule) from [<c0548a38>] (foo+0x1/0x2 [bar])`. */
const ARM =
  /^(?:\[<[0-9a-f]{8}>\] *)?\(([A-Za-z_][\w.$]{0,200})(?:\+0x[0-9a-f]+\/0x[0-9a-f]+)?(?: \[([\w-]+)\])?\) from (?:\[<[0-9a-f]{8}>\] *)?\(([A-Za-z_][\w.$]{0,200})(\+0x[0-9a-f]+\/0x[0-9a-f]+)?(?: \[([\w-]+)\])?\)$/;
/** crash on arm32: ` #1 [<c0b423c8>] (schedule) from [<c0b459d4>]`. */
const CRASH_ARM =
  /^#\d{1,3} +\[<[0-9a-f]{8}>\] \(([A-Za-z_][\w.$]{0,200})(?: \[([\w-]+)\])?\) from \[<[0-9a-f]{8}>\]$/;
/** A frame without its function's size. */
const SIZELESS =
  /^(?:\[<?[0-9a-f]{6,16}>?\] *)?(\? *)?([A-Za-z_][\w.$]{0,200}\+0x[0-9a-f]{1,5})( \[[\w-]+\])?$/;
/** The same without numbers, as people shorten it below a header. */
const BARE = /^([a-z_]\w{2,60}) at ffff[0-9a-f]{4,12}(?: \[([\w-]+)\])?$/;
const SLEEPS = /^(?:__schedule|schedule|__switch_to|context_switch)$/;
/** What stopped the CPU for the vmcore is not what it did. */
const STOPS = /^(?:crash_nmi_callback|nmi_handle|(?:default_)?do_nmi|(?:asm_)?exc_nmi|end_repeat_nmi)$/;

/** Reads the lines of one log in order. */
export class Debuggers {
  private header: Header | null = null;
  private listed = false;
  private caller = '';

  /** The line as the kernel would have printed it, and its task's header in front; null for any other line. */
  lines(text: string): string[] | null {
    const [, pid, cpu, comm] = text.startsWith('PID: ') ? (TASK.exec(text) ?? []) : [];
    if (pid !== undefined && cpu !== undefined && comm !== undefined) {
      this.header = { comm, pid, cpu };
      return [];
    }
    if (text.startsWith('[exception RIP:')) {
      const at = EXCEPTION.exec(text)?.[1];
      return at === undefined ? null : [`RIP: 0010:${frame(at)}`];
    }
    if (text.includes(') from ') && !text.startsWith('#')) return this.arm(text);
    if (text.includes('+0x') && !text.includes('/0x')) return sizeless(text);
    return text.includes(' at ') || text.startsWith('#') ? this.debugger(text) : null;
  }

  private debugger(text: string): string[] | null {
    const [, symbol, module] =
      FRAME.exec(text) ?? CRASH_ARM.exec(text) ?? (text.includes(' at ffff') ? BARE.exec(text) : null) ?? [];
    if (symbol === undefined) return null;
    const above = this.header ? this.above(this.header, SLEEPS.test(symbol)) : [];
    this.header = null;
    return STOPS.test(symbol) ? above : [...above, frame(symbol, module)];
  }

  /** Whoever has the debugger show a sleeping task, found it stuck; one that runs is told as its CPU, where it is alone. */
  private above({ comm, pid, cpu }: Header, sleeps: boolean): string[] {
    this.listed ||= sleeps;
    if (!this.listed) return [`CPU: ${cpu} PID: ${pid} Comm: ${comm} Not tainted`, 'Call Trace:'];
    const state = sleeps ? 'D' : 'R';
    return [`task:${comm.padEnd(15)} state:${state} stack:0     pid:${pid} ppid:0`, 'Call Trace:'];
  }

  /** The callee is the caller of the line above, but for the first. */
  private arm(text: string): string[] | null {
    const [, callee, calleeModule, caller, offset, module] = ARM.exec(text) ?? [];
    if (callee === undefined || caller === undefined) return null;
    const inner = callee === this.caller ? [] : [frame(callee, calleeModule)];
    this.caller = caller;
    return [...inner, frame(caller, module, offset)];
  }
}

interface Header {
  comm: string;
  pid: string;
  cpu: string;
}

function sizeless(text: string): string[] | null {
  const [, mark = '', place, module = ''] = SIZELESS.exec(text) ?? [];
  return place === undefined ? null : [`${mark}${place}/0x0${module}`];
}

const frame = (symbol: string, module?: string, offset = '+0x0/0x0'): string =>
  `${symbol}${offset}${module === undefined ? '' : ` [${module}]`}`;
