/** Lines within a dump that are part of none: what the reader did not understand, or other writers' text. */
import { isReportLine } from '../console/report-lines.js';
import type { Dump } from '../model.js';

const EXAMPLES = 5;
const EXAMPLE_MAX = 160;

/** Lines without meaning for the parser that any kernel report may have, beside those of `isReportLine`. */
const KNOWN: readonly RegExp[] = [
  // words of the stack or of memory, with or without a label, and what old kernels print around them
  /^(?:(?:Stack|Instruction dump|Code) ?:)? *(?:[0-9a-f(<>)]{4,18}(?:\s|$))+/,
  /^(?:[0-9a-f]{4,16}: |\.{3}$|[=-]{5,}|(?:raw: )?$)/,
  /^(?:task +(?:PC|stack) .*father|sibling$|Stack:$|REGS: )/,
  // functions that the compiler inlined, as syzkaller shows them
  /^[\w.$]+ \S+:\d+ \[inline\]$/,
  // a frame without a name
  /^(?:\[<?[0-9a-f]{8,16}>?\] *){0,2}(?:\? )?0x[0-9a-f]+(?: \(unreliable\))?$/,
  // registers, by architecture
  /^(?:GPR\d\d|Krnl |NIP|LR\b|MSR|CFAR|CTR|XER|IRQMASK|\$ *\d+|Hi|Lo|Status|Cause|BadVA|PrId|epc|ra|gp|sp|t\d|s\d|a\d|tp|psr|Flags|Control|Table|x\d+|r\d+|R:0 |Exception stack)\b/,
  /^(?:E?RIP|E?RSP|E?IP|E[A-Z]{2}|[A-Z]{2}\d?|R\d\d): /,
  /^(?:irq event stamp|hardirqs last|softirqs last|Preemption disabled|Process |Stack: |Backtrace|Trace|task: |Sched Debug|Mem-Info)/,
  /^(?:INFO: (?:lockdep is turned off|NMI handler)|Sending (?:NMI|IPI)|\[[A-Z]\]=|Tainted: |Task dump for CPU|Dumping ftrace|Loglevel|RCU grace-period)/,
  /^(?:\(detected by|\(t=|All QSes seen|blocking rcu_node|Kernel Offset|Rebooting in|Call Trace|unwind stack type)/i,
];

/** Counts them; what follows the last line that is surely part of the dump is left out, unless a fence comes. */
export class Unplaced {
  private lines = 0;
  private pending: string[] = [];
  private more = 0;
  private readonly examples: string[] = [];

  /** A line that nothing wanted. */
  add(text: string): void {
    if (text === '' || isReportLine(text) || KNOWN.some((known) => known.test(text))) return;
    if (this.pending.length < EXAMPLES) this.pending.push(text.slice(0, EXAMPLE_MAX));
    else this.more += 1;
  }

  /** The dump went on behind it. */
  settle(): void {
    if (this.pending.length === 0) return;
    this.lines += this.pending.length + this.more;
    this.examples.push(...this.pending.slice(0, EXAMPLES - this.examples.length));
    this.pending = [];
    this.more = 0;
  }

  get found(): Dump['unplaced'] {
    return this.lines === 0 ? undefined : { lines: this.lines, examples: this.examples };
  }
}
