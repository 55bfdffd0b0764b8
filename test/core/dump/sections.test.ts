import { describe, expect, it } from 'vitest';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import type { Dump } from '../../../src/core/model.js';
import { dump, fence, stacks, task } from '../../support/stacks.js';

const keys = (lines: readonly string[]) => parseDumps(lines).map(({ key }) => key);
const why = (lines: readonly string[], loglevelRaised = false) =>
  parseDumps(lines, { loglevelRaised }).map(({ incompleteBecause }) => incompleteBecause);

const w = 'sysrq: Show Blocked State';
const t = 'sysrq: Show State';
const one = task('cat', 9, 'D', stacks.pageIn);
/** A row of `runnable tasks:` as 6.1 prints it. */
const schedRow = (state: string, comm: string, pid: number) =>
  `${state.padStart(2)} ${comm.padStart(15)} ${String(pid).padStart(5)}       788.299785       286   120         0.000000         0.000000         0.000000         0.000000 0 0 /`;

describe('what a dump needs to be complete', () => {
  it.each<[string, string[], string[]]>([
    ['header, body and fence', [w, ...one, fence], []],
    ['no fence', [w, ...one], ['no fence (sysrq HELP) behind it: its end may be missing']],
    [
      'lost messages',
      [w, ...one, '** 31 printk messages dropped **', fence],
      ['31 printk messages dropped inside it'],
    ],
    [
      'a stack without its end',
      [w, ...one.slice(0, -1), ...one, fence],
      ['1 stack cut off: <TASK> without </TASK>'],
    ],
    [
      'the last stack without its end',
      [w, ...one.slice(0, -1), fence],
      ['1 stack cut off: <TASK> without </TASK>'],
    ],
    ['a blocked task without a stack', [w, one[0]!, fence], ['1 blocked task without a stack']],
    ['an empty w', [w, fence], ['no task lines: nothing is blocked, or the console loglevel hides them']],
    [
      'an empty w under a known level',
      ['sysrq: Loglevel set to 4', w, fence],
      ['the bodies are hidden: the console loglevel is 4, below 7'],
    ],
    ['an empty w under a raised level', ['sysrq: Loglevel set to 8', w, fence], []],
    ['an empty t', [t, fence], ['the bodies are hidden: the console loglevel is below 7']],
    [
      'a task that only the scheduler knows',
      [t, ...one, 'Sched Debug Version: v0.11', schedRow('S', 'init', 1), schedRow('D', 'cat', 9), fence],
      ["1 task of the scheduler's table missing from it"],
    ],
    [
      'three of them, one torn beyond repair',
      [
        ...[t, 'task:ifup            sta tus line', ...one, 'Sched Debug Version: v0.11'],
        ...[1, 2, 3, 9].map((pid) => schedRow('>R', 'a b 7 9', pid)),
        fence,
      ],
      ['1 task header torn beyond repair', "2 tasks of the scheduler's table missing from it"],
    ],
    [
      'zombies, and tasks born since, in the scheduler table',
      [t, ...one, 'Sched Debug Version: v0.11', schedRow('Z', 'sh', 8), schedRow('R', 'sh', 10), fence],
      [],
    ],
    ['bare headers', one, ['no sysrq header: where the dump begins and ends is unknown']],
    ['l without a CPU', ['sysrq: Show backtrace of all active CPUs', fence], ['no CPU backtrace in it']],
  ])('%s', (_case, lines, reasons) => {
    expect(why(lines)).toEqual([reasons]);
    const [{ complete, incompleteCodes = [] }] = parseDumps(lines) as [Dump];
    expect(complete).toBe(reasons.length === 0);
    expect(incompleteCodes).toHaveLength(reasons.length);
  });

  it('believes the caller that the level was raised', () => {
    expect(why([w, fence], true)).toEqual([[]]);
    expect(why([t, fence], true)).toEqual([['the bodies are hidden: the console loglevel is below 7']]);
  });

  it('knows from a t dump whether the w before it was hidden', () => {
    expect(why([w, fence, t, ...one, fence])).toEqual([[], []]);
    expect(why([w, fence, t, fence])[0]).toEqual(['the bodies are hidden: the console loglevel is below 7']);
  });

  it('does not carry a loglevel over a reboot', () => {
    const [, after] = why(['sysrq: Loglevel set to 8', w, fence, 'Linux version 6.1.0-1-amd64', w, fence]);
    expect(after).toEqual(['no task lines: nothing is blocked, or the console loglevel hides them']);
  });

  it('takes a kernel complaint between body and fence for no loss, but not one that it goes on behind', () => {
    const trace = ['Call Trace:', ' <TASK>', ' __irq_exit_rcu+0xac/0xe0', ' </TASK>'];
    const stall = [
      'rcu: INFO: rcu_preempt self-detected stall on CPU',
      'CPU: 1 PID: 378 Comm: dropbear',
      ...trace,
    ];
    const starved = [
      'rcu: RCU grace-period kthread stack dump:',
      ...task('rcu_preempt', 14, 'I', stacks.shell),
    ];
    const hung = ['INFO: task cat:9 blocked for more than 120 seconds.', ...one];
    for (const complaint of [stall, [...stall, ...starved], hung]) {
      expect(why([t, ...one, ...complaint, fence])[0]).toEqual([]);
      const goesOn = [t, ...one, ...complaint, ...task('more', 10, 'S', stacks.shell), fence];
      expect(String(why(goesOn)[0])).toMatch(/^no fence .sysrq HELP. behind it/);
    }
  });
});

describe('sections', () => {
  it('splits a log at each header', () => {
    const lines = [
      ...dump('w', 1, one),
      ...dump('t', 2, one),
      'sysrq: Show backtrace of all active CPUs',
      'NMI backtrace for cpu 0 skipped: idling at native_safe_halt+0xb/0x10',
      fence,
    ];
    expect(keys(lines)).toEqual(['w', 't', 'l']);
    expect(parseDumps(lines)[2]).toMatchObject({ complete: true, cpus: [{ cpu: 0, idle: true }] });
  });

  it('ignores prose about sysrq, and stacks outside any dump', () => {
    const oops = ['WARNING: CPU: 0 PID: 1 at foo+0x1/0x2', 'Call Trace:', ' schedule+0x1/0x2'];
    expect(keys(['echo sysrq: Show State', ...oops])).toEqual([]);
  });

  it('does not take a warning inside a dump for a task', () => {
    const warning = [
      '------------[ cut here ]------------',
      'WARNING: CPU: 0 PID: 7 at mm/a.c:1 foo+0x1/0x2',
      'CPU: 0 PID: 7 Comm: x Not tainted 6.1',
      'Call Trace:',
      ' foo+0x1/0x2',
      '---[ end trace 0 ]---',
    ];
    const [found] = parseDumps([w, ...one, ...warning, fence]);
    expect(found!.tasks.filter(({ pid }) => pid !== null)).toHaveLength(1);
    expect(found!.tasks[0]!.frames).toHaveLength(stacks.pageIn.length);
  });

  it('skips the scheduler tables behind the tasks and reads what follows them', () => {
    const [found] = parseDumps([
      t,
      ...one,
      'Sched Debug Version: v0.11, 6.1.0-56-amd64 #1',
      'runnable tasks:',
      ' D             cat     9       788.299785       286   120         0.000',
      'kswapd0       D 0000000000000003     0    44      2 0x00000000',
      'Showing all locks held in the system:',
      '2 locks held by kworker/1:2/2221:',
      ' #0: ffff0000c028d138 ((wq_completion)gfs_recovery){+.+.}-{0:0}, at: process_one_work+0x270/0x504',
      ' #1: ffff800015de3d80 (&mm->mmap_lock){++++}-{4:4}, at: foo+0x29c/0x504',
      '=============================================',
      'Showing busy workqueues and worker pools:',
      'workqueue events: flags=0x0',
      '  pwq 2: cpus=1 node=0 flags=0x0 nice=0 active=1/256 refcnt=2',
      '    in-flight: 9:do_it',
      'pool 2: cpus=1 node=0 flags=0x0 nice=0 hung=0s workers=3 idle: 5 6',
      fence,
    ]);
    expect(found).toMatchObject({
      complete: true,
      tasks: [{ comm: 'cat' }],
      locks: [
        { pid: 2221, comm: 'kworker/1:2', address: 'ffff0000c028d138', name: '(wq_completion)gfs_recovery' },
        { pid: 2221, comm: 'kworker/1:2', address: 'ffff800015de3d80', name: '&mm->mmap_lock' },
      ],
      workqueues: [
        {
          name: 'events',
          lines: [
            'flags=0x0',
            'pwq 2: cpus=1 node=0 flags=0x0 nice=0 active=1/256 refcnt=2',
            'in-flight: 9:do_it',
          ],
        },
        { name: 'pool 2', lines: ['cpus=1 node=0 flags=0x0 nice=0 hung=0s workers=3 idle: 5 6'] },
      ],
    });
    expect(found!.tasks).toHaveLength(1);
  });
});

describe('what the kernel reports by itself', () => {
  it('joins one round of hung_task reports and splits the next', () => {
    const round = (seconds: number) =>
      [9, 10].flatMap((pid) => [
        `INFO: task cat:${pid} blocked for more than ${seconds} seconds.`,
        '      Not tainted 6.1',
        ...task('cat', pid, 'D', stacks.pageIn),
      ]);
    const found = parseDumps([...round(120), ...round(241)]);
    expect(
      found.map(({ complete, tasks }) => [complete, ...tasks.map((one) => one.blockedForSeconds)]),
    ).toEqual([
      [true, 120, 120],
      [true, 241, 241],
    ]);
  });

  it('reads who holds what, with colons in the names', () => {
    const [found] = parseDumps([
      'INFO: task kworker/240:1:1908 blocked in I/O wait for more than 64 seconds.',
      ...task('kworker/240:1', 1908, 'D', stacks.mutex),
      'INFO: task kworker/240:1:1908 is blocked on a mutex likely owned by task a:b:77.',
      ...task('a:b', 77, 'D', stacks.firmware),
      'INFO: task cat:5 <writer> blocked on an rw-semaphore likely owned by task dog:6 <reader>',
      'INFO: task cat:5 blocked on a semaphore likely last held by task dog:6',
      'INFO: task cat:5 blocked on a mutex, but the owner is not found.',
    ]);
    expect(found!.blockers).toEqual([
      { waiter: { comm: 'kworker/240:1', pid: 1908 }, owner: { comm: 'a:b', pid: 77 }, lock: 'mutex' },
      { waiter: { comm: 'cat', pid: 5 }, owner: { comm: 'dog', pid: 6 }, lock: 'rw-semaphore' },
      { waiter: { comm: 'cat', pid: 5 }, owner: { comm: 'dog', pid: 6 }, lock: 'semaphore' },
    ]);
    expect(found!.tasks.map(({ pid, blockedForSeconds }) => [pid, blockedForSeconds])).toEqual([
      [1908, 64],
      [77, null],
    ]);
  });

  it('keeps a task that hung_task names even where its header is lost', () => {
    const [found] = parseDumps([
      'INFO: task cat:9 blocked for more than 120 seconds.',
      'Call Trace:',
      ' schedule+0x1/0x2',
      ' foo+0x1/0x2',
    ]);
    expect(found!.tasks).toMatchObject([
      {
        comm: 'cat',
        pid: 9,
        state: 'D',
        blockedForSeconds: 120,
        frames: [{ symbol: 'schedule' }, { symbol: 'foo' }],
      },
    ]);
  });

  it.each([
    ['rcu: INFO: rcu_sched detected stalls on CPUs/tasks:', 'rcu_stall'],
    ['rcu: INFO: rcu_preempt self-detected stall on CPU', 'rcu_stall'],
    ['watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [spin:99]', 'lockup'],
    ['NMI watchdog: Watchdog detected hard LOCKUP on cpu 1', 'lockup'],
    ['watchdog: Watchdog detected hard LOCKUP on cpu 1', 'lockup'],
    ['BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 33s!', 'lockup'],
    ['BUG: unable to handle page fault for address: ffffc90000000000', 'oops'],
    ['Oops: 0000 [#1] PREEMPT SMP', 'oops'],
    ['general protection fault, probably for non-canonical address', 'oops'],
    ['kernel BUG at fs/ext4/inode.c:2721!', 'oops'],
    ['Kernel panic - not syncing: Fatal exception', 'panic'],
  ])('%s', (line, key) => {
    const lines = [
      line,
      'CPU: 1 UID: 0 PID: 99 Comm: my spin Not tainted 6.12.0 #1',
      'RIP: 0010:spin_here+0x5/0x10 [spin]',
      'Call Trace:',
      ' <TASK>',
      ' caller+0x1/0x2',
      ' </TASK>',
    ];
    expect(parseDumps(lines.map((text) => `[   33.000000][    C1] ${text}`))).toMatchObject([
      {
        key,
        complete: true,
        headline: line,
        bootSeconds: 33,
        cpus: [
          {
            cpu: 1,
            comm: 'my spin',
            pid: 99,
            idle: false,
            frames: [{ symbol: 'spin_here', module: 'spin' }, { symbol: 'caller' }],
          },
        ],
      },
    ]);
  });

  it('leaves the interrupt that printed a backtrace out of it', () => {
    const [found] = parseDumps([
      'sysrq: Show backtrace of all active CPUs',
      'NMI backtrace for cpu 1',
      'CPU: 1 PID: 7 Comm: x Not tainted 6.1',
      'Call Trace:',
      ' <IRQ>',
      ' dump_stack_lvl+0x1/0x2',
      ' sysrq_filter+0x1/0x2',
      ' </IRQ>',
      ' <TASK>',
      'RIP: 0010:busy+0x1/0x2',
      ' outer+0x1/0x2',
      ' </TASK>',
      fence,
    ]);
    expect(found!.cpus[0]!.frames.map(({ symbol }) => symbol)).toEqual(['busy', 'outer']);
  });
});
