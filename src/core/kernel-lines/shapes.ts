/**
 * Lines that only ever belong to a stack dump or a kernel report, by shape. A hang that reports itself every two
 * minutes prints new frames each time, and none of them is progress of the guest.
 */
interface Shape {
  pattern: RegExp;
  /** Too common a shape for a console at large: it counts only within a dump. */
  within?: true;
  examples: readonly [string, ...string[]];
}

export const SHAPES: readonly Shape[] = [
  // frames: x86 and arm64, the address forms of older kernels, arm32
  {
    pattern: /^(?:\? )?[\w.$]+\+0x[0-9a-f]+\/0x[0-9a-f]+/,
    examples: ['__schedule+0x34d/0x9e0', '? folio_wait_bit_common+0x13d/0x350 [virtiofs]'],
  },
  {
    pattern: /^\(?\[?<[0-9a-f]{8,16}>\]?/,
    examples: ['[<ffffffff81066807>] schedule+0x6c/0x77', '([<0000000180b5d3a8>] system_call+0x82/0xb0)'],
  },
  { pattern: /^[\w.$]+ from [\w.$]+\+0x/, examples: ['schedule from foo+0x60/0xdc [fuse]'] },
  { pattern: /^Call [Tt]race:/, examples: ['Call Trace:', 'Call trace:'] },
  { pattern: /^<\/?[A-Z#]{2,6}>$/, examples: ['<TASK>', '</IRQ>', '<#DF>'] },
  {
    pattern: /^task:.{1,64} state:/,
    examples: ['task:umount          state:D stack:0     pid:1234  ppid:1      flags:0x00004002'],
  },
  {
    pattern:
      /^(?:Workqueue|Stopper|Sched_ext|Hardware name|Kernel Offset|Code|Modules linked in|Unloaded tainted modules|Last Breaking-Event-Address): ?/,
    examples: [
      'Workqueue: writeback wb_workfn (flush-254:0)',
      'Stopper: multi_cpu_stop+0x0/0x110 <- stop_machine_cpuslocked+0x10d/0x150',
      'Sched_ext: simple (enabled+all), task: runnable_at=-5ms',
      'Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2-debian-1.16.2-1 04/01/2014',
      'Kernel Offset: 0x1e000000 from 0xffffffff81000000 (relocation range: 0xffffffff80000000-0xffffffffbfffffff)',
      'Code: 48 8b 45 d0 <0f> 0b',
      'Modules linked in: virtiofs fuse',
      'Unloaded tainted modules: spin(O):1',
      'Last Breaking-Event-Address:',
    ],
  },
  // registers
  {
    pattern: /^(?:R[A-Z]{2}|R\d\d|[CDF]S|CR\d|DR\d|PKRU|EFLAGS|ORIG_RAX|pc|lr|sp|pstate|x\d{1,2}) ?: ?/,
    examples: [
      'RIP: 0033:0x7f1234567890',
      'R13: 0000000000000000',
      'CR2: 0000000000000010',
      'pc : foo+0x1/0x2',
    ],
  },
  // kernel/hung_task.c, the stalls and lockups
  {
    pattern: /^(?:Not tainted|Tainted: )/,
    examples: [
      'Not tainted 6.1.0-18-amd64 #1 Debian 6.1.76-1',
      'Tainted: G        W  O       6.12.1+ #7 PREEMPT',
    ],
  },
  {
    pattern: /^"echo 0 > \/proc\/sys\/kernel\/hung_task_timeout_secs"/,
    examples: ['"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.'],
  },
  {
    pattern: /^Future hung task reports are suppressed/,
    examples: ['Future hung task reports are suppressed, see sysctl kernel.hung_task_warnings'],
  },
  {
    pattern: /^(?:\(detected by |\(t=\d|NMI backtrace for cpu|Sending NMI from CPU)/,
    examples: [
      '(detected by 1, t=21002 jiffies, g=7741, q=32 ncpus=2)',
      '(t=21003 jiffies g=7740 q=32)',
      'NMI backtrace for cpu 1 skipped: idling at default_idle+0xb/0x10',
      'Sending NMI from CPU 0 to CPUs 1:',
    ],
  },
  {
    pattern: /^CPU: ?\d+ (?:UID: \d+ )?PID: \d+ /,
    examples: ['CPU: 1 UID: 0 PID: 77 Comm: dd Not tainted 6.12.0 #1'],
  },
  { pattern: /^---\[ /, examples: ['---[ end trace 0000000000000000 ]---'] },
  // a CPU that real-time or deadline tasks hold (kernel/sched/deadline.c, rt.c)
  {
    pattern: /^sched: (?:DL replenish lagged too much|RT throttling activated)/,
    examples: ['sched: DL replenish lagged too much', 'sched: RT throttling activated'],
  },
  // kernel/locking/lockdep.c, kernel/workqueue.c
  {
    pattern: /^Showing (?:all locks held|busy workqueues)/,
    examples: ['Showing all locks held in the system:', 'Showing busy workqueues and worker pools:'],
  },
  {
    pattern: /^(?:#\d+: +\(?[0-9a-f]{8,16}|(?:\d+ )?locks? held by )/,
    examples: [
      '#0: ffffffff9a3c5e20 (rcu_read_lock){....}-{1:2}, at: debug_show_all_locks+0x53/0x260',
      '1 lock held by khungtaskd/31:',
      'locks held by touch/85: 1, on CPU#0:',
    ],
  },
  {
    pattern: /^(?:workqueue .+: flags=|pwq \d+: |pool \d+: |(?:in-flight|pending|inactive|delayed): )/,
    examples: [
      'workqueue events: flags=0x0',
      'pwq 2: cpus=1 node=0 flags=0x0 nice=0 active=1/256 refcnt=2',
      'pool 2: cpus=1 node=0 flags=0x0 nice=0 hung=33s workers=2 idle: 22',
      'in-flight: 9:spin_work [spin]',
    ],
  },
  // words of the stack or of memory, with or without a label, and what old kernels print around them
  {
    pattern: /^(?:(?:Stack|Instruction dump|Code) ?:)? *(?:[0-9a-f(<>)]{4,18}(?:\s|$))+/,
    within: true,
    examples: [
      'ffff880311231a60 0000000000000046 0000000000000003 ffff880312325d00',
      'Stack : 00000003 00000001 00000000 8003ca80',
    ],
  },
  {
    pattern: /^(?:[0-9a-f]{4,16}: |\.{3}$|[=-]{5,}|(?:raw: )?$)/,
    within: true,
    examples: ['3fa0:                   00000000 00000000', '...', '======================='],
  },
  {
    pattern: /^(?:task +(?:PC|stack) .*father|sibling$|Stack:$|REGS: )/,
    within: true,
    examples: [
      'task                        PC stack   pid father',
      'sibling',
      'Stack:',
      'REGS: c3c31c70 TRAP: 0300',
    ],
  },
  // functions that the compiler inlined, as syzkaller shows them
  {
    pattern: /^[\w.$]+ \S+:\d+ \[inline\]$/,
    within: true,
    examples: ['context_switch kernel/sched/core.c:5377 [inline]'],
  },
  // a frame without a name
  {
    pattern: /^(?:\[<?[0-9a-f]{8,16}>?\] *){0,2}(?:\? )?0x[0-9a-f]+(?: \(unreliable\))?$/,
    within: true,
    examples: ['[c00000000a7b3a10] [c00000000a7b3a50] 0xc00000000a7b3a50 (unreliable)', '0xffffff8003477508'],
  },
  // registers, by architecture
  {
    pattern:
      /^(?:GPR\d\d|Krnl |NIP|LR\b|MSR|CFAR|CTR|XER|IRQMASK|\$ *\d+|Hi|Lo|Status|Cause|BadVA|PrId|epc|ra|gp|sp|t\d|s\d|a\d|tp|psr|Flags|Control|Table|x\d+|r\d+|R:0 |Exception stack)\b/,
    within: true,
    examples: [
      'GPR00: c000000000e8d2a4 c00000000a7b3bf0',
      'Krnl PSW : 0404c00180000000 0000000180b4e1f0 (foo+0x10/0x20)',
      'MSR:  900000000280f033 <SF,HV,VEC,VSX,EE,PR,FP,ME,IR,DR,RI,LE>  CR: 48002880  XER: 00000000',
      '$ 0   : 00000000 00000001 00000000',
      'epc : ffffffff80a1b2c4 ra : ffffffff80a1b2c4 sp : ff20000000c63cf0',
      'Exception stack(0xb9b13fa8 to 0xb9b13ff0)',
    ],
  },
  {
    pattern: /^(?:E?RIP|E?RSP|E?IP|E[A-Z]{2}|[A-Z]{2}\d?|R\d\d): /,
    within: true,
    examples: ['EIP: 0060:[<c0013d20>] EFLAGS: 00010286 CPU: 0', 'EAX: 00000000 EBX: c3c31d20'],
  },
  {
    pattern:
      /^(?:irq event stamp|hardirqs last|softirqs last|Preemption disabled|Process |Stack: |Backtrace|Trace|task: |Sched Debug|Mem-Info)/,
    within: true,
    examples: [
      'irq event stamp: 0',
      'hardirqs last  enabled at (0): [<0000000000000000>] 0x0',
      'softirqs last disabled at (0): [<0000000000000000>] 0x0',
      'Preemption disabled at:',
      'Process cat (pid: 99, ti=c3c30000 task=c3c02e00 task.ti=c3c30000)',
      'Backtrace:',
      'task: ffff8800bb13e000 ti: ffff8800bb140000 task.ti: ffff8800bb140000',
      'Sched Debug Version: v0.11, 6.1.0-18-amd64 #1',
      'Mem-Info:',
    ],
  },
  {
    pattern:
      /^(?:INFO: NMI handler|Sending (?:NMI|IPI)|\[[A-Z]\]=|Task dump for CPU|Dumping ftrace|Loglevel|RCU grace-period)/,
    within: true,
    examples: [
      'INFO: NMI handler (nmi_cpu_backtrace_handler) took too long to run: 1.234 msecs',
      'Sending IPI to other CPUs',
      '[W]=WARN',
      'Task dump for CPU 1:',
      'Dumping ftrace buffer:',
      'RCU grace-period kthread stack dump:',
    ],
  },
  {
    pattern:
      /^(?:\(detected by|\(t=|All QSes seen|blocking rcu_node|Rebooting in|Call Trace|unwind stack type)/i,
    within: true,
    examples: [
      'All QSes seen, last rcu_preempt kthread activity 1 (4294937296-4294937295)',
      'blocking rcu_node structures (internal RCU debug):',
      'Rebooting in 10 seconds..',
      'unwind stack type:0 next_sp:          (null) mask:0x2 graph_idx:0',
    ],
  },
];
