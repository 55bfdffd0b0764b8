/** One row a report of the kernel's watchdogs: which function is named, and who is accused. */
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { dump, task } from '../../support/stacks.js';

const verdict = (text: string, more: readonly string[] = []) =>
  analyze(parseDumps([...text.split('\n'), ...more]), {
    secondsBetweenLooks: null,
    shares: [],
    kernelCommandLine: null,
  }).verdict;

const soft = (stack: string, at = 'loop_here', comm = 'cat', pid = 99) =>
  `watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [${comm}:${pid}]
CPU: 1 PID: ${pid} Comm: ${comm} Not tainted 6.1.0 #1
RIP: 0010:${at}+0x5/0x10
Call Trace:
${stack
  .split(' ')
  .map((name) => (name.startsWith('<') ? ` ${name}` : ` ${name}+0x1/0x2`))
  .join('\n')}`;

describe('nobody loops', () => {
  const kthread = `rcu: rcu_sched kthread starved for 254300 jiffies! g8370033 f0x2 RCU_GP_WAIT_FQS(5) ->state=0x200 ->cpu=1
rcu: RCU grace-period kthread stack dump:
task:rcu_sched       state:R stack:    0 pid:   10 ppid:     2 flags:0x00000000
Call Trace:
 __schedule+0x1/0x2
 rcu_gp_kthread+0x1/0x2
 kthread+0x1/0x2`;
  const idle =
    'Sending NMI from CPU 0 to CPUs 2:\nNMI backtrace for cpu 2 skipped: idling at default_idle+0x1/0x2';

  it.each<[string, string, string, string]>([
    ['the thread of grace periods starves', `rcu: INFO: rcu_sched detected stalls on CPUs/tasks:
(detected by 0, t=254302 jiffies, g=8370033, q=8218)
${kthread}`, 'starved', 'rcu_sched, the thread that ends grace periods, does not get to run ≥254 s on CPU 1: no loop shows there, suspect its timer or the host'],
    ['an idle CPU takes no ticks', `rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: \t2-...!: (0 ticks this GP) idle=6c2c/0/0x0 softirq=9/9 fqs=0 (false positive?)
rcu: \t(detected by 0, t=60002 jiffies, g=123457, q=200 ncpus=4)
${idle}`, 'starved', 'CPU 2 takes no timer ticks ≥60 s: no loop shows there, suspect its timer or the host'],
    ['a CPU that ticks and shows nothing', `rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: \t2-...!: (500 ticks this GP) idle=6c2c/0/0x0 softirq=9/9 fqs=0
rcu: \t(detected by 0, t=60002 jiffies, g=123457, q=200 ncpus=4)
${idle}`, 'spinning', 'CPU 2 does not come back ≥60 s: an RCU stall, and no stack shows what runs there'],
  ])('%s', (_case, text, kind, title) => {
    expect(verdict(text)).toMatchObject({ class: kind, title, frame: null, culprit: null });
  }); // prettier-ignore

  it('is no excuse for whoever does loop', () => {
    const loop = `CPU: 1 PID: 99 Comm: cat Not tainted 6.1.0 #1
RIP: 0010:loop_here+0x5/0x10
Call Trace:
 thing_write+0x1/0x2
 vfs_write+0x1/0x2`;
    const text = `rcu: INFO: rcu_sched detected stalls on CPUs/tasks:\nrcu: \t1-...!: (0 ticks this GP) idle=1/1/0x2\n${kthread}\n${loop}`;
    expect(verdict(text)).toMatchObject({
      class: 'spinning',
      culprit: { comm: 'cat' },
      frame: 'thing_write',
    });
  });
});

it('a task that was preempted in its loop was caught where it loops, and the interrupt that prints is not its', () => {
  const text = `rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-3): P42/1:b..l
task:fio             state:R  running task     stack:0     pid:42  ppid:7   flags:0x00004002
Call Trace:
 <IRQ>  [<ffffffff810c8f0a>] sched_show_task+0xfa/0x160
 [<ffffffff8110904d>] rcu_check_callbacks+0xc8d/0xcb0
 [<ffffffff81111bb7>] __hrtimer_run_queues+0x237/0x460
 <EOI>  [<ffffffff81135abc>] __schedule+0x3/0x9
 [<ffffffff81135abc>] preempt_schedule_irq+0x3/0x9
 [<ffffffff81135abc>] bio_poll+0x3/0x9
 [<ffffffff81135abc>] thing_ioctl+0x3/0x9
 [<ffffffff81135abc>] __x64_sys_ioctl+0x3/0x9`;
  expect(verdict(text).title).toBe('fio:42 spinning in ioctl → thing_ioctl (at bio_poll)');
});

describe('several reports', () => {
  const lockup = (cpu: number, at: string, stack: string, seconds = 26) =>
    `watchdog: BUG: soft lockup - CPU#${cpu} stuck for ${seconds}s! [t${cpu}:${90 + cpu}]
CPU: ${cpu} PID: ${90 + cpu} Comm: t${cpu} Not tainted 6.1.0 #1
RIP: 0010:${at}+0x5/0x10
Call Trace:
${stack
  .split(' ')
  .map((name) => ` ${name}+0x1/0x2`)
  .join('\n')}`;
  const loops = lockup(1, 'loop_here', 'thing_write vfs_write __x64_sys_write');
  const waits = lockup(
    2,
    'native_queued_spin_lock_slowpath',
    '_raw_spin_lock other_read vfs_read __x64_sys_read',
  );

  it.each([
    ['first', `${loops}\n${waits}`],
    ['last', `${waits}\n${loops}`],
  ])('the one that loops counts, not the one that waits for its lock: %s', (_case, text) => {
    const found = verdict(text);
    expect(found.culprit).toMatchObject({ comm: 't1', pid: 91 });
    expect(found.reasons.join()).toContain('Also reported: t2:92 spinning');
  });

  it('the newest age of the first of several that loop', () => {
    const text = [loops, lockup(2, 'loop_there', 'other_read vfs_read'), loops.replace('26s', '52s')].join(
      '\n',
    );
    expect(verdict(text).title).toBe('t1:91 spinning ≥52 s on CPU 1 in write → thing_write (at loop_here)');
  });

  it('a lockup without a stack takes it from a dump that shows the CPU', () => {
    const text = `${loops.replace(/^.*\n/, 'sysrq: Show backtrace of all active CPUs\nNMI backtrace for cpu 1\n')}
watchdog: Watchdog detected hard LOCKUP on cpu 1`;
    expect(verdict(text)).toMatchObject({ class: 'spinning', culprit: { comm: 't1' }, frame: 'thing_write' });
  });

  it('a task that is only named takes its stack from a dump of tasks', () => {
    const shown = task('reader', 77, 'R', ['thing_walk+0x1/0x2', 'thing_read+0x1/0x2', 'vfs_read+0x1/0x2', '__x64_sys_read+0x1/0x2']); // prettier-ignore
    const stall = `rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-1): P77/1:b..l`;
    expect(verdict(stall, dump('t', 9, shown))).toMatchObject({
      culprit: { comm: 'reader' },
      frame: 'thing_read',
    });
  });

  it('a task that was pushed away and shows no more yields to one that loops', () => {
    const text = `rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-1): P15438/1:b..l
task:270             state:R  running task     stack:0     pid:15438 ppid:7   flags:0x00004002
Call Trace:
 __schedule+0x1/0x2
CPU: 1 PID: 99 Comm: cat Not tainted 6.1.0 #1
RIP: 0010:loop_here+0x5/0x10
Call Trace:
 thing_write+0x1/0x2
 vfs_write+0x1/0x2`;
    expect(verdict(text).culprit).toMatchObject({ comm: 'cat', pid: 99 });
  });
});

describe('the place of a loop is what was called by the innermost function that carries anything', () => {
  it.each<[string, string, string, string]>([
    ['a device written to', 'helper thing_write vfs_write ksys_write __x64_sys_write do_syscall_64', 'thing_write', ' in write → thing_write (at loop_here ← helper)'],
    ['a file of a filesystem', 'generic_perform_write ext4_buffered_write_iter ext4_file_write_iter vfs_write ksys_write __x64_sys_write do_syscall_64', 'ext4_file_write_iter', ' in write → ext4_file_write_iter (at loop_here ← ext4_buffered_write_iter)'],
    ['an ioctl', 'helper thing_ioctl __x64_sys_ioctl do_syscall_64', 'thing_ioctl', ' in ioctl → thing_ioctl (at loop_here ← helper)'],
    ['a syscall without a device', 'helper do_renameat2 __x64_sys_rename do_syscall_64', 'sys_rename', ' → sys_rename (at loop_here ← helper ← do_renameat2)'],
    ['a socket', 'tcp_sendmsg_locked tcp_sendmsg sock_sendmsg ____sys_sendmsg __x64_sys_sendmsg do_syscall_64', 'tcp_sendmsg', ' in sendmsg → tcp_sendmsg (at loop_here)'],
    ['a work item', 'helper thing_work process_one_work worker_thread kthread ret_from_fork', 'thing_work', ' in work → thing_work (at loop_here ← helper)'],
    ['a kernel thread', 'helper thing_thread kthread ret_from_fork', 'thing_thread', ' in kthread → thing_thread (at loop_here ← helper)'],
    ['a module that is loaded', 'thing_init do_one_initcall do_init_module __do_sys_finit_module do_syscall_64', 'thing_init', ' in finit_module → thing_init (at loop_here)'],
    ['a page fault', 'thing_fault __do_fault do_fault handle_mm_fault do_user_addr_fault asm_exc_page_fault', 'thing_fault', ' in page fault → thing_fault (at loop_here)'],
    ['a timer, on top of a syscall', '<IRQ> thing_timer call_timer_fn run_timer_softirq handle_softirqs irq_exit_rcu </IRQ> <TASK> ext4_sync_file __x64_sys_fsync do_syscall_64 </TASK>', 'thing_timer', ' in a softirq → thing_timer (at loop_here)'],
    ['an interrupt handler', '<IRQ> thing_irq __handle_irq_event_percpu handle_irq_event common_interrupt </IRQ> <TASK> __x64_sys_fsync do_syscall_64 </TASK>', 'thing_irq', ' in an interrupt → thing_irq (at loop_here)'],
    ['a stack that ends before such a function', 'helper thing_ioctl', 'thing_ioctl', ' → thing_ioctl (at loop_here ← helper)'],
    ['an attribute of a device', 'thing_store dev_attr_store sysfs_kf_write kernfs_fop_write_iter vfs_write __x64_sys_write', 'thing_store', ' in write → thing_store (at loop_here)'],
  ])('%s', (_case, stack, frame, end) => {
    const found = verdict(soft(stack));
    expect(found).toMatchObject({ class: 'spinning', frame, confidence: 'high', culprit: { comm: 'cat', pid: 99, frame } });
    expect(found.title).toBe(`cat:99 spinning ≥26 s on CPU 1${end}`);
  }); // prettier-ignore

  it('passes by the lock that a loop stands at', () => {
    const found = verdict(soft('_raw_spin_lock thing_timer call_timer_fn', 'queued_spin_lock_slowpath'));
    expect(found.frame).toBe('thing_timer');
  });
});

describe('who is accused', () => {
  const backtrace = (cpu: number, comm: string, pid: number, at: string, rest: string) =>
    `NMI backtrace for cpu ${cpu}
CPU: ${cpu} PID: ${pid} Comm: ${comm} Not tainted 6.1.0 #1
RIP: 0010:${at}+0x5/0x10
Call Trace:
${rest}`;

  it('the CPU that stalls, not the one that noticed', () => {
    const found = verdict(`rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: 	2-....: (20999 ticks this GP) idle=1/0 softirq=9/9 fqs=5
	(detected by 0, t=21002 jiffies, g=33, q=5)
${backtrace(0, 'bystander', 7, 'noticed', ' caller+0x1/0x2')}
${backtrace(2, 'cat', 99, 'loop_here', ' thing_read+0x1/0x2\n vfs_read+0x1/0x2\n __x64_sys_read+0x1/0x2')}`);
    expect(found).toMatchObject({ frame: 'thing_read', confidence: 'medium', culprit: { pid: 99 } });
    expect(found.title).toBe('cat:99 spinning ≥21 s on CPU 2 in read → thing_read (at loop_here)');
  });

  it('what the interrupt with the report interrupted, as the registers within its frames say', () => {
    const found = verdict(`rcu: INFO: rcu_sched self-detected stall on CPU
rcu: 	1-....: (5249 ticks this GP) idle=3dc/1/0x4 softirq=9/9 fqs=2624
CPU: 1 PID: 99 Comm: cat Not tainted 5.10.0 #1
Call Trace:
 <IRQ>
 dump_stack+0x1/0x2
 rcu_sched_clock_irq+0x1/0x2
 update_process_times+0x1/0x2
 __hrtimer_run_queues+0x1/0x2
 asm_sysvec_apic_timer_interrupt+0x1/0x2
RIP: 0010:loop_here+0x5/0x10
 thing_timer+0x1/0x2
 call_timer_fn+0x1/0x2
 handle_softirqs+0x1/0x2
 </IRQ>
 <TASK>
 __x64_sys_fsync+0x1/0x2
 do_syscall_64+0x1/0x2
 </TASK>`);
    expect(found.title).toBe('cat:99 spinning on CPU 1 in a softirq → thing_timer (at loop_here)');
  });

  it('a task that was pushed off its CPU within a read section', () => {
    const found = verdict(`rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: 	Tasks blocked on level-0 rcu_node (CPUs 0-1): P77/1:b..l
	(detected by 0, t=5252 jiffies, g=33, q=5)
task:reader          state:R  running task     stack:0     pid:77    ppid:1      flags:0x00004000
Call Trace:
 <TASK>
 __schedule+0x1/0x2
 preempt_schedule_irq+0x1/0x2
 thing_walk+0x1/0x2
 thing_read+0x1/0x2
 vfs_read+0x1/0x2
 __x64_sys_read+0x1/0x2
 </TASK>`);
    expect(found).toMatchObject({ frame: 'thing_read', culprit: { comm: 'reader', pid: 77 } });
  });

  it('a softirq on an idle CPU, and nobody where the CPU only idles', () => {
    const stall = `rcu: INFO: rcu_sched detected stalls on CPUs/tasks:
rcu: 	1-....: (5249 ticks this GP) idle=3dc/1/0x4 softirq=9/9 fqs=2624`;
    const idle = ' do_idle+0x1/0x2\n cpu_startup_entry+0x1/0x2\n start_secondary+0x1/0x2';
    const timer = ` <IRQ>\n thing_timer+0x1/0x2\n call_timer_fn+0x1/0x2\n </IRQ>\n <TASK>\n${idle}\n </TASK>`;
    const looping = verdict(`${stall}\n${backtrace(1, 'swapper/1', 0, 'loop_here', timer)}`);
    expect(looping.title).toBe('CPU 1 spinning in a softirq → thing_timer (at loop_here)');
    expect(looping.culprit).toBeNull();
    const idles = verdict(`${stall}\n${backtrace(1, 'swapper/1', 0, 'pv_native_safe_halt', idle)}`);
    expect(idles).toMatchObject({ class: 'spinning', confidence: 'low', culprit: null, frame: null });
    expect(idles.title).toMatch(/^CPU 1 does not come back: an RCU stall/);
  });

  it('also where a task waits for the grace period that it hinders', () => {
    const waiter = task('umount', 9, 'D', ['__schedule+0x1/0x2', '__wait_rcu_gp+0x1/0x2', 'synchronize_rcu+0x1/0x2', 'namespace_unlock+0x1/0x2']); // prettier-ignore
    const found = verdict(soft('thing_write vfs_write __x64_sys_write do_syscall_64'), [
      ...dump('w', 1, waiter),
      ...dump('w', 9, waiter),
    ]);
    expect(found).toMatchObject({ class: 'spinning', frame: 'thing_write', culprit: { pid: 99 } });
    expect(found.reasons.join()).toContain('It is waited for');
  });

  describe('a worker pool', () => {
    const lockup = `BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 33s!
Showing busy workqueues and worker pools:
workqueue events: flags=0x0
  pwq 0: cpus=0 node=0 flags=0x0 nice=0 active=1/256 refcnt=2
    in-flight: 5:other_work
  pwq 2: cpus=1 node=0 flags=0x0 nice=0 active=2/256 refcnt=3
    in-flight: 28:thing_work
    pending: vmstat_shepherd
pool 0: cpus=0 node=0 flags=0x0 nice=0 hung=1s workers=3 idle: 7
pool 2: cpus=1 node=0 flags=0x0 nice=0 hung=33s workers=3 idle: 22`;
    it('by its table alone', () => {
      const found = verdict(lockup);
      expect(found).toMatchObject({ class: 'spinning', frame: 'thing_work', confidence: 'low', culprit: { pid: 28 } });
      expect(found.title).toBe('the workers of CPU 1 do nothing new ≥33 s: kworker:28 runs work thing_work');
    }); // prettier-ignore

    it('with the stack that it prints of the worker', () => {
      const found = verdict(`${lockup}
Showing backtraces of running workers in stalled CPU-bound worker pools:
pool 2:
task:kworker/1:1     state:R  running task     stack:0     pid:28    ppid:2      flags:0x00004000
Workqueue: events thing_work
Call Trace:
 <TASK>
 loop_here+0x1/0x2
 thing_work+0x1/0x2
 process_one_work+0x1/0x2
 worker_thread+0x1/0x2
 </TASK>`);
      expect(found).toMatchObject({ frame: 'thing_work', confidence: 'medium', culprit: { comm: 'kworker/1:1', pid: 28 } });
      expect(found.title).toBe('the workers of CPU 1 do nothing new ≥33 s: kworker/1:1:28 runs work thing_work (at loop_here)');
    }); // prettier-ignore

    it('yields to the CPU that is reported as well', () => {
      expect(verdict(`${soft('thing_write vfs_write __x64_sys_write')}\n${lockup}`)).toMatchObject({
        frame: 'thing_write',
      });
    });
  });
});
