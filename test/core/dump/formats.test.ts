import { describe, expect, it } from 'vitest';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import type { Task } from '../../../src/core/model.js';

function only(lines: string): Task {
  const tasks = parseDumps(lines.split('\n')).flatMap((dump) => dump.tasks);
  expect(tasks).toHaveLength(1);
  return tasks[0]!;
}

const brief = ({ comm, pid, ppid, state, frames }: Task) => ({
  comm,
  pid,
  ppid,
  state,
  frames: frames.map(({ symbol }) => symbol),
});

describe('task headers', () => {
  it.each([
    [
      '5.10',
      `sysrq: Show Blocked State
task:chroot          state:D stack:    0 pid:  441 ppid:     1 flags:0x00000002
Call Trace:
 __schedule+0x282/0x870
 ? foo+0x5/0x10
 schedule+0x46/0xb0`,
    ],
    [
      '6.12',
      `sysrq: Show Blocked State
task:chroot          state:D stack:0     pid:441   tgid:441   ppid:1      flags:0x00000002
Call Trace:
 <TASK>
 __schedule+0x282/0x870
 ? foo+0x10/0x10
 schedule+0x46/0xb0
 </TASK>`,
    ],
    [
      '6.15',
      `[   12.000001][   T12] sysrq: Show Blocked State
[   12.000002][   T12] task:chroot          state:D stack:0     pid:441   tgid:441   ppid:1      task_flags:0x400100 flags:0x00000002
[   12.000003][   T12] Call Trace:
[   12.000004][   T12]  <TASK>
[   12.000005][   T12]  __schedule+0x282/0x870
[   12.000005][   T12]  ? foo+0x1/0x2 [fuse]
[   12.000006][   T12]  schedule+0x46/0xb0
[   12.000007][   T12]  </TASK>`,
    ],
    [
      '2.6 on x86-64, through syslog',
      `Feb 28 07:45:55 host kernel: [71706.375798] SysRq : Show Blocked State
Feb 28 07:45:55 host kernel: [71706.378116]   task                        PC stack   pid father
Feb 28 07:45:55 host kernel: [71706.380437] chroot        D 0000000000000003     0   441      1 0x00000000
Feb 28 07:45:55 host kernel: [71706.382762]  ffff880311231a60 0000000000000046 0000000000000003 ffff880312325d00
Feb 28 07:45:55 host kernel: [71706.389749] Call Trace:
Feb 28 07:45:55 host kernel: [71706.392043]  [<ffffffff81066807>] __schedule+0x6c/0x77
Feb 28 07:45:55 host kernel: [71706.392043]  [<ffffffff81066807>] ? foo+0x6c/0x77 [zfs]
Feb 28 07:45:55 host kernel: [71706.394361]  [<ffffffffa0284821>] schedule+0x7c/0xc6`,
    ],
    [
      '4.18, state and stack in one',
      `SysRq : Show Blocked State
chroot          D21264   441      1 0x80000002
Call Trace:
 __schedule+0x8eb/0x2060
 ? foo+0x35/0x1d0
 schedule+0xf5/0x430`,
    ],
    [
      'arm32, 5.10',
      `sysrq: Show Blocked State
task:chroot          state:D stack:    0 pid:  441 ppid:     1 flags:0x00000001
Backtrace:
[<80c1e5e8>] (__schedule) from [<80c1eb20>] (foo+0x60/0xdc [fuse])
[<80c1eb20>] (foo [fuse]) from [<80c1ec14>] (schedule+0x48/0x6c)`,
    ],
    [
      'arm32, 6.x',
      `sysrq: Show Blocked State
task:chroot          state:D stack:0     pid:441   ppid:1      flags:0x00000001
Call trace:
 __schedule from foo+0x60/0xdc
 foo from schedule+0x48/0x6c`,
    ],
    [
      'blanks squeezed by a logger',
      `2026-01-16T17:24:58.365Z sysrq: Show Blocked State
2026-01-16T17:24:58.384Z task:chroot state:D stack:0 pid:441 tgid:441 ppid:1 flags:0x00004002
2026-01-16T17:24:58.387Z Call Trace:
2026-01-16T17:24:58.394Z __schedule+0x266/0x720
2026-01-16T17:24:58.394Z ? foo+0x266/0x720
2026-01-16T17:24:58.397Z schedule+0x27/0xa0`,
    ],
    [
      'blanks lost between the columns by a mailer',
      `sysrq: Show Blocked State
task:chrootstate:D stack:0 pid:441ppid:1  flags:0x00004000
Call Trace:
 __schedule+0x266/0x720
 ? foo+0x266/0x720
 schedule+0x27/0xa0`,
    ],
    [
      'glued behind a status line without printk times',
      `sysrq: Show Blocked State
[  OK  ] Started foo. task:chroot          state:D stack:0     pid:441   ppid:1      flags:0x00004002
Call Trace:
 <TASK>
[  OK  ] Started bar.  __schedule+0x266/0x720
 ? foo+0x266/0x720
 schedule+0x27/0xa0
 </TASK>`,
    ],
    [
      'torn inside the comm, another writer in between',
      `sysrq: Show Blocked State
[   92.100000] task:chr[ ***  ] (1 of 2) A start job is running for dev-vda (1s / no limit)
oot          state:D stack:0     pid:441   ppid:1      flags:0x00004002
[   92.100000] Call Trace:
[   92.100000]  __schedule+0x266/0x720
[   92.100000]  ? foo+0x266/0x720
[   92.100000]  schedule+0x27/0xa0`,
    ],
    [
      'torn behind the comm, a whole row in between',
      `sysrq: Show Blocked State
[   92.100000] task:chroot          sta[  OK  ] Mounted /mnt.
hello from a program
te:D stack:0     pid:441   ppid:1      flags:0x00004002
[   92.100000] Call Trace:
[   92.100000]  __schedule+0x266/0x720
[   92.100000]  ? foo+0x266/0x720
[   92.100000]  schedule+0x27/0xa0`,
    ],
    [
      'torn before the pid',
      `sysrq: Show Blocked State
task:chroot          state:D stack:0     pi[  OK  ] Mounted /mnt.
d:441   ppid:1      flags:0x00004002
Call Trace:
 __schedule+0x266/0x720
 ? foo+0x266/0x720
 schedule+0x27/0xa0`,
    ],
  ])('%s', (_version, lines) => {
    expect(brief(only(lines))).toEqual({
      comm: 'chroot',
      pid: 441,
      ppid: 1,
      state: 'D',
      frames: ['__schedule', 'foo', 'schedule'],
    });
  });

  it('cuts the text of another writer off in front of a printk time, not of prose', () => {
    const header = 'task:a               state:D stack:0     pid:5     ppid:2      flags:0x0';
    const lines = ['login: [   12.345678] sysrq: Show State', `/ # [   12.345679][   T12] ${header}`];
    expect(parseDumps(lines)).toMatchObject([
      { key: 't', bootSeconds: 12.345678, tasks: [{ comm: 'a', pid: 5 }] },
    ]);
    expect(parseDumps(['took [1.5] s: sysrq: Show State', 'took [1.234567]s sysrq: Show State'])).toEqual([]);
  });

  it('keeps offset, size, module and doubt of a frame', () => {
    const { frames } = only(
      'sysrq: Show State\ntask:a               state:S stack:0 pid:5 ppid:2 flags:0x0\nCall Trace:\n ? fuse_open+0x1b/0x2f0 [fuse 0123abcd]',
    );
    expect(frames).toEqual([
      { symbol: 'fuse_open', offset: 0x1b, size: 0x2f0, module: 'fuse', reliable: false },
    ]);
  });

  it.each([
    'kworker/u97:11',
    'a b c',
    '(sd-pam)',
    'x state:S pid:9',
    'Web Content',
    'in:imklog',
    '[kthreadd]',
  ])('comm %s', (comm) => {
    const line = `task:${comm.padEnd(15)} state:R  running task     stack:0     pid:77    tgid:77    ppid:2      flags:0x00004008`;
    expect(only(`sysrq: Show State\n${line}`)).toMatchObject({ comm, pid: 77, ppid: 2, state: 'R' });
  });

  it('reads the workqueue, and none for an idle worker', () => {
    const worker = (row: string) =>
      only(
        `sysrq: Show State\ntask:kworker/0:2     state:I stack:0     pid:93    ppid:2      flags:0x00004000\n${row}`,
      ).workqueue;
    expect(worker('Workqueue: writeback wb_workfn (flush-8:1-fuseblk)')).toEqual({
      name: 'writeback',
      func: 'wb_workfn',
      about: 'flush-8:1-fuseblk',
    });
    expect(worker('Workqueue: events do_it [mod]')).toEqual({ name: 'events', func: 'do_it' });
    expect(worker('Workqueue:  0x0 (events)')).toBeNull();
  });

  it('keeps a stack whose header is missing as a task without a name', () => {
    const lines =
      'SysRq : Show Blocked State\nf7ad1e40 00203082 f7853b90 e54af7f0\nCall Trace:\n[<c05ab1c5>] schedule_timeout+0x13/0x86\n[<c0409473>] cciss_ioctl+0x6fb/0xd1e';
    expect(brief(only(lines))).toEqual({
      comm: '',
      pid: null,
      ppid: null,
      state: '?',
      frames: ['schedule_timeout', 'cciss_ioctl'],
    });
  });

  it('counts a header that cannot be put together again', () => {
    const [dump] = parseDumps([
      'sysrq: Show State',
      'task:chroot          st',
      'Call Trace:',
      ' schedule+0x1/0x2',
      'sysrq: HELP : x',
    ]);
    expect(dump?.tasks).toMatchObject([
      { comm: 'chroot', pid: null, state: '?', frames: [{ symbol: 'schedule' }] },
    ]);
    expect(dump?.incompleteBecause).toEqual(['1 task header torn beyond repair']);
  });
});
