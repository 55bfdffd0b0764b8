/** Reports of tasks, CPUs and work that do not get on, and the end of the kernel. Above each row stands who prints it. */
import type { KernelLine } from './line.js';

const taskNamed = (comm: string, pid: string): string => `(?<${comm}>.{1,64}):(?<${pid}>\\d{1,10})`;

/** `NMI watchdog: ` before 4.13, and for longer where a perf event counts. */
const watchdog = (words: string): string[] => [words, `watchdog: ${words}`, `NMI watchdog: ${words}`];

export const REPORTS: readonly KernelLine[] = [
  // kernel/hung_task.c; a mailer may have wrapped it behind the number
  {
    heads: ['INFO: task '],
    rest: new RegExp(
      `^${taskNamed('comm', 'pid')} (?:(?:is )?blocked (?:in I/O wait )? *|can't die )for more than (?<seconds>\\d{1,10})(?: seconds|$)`,
    ),
    complaint: 'hung_task',
    dump: 'hung_task',
    examples: [
      'INFO: task umount:1234 blocked for more than 120 seconds.',
      'INFO: task kworker/u8:3:98 blocked for more than 241 seconds.',
      'INFO: task a b:c:77 blocked in I/O wait for more than 122 seconds.',
      'INFO: task dd:77 blocked  for more than 122 seconds.',
      'INFO: task dd:77 blocked for more than 122',
      "INFO: task syz-executor.0:9 can't die for more than 143 seconds.",
    ],
  },
  // the same since 6.15
  {
    heads: ['INFO: task '],
    rest: new RegExp(
      `^${taskNamed('comm', 'pid')} (?:<\\w+> )?(?:is )?(?:<\\w+> )?blocked on an? (?<lock>[\\w-]+) likely (?:owned|last held) by task ${taskNamed('owner', 'ownerPid')}\\b`,
    ),
    dump: 'blocker',
    report: true,
    examples: [
      'INFO: task dd:77 is blocked on a mutex likely owned by task cp:78.',
      'INFO: task dd:77 <writer> blocked on an rw-semaphore likely last held by task cp:78 <reader>',
    ],
  },
  {
    heads: ['INFO: task ', 'INFO: lockdep '],
    report: true,
    examples: [
      'INFO: task dd:77 is blocked on a mutex, but the owner is not found.',
      'INFO: lockdep is turned off.',
    ],
  },
  // kernel/power/process.c; the stacks of these tasks follow
  {
    heads: ['Freezing ', 'PM: Freezing '],
    rest: /^(?:of tasks|user space processes|remaining freezable tasks) failed after (?<seconds>\d{1,6})\.\d{1,6} seconds \([1-9]\d{0,6} tasks? refusing to freeze/,
    dump: 'refusal',
    report: true,
    examples: [
      'Freezing of tasks failed after 20.001 seconds (2 tasks refusing to freeze, wq_busy=0):',
      'Freezing user space processes failed after 20.007 seconds (1 tasks refusing to freeze, wq_busy=0):',
      'PM: Freezing remaining freezable tasks failed after 20.003 seconds (1 tasks refusing to freeze, wq_busy=1):',
    ],
  },
  // kernel/rcu/tree_stall.h, tree_exp.h, tasks.h
  {
    heads: ['INFO: rcu_', 'rcu: INFO: rcu_'],
    rest: /^\w+ (?:self-)?detected (?:expedited )?stalls? on /,
    complaint: 'rcu_stall',
    dump: 'rcu_stall',
    examples: [
      'INFO: rcu_sched detected stalls on CPUs/tasks:',
      'INFO: rcu_sched_state detected stalls on CPUs/tasks: { 1} (detected by 0, t=2002 jiffies)',
      'rcu: INFO: rcu_preempt self-detected stall on CPU',
      'rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-.... } 21 jiffies s: 1 root: 0x2/.',
      'INFO: rcu_tasks detected stalls on tasks:',
      'rcu: INFO: rcu_tasks detected stalls on tasks:',
    ],
  },
  // It stands within the report of a stall, whose headline may be lost: it opens none of its own.
  {
    heads: ['rcu: rcu_'],
    rest: /^\w+ kthread (?:starved|timer wakeup didn't happen) for \d+ jiffies/,
    complaint: 'rcu_stall',
    examples: [
      'rcu: rcu_preempt kthread starved for 5252 jiffies! g1 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x0 ->cpu=1',
      "rcu: rcu_preempt kthread timer wakeup didn't happen for 5251 jiffies! g1 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x402",
    ],
  },
  // kernel/watchdog.c
  {
    heads: watchdog('BUG: soft lockup - CPU#'),
    rest: /^(?<cpu>\d{1,5})(?: stuck for (?<seconds>\d{1,10})s!(?: \[(?<comm>.{1,64}):(?<pid>\d{1,10})\])?)?/,
    complaint: 'soft_lockup',
    dump: 'lockup',
    examples: [
      'BUG: soft lockup - CPU#1 stuck for 22s! [spin:99]',
      'NMI watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [insmod:201]',
      'watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [kworker/0:1:9]',
      'watchdog: BUG: soft lockup - CPU#0',
    ],
  },
  // the same in kernels of vendors
  {
    heads: ['WARN: soft lockup - CPU#'],
    rest: /^(?<cpu>\d{1,5}) stuck for (?<seconds>\d{1,10})s!(?: \[(?<comm>.{1,64}):(?<pid>\d{1,10})\])?/,
    complaint: 'soft_lockup',
    dump: 'lockup',
    examples: ['WARN: soft lockup - CPU#45 stuck for 11s! [jbd2/dm-2-8:4170]'],
  },
  // kernel/locking/spinlock_debug.c
  {
    heads: ['BUG: spinlock '],
    rest: /^(?:recursion|lockup suspected|cpu recursion) on CPU#(?<cpu>\d{1,5}), (?<comm>.{1,64})\/(?<pid>\d{1,10})$/,
    dump: 'lockup',
    report: true,
    examples: [
      'BUG: spinlock lockup suspected on CPU#0, fictoapp/10450',
      'BUG: spinlock recursion on CPU#3, fictotest/124',
    ],
  },
  // Linux 2.6
  {
    heads: ['BUG: soft lockup detected on CPU'],
    complaint: 'soft_lockup',
    dump: 'lockup',
    examples: ['BUG: soft lockup detected on CPU#1!'],
  },
  // kernel/watchdog.c, watchdog_hld.c; `NMI Watchdog` and `CPU` in Linux 2.6
  {
    heads: [...watchdog('Watchdog detected '), 'NMI Watchdog detected '],
    rest: /^(?:hard )?LOCKUP on (?:cpu|CPU) ?(?<cpu>\d{1,5})/,
    complaint: 'hard_lockup',
    dump: 'lockup',
    examples: [
      'Watchdog detected hard LOCKUP on cpu 2',
      'NMI watchdog: Watchdog detected hard LOCKUP on cpu 2',
      'watchdog: Watchdog detected hard LOCKUP on cpu 2',
      'NMI Watchdog detected LOCKUP on CPU 1',
    ],
  },
  {
    heads: ['watchdog: CPU', 'NMI watchdog: CPU'],
    rest: /^\d{1,5}: Watchdog detected hard LOCKUP on cpu (?<cpu>\d{1,5})/,
    complaint: 'hard_lockup',
    dump: 'lockup',
    examples: [
      'watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 3',
      'NMI watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 3',
    ],
  },
  // arch/powerpc/kernel/watchdog.c: of itself, and of others
  {
    heads: ['watchdog: CPU '],
    rest: /^(?<cpu>\d{1,5}) (?:self-detected hard|Hard) LOCKUP\b/,
    complaint: 'hard_lockup',
    dump: 'lockup',
    examples: [
      'watchdog: CPU 3 self-detected hard LOCKUP @ _raw_spin_lock+0x30/0x80',
      'watchdog: CPU 68 Hard LOCKUP',
    ],
  },
  {
    heads: ['watchdog: CPU '],
    rest: /^\d{1,5} detected hard LOCKUP\b(?: on other CPUs (?<cpus>[\d,-]{1,200}))?/,
    complaint: 'hard_lockup',
    dump: 'lockup',
    examples: ['watchdog: CPU 3 detected hard LOCKUP on other CPUs 1-2'],
  },
  // the same until 4.16
  {
    heads: ['Watchdog CPU:'],
    rest: /^(?<cpu>\d{1,5}) Hard LOCKUP\b/,
    complaint: 'hard_lockup',
    dump: 'lockup',
    examples: ['Watchdog CPU:59 Hard LOCKUP'],
  },
  {
    heads: ['Watchdog CPU:'],
    rest: /^\d{1,5} detected Hard LOCKUP\b(?: other CPUS:(?<cpus>[\d,-]{1,200}))?/,
    complaint: 'hard_lockup',
    dump: 'lockup',
    examples: ['Watchdog CPU:3 detected Hard LOCKUP other CPUS:4-5'],
  },
  // kernel/workqueue.c prints it in pieces: another CPU's line may come between
  {
    heads: ['BUG: workqueue lockup'],
    rest: /^(?: - pool(?: cpus=(?<cpus>[\d,-]{1,200}))?.{1,128} stuck for (?<seconds>\d{1,10})s!|(?!\w))/,
    complaint: 'workqueue_lockup',
    dump: 'lockup',
    examples: [
      'BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 33s!',
      'BUG: workqueue lockup - pool cpus=0-3 flags=0x4 nice=0 stuck for 33s!',
      'BUG: workqueue lockup - pool cpus=31 node=0 flags=0x0 nice=0 stuck',
    ],
  },
  // kernel/panic.c
  {
    heads: ['Kernel panic - not syncing: '],
    complaint: 'panic',
    dump: 'panic',
    examples: ['Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)'],
  },
  // Old kernels, or cut short. No complaint: after a panic the guest is asked nothing more, so prose must not pass for one.
  {
    heads: ['Kernel panic'],
    rest: /^(?: - not syncing)?:? /,
    dump: 'panic',
    examples: ['Kernel panic: Attempted to kill init!', 'Kernel panic - not syncing Aiee'],
  },
  // kernel/printk/printk.c
  {
    heads: ['** '],
    rest: /^(?<messages>\d+) printk messages dropped\b/,
    dump: 'lost',
    report: true,
    examples: ['** 41 printk messages dropped **', '** 41 printk messages dropped'],
  },
  // kernel/rcu/, kernel/watchdog*.c: whatever else they say
  {
    heads: ['rcu: ', 'watchdog: ', 'NMI watchdog: '],
    report: true,
    examples: [
      'rcu:  1-....: (20999 ticks this GP) idle=1234/1/0x4000000000000000 softirq=1/1 fqs=5249',
      'watchdog: CPU 3 became unstuck TB:123',
      'NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.',
    ],
  },
];
