/**
 * Lines that only ever belong to a stack dump or a kernel report, by shape. A hang that reports itself every two
 * minutes prints new frames each time, and none of them is progress of the guest.
 */
const SHAPES: readonly RegExp[] = [
  // frames: x86 and arm64, the address forms of older kernels, arm32
  /^(?:\? )?[\w.$]+\+0x[0-9a-f]+\/0x[0-9a-f]+/,
  /^\(?\[?<[0-9a-f]{8,16}>\]?/,
  /^[\w.$]+ from [\w.$]+\+0x/,
  /^Call [Tt]race:/,
  /^<\/?[A-Z#]{2,6}>$/,
  /^task:.{1,64} state:/,
  /^(?:Workqueue|Stopper|Sched_ext|Hardware name|Kernel Offset|Code|Modules linked in|Unloaded tainted modules|Last Breaking-Event-Address): ?/,
  // registers
  /^(?:R[A-Z]{2}|R\d\d|[CDF]S|CR\d|DR\d|PKRU|EFLAGS|ORIG_RAX|pc|lr|sp|pstate|x\d{1,2}) ?: ?/,
  // hung_task, stalls, lockups
  /^(?:Not tainted|Tainted: )/,
  /^"echo 0 > \/proc\/sys\/kernel\/hung_task_timeout_secs"/,
  /^(?:Future hung task reports are suppressed|INFO: (?:task|lockdep) )/,
  /^(?:rcu: |\(detected by |\(t=\d|watchdog: |NMI backtrace for cpu|NMI watchdog: |Sending NMI from CPU)/,
  /^CPU: ?\d+ (?:UID: \d+ )?PID: \d+ /,
  /^(?:---\[ |\*\* \d+ printk messages dropped )/,
  // a CPU that real-time or deadline tasks hold (kernel/sched/deadline.c, rt.c)
  /^sched: (?:DL replenish lagged too much|RT throttling activated)/,
  // locks and workqueues
  /^Showing (?:all locks held|busy workqueues)/,
  /^(?:#\d+: +\(?[0-9a-f]{8,16}|\d+ locks? held by )/,
  /^(?:workqueue .+: flags=|pwq \d+: |pool \d+: |(?:in-flight|pending|inactive|delayed): )/,
];

/** Whether a line, without its printk prefix, has the shape of a line of a kernel report. */
export function isReportLine(text: string): boolean {
  const line = text.trim();
  return SHAPES.some((shape) => shape.test(line));
}
