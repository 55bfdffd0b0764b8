/**
 * Stacks as debuggers print them, from a vmcore or a living kernel: crash's `bt`, drgn's and gdb's. Each line is rewritten
 * as the kernel prints its own.
 */

/** crash: `PID: 1234   TASK: ffff88003e0a0000  CPU: 3   COMMAND: "umount"` */
const TASK = /^PID: (\d{1,10}) +TASK: [0-9a-f]{6,16} +CPU: (\d{1,5}) +COMMAND: "(.{1,15})"/;
/** ` #1 [ffff8801] schedule at ffffffff816 [xfs]`, `#1  schedule (kernel/sched/core.c:12:3)`, `#1 0xffffffff81 in schedule () at f.c:1`. */
const FRAME =
  /^#\d{1,3} +(?:\[[0-9a-f]{8,16}\] |0xffff[0-9a-f]{4,12} in )?([A-Za-z_][\w.]*)(?:\+(?:0x)?[0-9a-f]+(?:\/0x[0-9a-f]+)?)?(?: at [0-9a-f]{8,16}(?: \[([\w-]+)\])?| \((?:[\w./-]+\.[chSs]:\d|\)).*| *)$/;
/** crash, of a CPU that an interrupt stopped. */
const EXCEPTION = /^\[exception RIP: ([A-Za-z_][\w.]*)\+(?:0x)?[0-9a-f]+\]/;
/** The same without numbers, as people shorten it below a header. */
const BARE = /^([a-z_]\w{2,60}) at ffff[0-9a-f]{4,12}(?: \[([\w-]+)\])?$/;
const SLEEPS = /^(?:__schedule|schedule|__switch_to|context_switch)$/;

/** Reads the lines of one log in order. */
export class Debuggers {
  private header: { comm: string; pid: string } | null = null;

  /** The line as the kernel would have printed it, and its task's header in front; null for any other line. */
  lines(text: string): string[] | null {
    const [, pid, , comm] = text.startsWith('PID: ') ? (TASK.exec(text) ?? []) : [];
    if (pid !== undefined && comm !== undefined) {
      this.header = { comm, pid };
      return [];
    }
    if (text.startsWith('[exception RIP:')) {
      const at = EXCEPTION.exec(text)?.[1];
      return at === undefined ? null : [frame(at)];
    }
    const shape = text.startsWith('#') ? FRAME : text.includes(' at ffff') ? BARE : null;
    const [, symbol, module] = shape?.exec(text) ?? [];
    if (symbol === undefined) return null;
    const above = this.header ? headerOf(this.header, SLEEPS.test(symbol)) : [];
    this.header = null;
    return [...above, frame(symbol, module)];
  }
}

const frame = (symbol: string, module?: string): string =>
  `${symbol}+0x0/0x0${module === undefined ? '' : ` [${module}]`}`;

/** Whoever has the debugger show a sleeping task, found it stuck. */
const headerOf = ({ comm, pid }: { comm: string; pid: string }, sleeps: boolean): string[] => [
  `task:${comm.padEnd(15)} state:${sleeps ? 'D' : 'R'} stack:0     pid:${pid} ppid:0`,
  'Call Trace:',
];
