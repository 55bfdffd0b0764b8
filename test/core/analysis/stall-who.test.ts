/** Whom the reports of one log accuse together: which CPU loops, which one waits, what is a victim. */
import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import { readPaste } from '../../../src/core/dump/paste/paste.js';

const context = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };

const live = (text: string) => analyze(parseDumps(text.split('\n')), context).verdict;

const pasted = (text: string, proofOnly = false) =>
  analyze(parseDumps(readPaste(text.split('\n')), { pasted: true }), {
    ...context,
    ...(proofOnly && { proofOnly }),
  }).verdict;

const frames = (names: string): string =>
  names
    .split(' ')
    .map((name) => ` ${name}+0x10/0x20`)
    .join('\n');

const lockup = (at: number, seconds: number, cpu: number, comm: string, stack: string): string => {
  const [rip = '', ...callers] = stack.split(' ');
  const lines = `watchdog: BUG: soft lockup - CPU#${cpu} stuck for ${seconds}s! [${comm}:99]
CPU: ${cpu} PID: 99 Comm: ${comm} Not tainted 6.8.0 #1
RIP: 0010:${rip}+0x10/0x20
Call Trace:
${frames(callers.join(' '))}`;
  return lines.replace(/^/gm, `[${at.toFixed(6)}] `);
};

const hung = (at: number, seconds: number): string =>
  `INFO: task victim:55 blocked for more than ${seconds} seconds.
task:victim          state:D stack:0     pid:55    ppid:1      flags:0x00000002
Call Trace:
${frames('__schedule schedule ficto_wait ficto_open vfs_open do_sys_openat2 do_syscall_64')}`.replace(
    /^/gm,
    `[${at.toFixed(6)}] `,
  );

describe('a task that hangs beside a CPU that does not come back', () => {
  const LOOP = 'ficto_poll ficto_ioctl __x64_sys_ioctl do_syscall_64';

  it('is its victim if the CPU stood before and still stands', () => {
    const text = [lockup(100, 26, 1, 'loops', LOOP), lockup(180, 104, 1, 'loops', LOOP), hung(260, 122)];
    expect(live(text.join('\n'))).toMatchObject({ class: 'spinning', culprit: { comm: 'loops' } });
  });

  it('is not if the CPU came back long before', () => {
    const text = [lockup(100, 26, 1, 'loops', LOOP), hung(900, 122)];
    expect(live(text.join('\n'))).toMatchObject({ class: 'blocked', culprit: { comm: 'victim' } });
  });
});

it('a lockup that waits for the others is told after one that may be what it waits for', () => {
  const waits = 'smp_call_function_many_cond on_each_cpu ficto_flush __x64_sys_munmap do_syscall_64';
  const holds =
    'native_queued_spin_lock_slowpath _raw_spin_lock ficto_take ficto_write vfs_write do_syscall_64';
  const { title } = live([lockup(50, 22, 5, 'asks', waits), lockup(51, 22, 2, 'holds', holds)].join('\n'));
  expect(title).toBe(
    'holds:99 spinning ≥22 s on CPU 2 → ficto_write (at native_queued_spin_lock_slowpath ← ficto_take), beside asks:99 in on_each_cpu',
  );
});

it('stop_machine waits for the CPU that does not stop', () => {
  const { title } = live(
    lockup(
      9,
      26,
      27,
      'migration/27',
      'stop_machine_yield multi_cpu_stop cpu_stopper_thread smpboot_thread_fn kthread ret_from_fork',
    ),
  );
  expect(title).toBe(
    "migration/27:99 waiting ≥26 s on CPU 27 for another CPU's answer → multi_cpu_stop (at stop_machine_yield)",
  );
});

it('a softirq that waits for the lock of what it came into: with the module that called that', () => {
  const text = `watchdog: BUG: soft lockup - CPU#1 stuck for 23s! [queue:957]
CPU: 1 PID: 957 Comm: queue Not tainted 6.8.0 #1
RIP: 0010:native_queued_spin_lock_slowpath+0x10/0x20
Call Trace:
 <IRQ>
${frames('_raw_spin_lock inet_inherit_port tcp_v4_rcv ip_rcv __netif_receive_skb net_rx_action __do_softirq irq_exit')}
 </IRQ>
RIP: 0010:inet_bind_bucket_destroy+0x10/0x20
${frames('inet_twsk_kill')}
 ficto_tproxy_eval+0x10/0x20 [ficto_tproxy]
${frames('nfqnl_recv_verdict __x64_sys_sendmsg do_syscall_64')}`;
  expect(live(text).title).toContain(', on top of inet_bind_bucket_destroy ← ficto_tproxy_eval');
});

describe('the link register of a CPU', () => {
  const text = (link: string): string => `watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [poll:99]
CPU: 1 PID: 99 Comm: poll Not tainted 6.8.0 #1
pc : ficto_state+0x2c/0x138
lr : ${link}+0x20/0x32
Call trace:
${frames('ficto_state ficto_issue ficto_write vfs_write el0_svc')}`;
  it.each([
    ['ficto_start', '(at ficto_state ← ficto_start ← ficto_issue)'],
    ['ficto_state', '(at ficto_state ← ficto_issue)'],
    ['ficto_issue', '(at ficto_state ← ficto_issue)'],
  ])('%s: %s', (link, caught) => expect(live(text(link)).title).toContain(caught));
});

describe('tasks in R, and nothing else', () => {
  const text = `task:writer          state:R  running task     stack:0     pid:510   ppid:2      flags:0x00004000
Call Trace:
 ? __schedule+0x1/0x2
 ? ficto_write_to_cache+0x1/0x2
 ? ficto_make_rq+0x1/0x2`;
  it('are told of a paste, with low confidence', () =>
    expect(pasted(text)).toMatchObject({
      class: 'spinning',
      confidence: 'low',
      title: 'writer:510 runs → ficto_make_rq (at ficto_write_to_cache)',
    }));
  it('are not told to a watch', () => expect(pasted(text, true).class).toBe('unknown'));
  it('are not told where one is blocked', () =>
    expect(pasted(`${text}\n${text.replace('state:R  running task ', 'state:D')}`).class).toBe('blocked'));
});

it('a tab that a logger has written in figures is one', () => {
  const text = `rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: \\x096-...0: (1 GPs behind) idle=d7ec/1/0x4000000000000002 softirq=52862/52863 fqs=5201
rcu: \\x09(detected by 2, t=21002 jiffies, g=76629, q=5124 ncpus=16)`;
  expect(pasted(text).title).toContain('CPU 6 does not come back ≥21 s');
});

it('registers in front of a stack do not make a log one whose newest line comes first', () => {
  const text = `watchdog: CPU 68 Hard LOCKUP
CPU: 68 PID: 45050 Comm: hxe Not tainted 4.18.0 #1
NIP [c0000000006f5578] find_next_bit+0x38/0x90
LR [c000000000cba9ec] cpumask_next+0x2c/0x50
Call Trace:
[c000201c01c43400] [c000201cae26ec18] 0xc000201cae26ec18 (unreliable)
[c000201c01c43420] [c0000000000afc58] ficto_find_target+0x1b8/0x240
[c000201c01c43d20] [c0000000004c9704] do_vfs_ioctl+0xd4/0xa70`;
  expect(pasted(text).title).toBe(
    'hxe:45050 spinning on CPU 68 → ficto_find_target (at find_next_bit ← cpumask_next)',
  );
});

it('a CPU whose line has no word of a taint, but a version', () => {
  const text = lockup(9, 26, 1, 'loops', 'ficto_poll ficto_ioctl __x64_sys_ioctl do_syscall_64');
  expect(live(text.replace('Not tainted 6.8.0 #1', '6.8.0-rc2 #1')).culprit?.comm).toBe('loops');
});

it('a CPU that waits for others is told as one that waits, with who asks', () => {
  const stack = 'smp_call_function_many_cond flush_tlb_mm_range __x64_sys_munmap do_syscall_64';
  const found = live(lockup(9, 26, 1, 'cat', stack));
  expect(found).toMatchObject({ class: 'spinning', frame: 'smp_call_function', culprit: { pid: 99 } });
  expect(found.title).toBe(
    "cat:99 waiting ≥26 s on CPU 1 for another CPU's answer → smp_call_function (at flush_tlb_mm_range)",
  );
});

describe('a lockup without a stack', () => {
  const headline = (cpu: number, who: string): string =>
    `watchdog: BUG: soft lockup - CPU#${cpu} stuck for 98s! [${who}]\nModules linked in: ficto`;

  it('of an idle task is the host’s', () =>
    expect(live(headline(2, 'swapper/2:0'))).toMatchObject({
      class: 'starved',
      title: 'CPU 2 idles and did not come back ≥98 s: suspect the host, which did not run it, or its timer',
    }));

  it('is told with what oopsed before', () => {
    const oops = `BUG: kernel NULL pointer dereference, address: 0000000000000094
Oops: 0000 [#1] SMP PTI
CPU: 15 PID: 6073 Comm: ficto Not tainted 6.8.0 #1
RIP: 0010:ficto_group+0x10/0x20
Call Trace:
${frames('ficto_insert ficto_submit __x64_sys_write do_syscall_64')}
---[ end trace 0000000000000000 ]---`;
    expect(live(`${oops}\n${headline(4, 'umount:859')}`).title).toBe(
      'CPU 4 does not come back ≥98 s: a soft lockup, umount:859 ran, and no stack shows what runs there, after an oops of ficto:6073 in ficto_group ← ficto_insert',
    );
  });

  it('says more than a hung task without one', () => {
    const text = `${headline(4, 'ksmd:79')}
INFO: task worker:19907 blocked for more than 120 seconds.
      Tainted: G             L    6.8.0 #1
"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.`;
    expect(live(text).title).toContain('CPU 4 does not come back ≥98 s');
  });
});

it('the checker of spinlocks stops an idle CPU as well', () => {
  const text = `BUG: spinlock recursion on CPU#0, swapper/0
 lock: ficto_lock, .magic: dead4ead, .owner: swapper/0, .owner_cpu: 0
CPU: 0 PID: 0 Comm: swapper/0 Not tainted 6.8.0 #1
Call Trace:
${frames('dump_stack_lvl spin_dump do_raw_spin_lock _raw_spin_lock_irqsave ficto_write_room ficto_receive_chars')}`;
  expect(live(text).title).toContain('ficto_receive_chars (at _raw_spin_lock_irqsave ← ficto_write_room)');
});

it('a CPU that panics because it found a stall is not taken for one of an earlier report', () => {
  const stall = (cpu: number, by: number): string => `rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: \t${cpu}-...!: (0 ticks this GP) idle=17c/0/0x0 softirq=1303/1303 fqs=1
\t(detected by ${by}, t=21021 jiffies, g=7${cpu}, q=585)
rcu: rcu_preempt kthread starved for 20974 jiffies! g7${cpu} f0x0 RCU_GP_WAIT_FQS(5) ->state=0x402 ->cpu=${cpu}`;
  const panic = `Kernel panic - not syncing: RCU Stall
CPU: 3 PID: 2892 Comm: bash Not tainted 6.8.0 #1
Call Trace:
${frames('dump_stack panic rcu_sched_clock_irq ficto_fcntl __x64_sys_fcntl do_syscall_64')}`;
  const { title } = live([stall(3, 1), stall(5, 3), panic].join('\n'));
  expect(title).toContain('rcu_preempt, the thread that ends grace periods, is not woken by its timer');
});

it('what only one of several reports caught is not the loop', () => {
  const text = [
    lockup(
      100,
      26,
      1,
      'loops',
      'ficto_a ficto_b ficto_step ficto_all ficto_ioctl __x64_sys_ioctl do_syscall_64',
    ),
    lockup(
      128,
      52,
      1,
      'loops',
      'ficto_c ficto_d ficto_step ficto_all ficto_ioctl __x64_sys_ioctl do_syscall_64',
    ),
  ];
  expect(live(text.join('\n')).title).toContain('ficto_ioctl (at ficto_c ← ficto_step ← ficto_all)');
});
