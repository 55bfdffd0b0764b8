/** One row a format: how the architectures and versions of the kernel print the same blocked task. */
import { describe, expect, it } from 'vitest';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';

const all = (text: string) => parseDumps(text.split('\n'));

function onlyTask(text: string) {
  const tasks = all(text).flatMap((dump) => dump.tasks);
  expect(tasks).toHaveLength(1);
  return tasks[0]!;
}

const MODERN =
  'sysrq: Show Blocked State\ntask:chroot          state:D stack:0     pid:441   ppid:1      flags:0x00000008';
const COLUMNS = 'SysRq : Show Blocked State\n  task                        PC stack   pid father';

describe('stacks: schedule, then foo of a module, then the entry', () => {
  it.each<[string, string]>([
    ['x86-64, 6.x', `${MODERN}
Call Trace:
 <TASK>
 schedule+0x46/0xb0
 ? bar+0x1/0x2
 foo+0x60/0xdc [fuse]
 entry_SYSCALL_64_after_hwframe+0x6e/0x76
RIP: 0033:0x7f1d2c9a1f3a
RSP: 002b:00007ffd2b5f0a28 EFLAGS: 00000246 ORIG_RAX: 0000000000000101
RAX: ffffffffffffffda RBX: 0000000000000000 RCX: 00007f1d2c9a1f3a
 </TASK>`],
    ['x86-64, 2.6.32, an interrupt mark in the line', `${COLUMNS}
chroot        D 0000000000000003     0   441      1 0x00000000
 ffff880311231a60 0000000000000046 0000000000000003 ffff880312325d00
Call Trace:
 [<ffffffff81066807>] schedule+0x6c/0x77
 [<ffffffff81066807>] ? bar+0x1/0x2
 [<ffffffffa0284821>] foo+0x7c/0xc6 [fuse]
 [<ffffffff8100b0f2>] system_call_fastpath+0x16/0x1b`],
    ['x86-64, 2.6.18, with child and siblings', `SysRq : Show Blocked State
                                                       sibling
  task                 PC          pid father child younger older
chroot        D ffff810001015120     0   441      1   442     440 (NOTLB)
 ffff81012d7dfd08 0000000000000082 ffff81012fc04c40 ffffffff8002cc6e
Call Trace:
 [<ffffffff80063171>] schedule+0xd1/0x10f
 [<ffffffff8002cc6e>] foo+0x1/0x2 [fuse]
 [<ffffffff8005d28d>] tracesys+0xd5/0xe0`],
    ['x86-64, 2.6.9, several frames a line', `SysRq : Show Blocked State
chroot        D 000001007ffd0030     0   441      1           442     440 (NOTLB)
Call Trace:<ffffffff8030a3b1>{schedule+1234} <ffffffffa0028f27>{:fuse:foo+12}
       <ffffffff80110c81>{tracesys+209}`],
    ['i386, 2.6', `${COLUMNS}
chroot        D 00000001     0   441      1 0x00000000
 ecfc8880 00000046 00000000 00000001 00000000 c141d100 c141d100 e3a92250
Call Trace:
 [<c126d3a1>] schedule+0x29/0x39
 [<c1044456>] ? bar+0x12/0x46
 [<f18f5502>] foo+0xa0/0x114 [fuse]
 [<c1002f9b>] sysenter_do_call+0x12/0x28
 =======================`],
    ['i386, 2.6.22, no flags', `${COLUMNS}
chroot        D C1002F9B     0   441      1
       ecfc8880 00000046 00000000 00000001
Call Trace:
 [<c126d3a1>] schedule+0x29/0x39
 [<f18f5502>] foo+0xa0/0x114 [fuse]
 [<c1002f9b>] sysenter_do_call+0x12/0x28`],
    ['x86-64, 4.14, state and free stack in one', `sysrq: SysRq : Show Blocked State
chroot          D27584   441      1 0x00000004
Call Trace:
 schedule+0x84/0x1c0
 foo+0x1/0x2 [fuse]
 entry_SYSCALL_64_fastpath+0x23/0xc2`],
    ['a header in columns that the kernel printed in two pieces', `${COLUMNS}
[    9.000001] chroot          D
[    9.000002] usb 1-1: new high-speed USB device number 2 using xhci_hcd
[    9.000003]     0   441      1 0x00000004
[    9.000004] Call Trace:
[    9.000005]  schedule+0x84/0x1c0
[    9.000006]  foo+0x1/0x2 [fuse]
[    9.000007]  ret_from_fork+0x35/0x40`],
    ['a header in columns between the lines of a service manager', `${COLUMNS}
[  OK  ] Started Foo. chroot          D27584   441      1 0x00000004[  OK  ] Started Bar.
Call Trace:
 schedule+0x84/0x1c0[  OK  ] Started Baz.
 foo+0x1/0x2 [fuse]
 ret_from_fork+0x35/0x40`],
    ['arm32, 3.x, both with offsets', `${COLUMNS}
chroot          D c034a1ac     0   441      1 0x00000000
[<c034a1ac>] (schedule+0x0/0xf0) from [<bf0b6ad8>] (foo+0x18/0x8c [fuse])
[<bf0b6ad8>] (foo+0x0/0x8c [fuse]) from [<c000e680>] (ret_fast_syscall+0x0/0x30)`],
    ['arm32, 4.x', `SysRq : Show Blocked State
chroot          D    0   441      1 0x00000000
[<807762c0>] (schedule) from [<7f4ba618>] (foo+0x80/0xe4 [fuse])
[<7f4ba618>] (foo [fuse]) from [<80107ee0>] (ret_fast_syscall+0x0/0x48)
Exception stack(0xb9b13fa8 to 0xb9b13ff0)
3fa0:                   00000000 00000000 00000003 00000000 00000000 00000000`],
    ['arm32, 6.x', `${MODERN}
Call trace: 
 schedule from foo+0x60/0xdc [fuse]
 foo [fuse] from ret_fast_syscall+0x0/0x54`],
    ['arm64, 4.x', `SysRq : Show Blocked State
chroot          D    0   441      1 0x00000008
Call trace:
[<ffff000008085b2c>] schedule+0xa4/0xc0
[<ffff0000010b1234>] foo+0x80/0xe4 [fuse]
[<ffff000008083b80>] el0_svc_naked+0x34/0x38`],
    ['arm64, 6.13, with the source of the address', `${MODERN}
Call trace:
 schedule+0x34/0xc0 (T)
 foo+0x80/0xe4 [fuse 0123456789abcdef] (F)
 el0t_64_sync+0x198/0x19c`],
    ['riscv64', `${MODERN}
Call Trace:
[<ffffffff80a1b2c4>] schedule+0x4a/0xb8
[<ffffffff01a1b2c4>] foo+0x80/0xe4 [fuse]
[<ffffffff80a22f1e>] ret_from_exception+0x0/0x1c`],
    ['mips, 3.x', `${COLUMNS}
chroot          D 00000000     0   441      1 0x00100000
Stack : 00000003 00000001 00000000 8003ca80 00000000 00000000 00000000 00000000
        8c031e44 8c031e40 10000000 00000000 80484244 00000000 00000000 00000000
        ...
Call Trace:
[<8066c218>] schedule+0x2b8/0x7fc
[<c00735f0>] foo+0x6c/0x90 [fuse]
[<8001e9ac>] handle_sys+0x10/0x18
`],
    ['ppc64le', `${MODERN}
Call Trace:
[c00000000a7b3a10] [c00000000a7b3a50] 0xc00000000a7b3a50 (unreliable)
[c00000000a7b3bf0] [c000000000e8d2a4] schedule+0x84/0x160
[c00000000a7b3c20] [c008000000a1b2c4] foo+0x80/0xe4 [fuse]
[c00000000a7b3e10] [c00000000000d05c] system_call_vectored_common+0x15c/0x2ec
--- interrupt: 3000 at 0x7fffa1b2c3d4
NIP:  00007fffa1b2c3d4 LR: 00007fffa1b2c3d4 CTR: 0000000000000000
MSR:  900000000280f033 <SF,HV,VEC,VSX,EE,PR,FP,ME,IR,DR,RI,LE>  CR: 48002880  XER: 00000000`],
    ['ppc32', `${COLUMNS}
chroot        D 0ff0b6c4     0   441      1 0x00000000
Call Trace:
[c3c31d20] [c0013d20] schedule+0x1c/0x90
[c3c31d40] [f1a13d20] foo+0x80/0xe4 [fuse]
[c3c31f40] [c000d5a4] ret_from_syscall+0x0/0x38`],
    ['s390x', `${MODERN}
Call Trace:
 [<0000000180b4e2a2>] schedule+0x62/0x108
 [<000003ff8004e2a2>] foo+0x80/0xe4 [fuse]
([<0000000180b5d3a8>] system_call+0x82/0xb0)
Last Breaking-Event-Address:
 [<0000000180b4e1f0>] nowhere+0x10/0x20`],
    ['loongarch64', `${MODERN}
Call Trace:
[<9000000000d4c2e0>] schedule+0x40/0xd8
[<ffff800002004e2a>] foo+0x80/0xe4 [fuse]
[<9000000000221234>] handle_syscall+0xc4/0x160`],
    ['sparc64', `${COLUMNS}
chroot          D 000000000048f5c0     0   441      1 0x208000103000400
Call Trace:
 [00000000009b1a24] schedule+0x24/0xa0
 [000000001048f5c0] foo+0x80/0xe4 [fuse]
 [0000000000406174] linux_sparc_syscall+0x34/0x44`],
    ['hidden addresses', `${MODERN}
Call Trace:
[<(ptrval)>] schedule+0x46/0xb0
[<(____ptrval____)>] foo+0x60/0xdc [fuse]
[<(ptrval)>] ret_from_fork+0x46/0xb0`],
    ['decode_stacktrace.sh', `${MODERN}
Call Trace:
 <TASK>
 schedule (kernel/sched/core.c:6788 (discriminator 1) ./arch/x86/include/asm/current.h:15)
 ? bar (./include/linux/foo.h:12)
 foo (fs/fuse/dev.c:381 fs/fuse/dev.c:400) fuse
 entry_SYSCALL_64_after_hwframe (??:?)
 </TASK>`],
    ['syzkaller', `${MODERN}
Call Trace:
 <TASK>
 context_switch kernel/sched/core.c:5376 [inline]
 schedule+0xf5/0x430 kernel/sched/core.c:3434
 foo+0x103/0x150 [fuse] crypto/foo.c:858
 entry_SYSCALL_64_after_hwframe+0x6e/0x76 arch/x86/entry/entry_64.S:121
 </TASK>`],
  ])('%s', (_format, text) => {
    const { comm, pid, ppid, state, frames } = onlyTask(text);
    expect([comm, pid, ppid, state]).toEqual(['chroot', 441, 1, 'D']);
    const firm = frames.filter(({ reliable }) => reliable);
    expect(firm.map(({ symbol, module }) => [symbol, module])).toEqual([
      ['schedule', null],
      ['foo', 'fuse'],
      [expect.stringMatching(/sys|ret|entry|handle|el0/), null],
    ]);
    expect(frames.filter(({ reliable }) => !reliable).every(({ symbol }) => symbol === 'bar')).toBe(true);
    expect(all(text)[0]!.unplaced?.examples.filter((line) => !/Started|usb/.test(line)) ?? []).toEqual([]);
  }); // prettier-ignore

  it('repeats the stack that the kernel did not print again', () => {
    const [dump] = all(`SysRq : Show Blocked State
a               D    0     7      2 0x00000000
Call Trace:
 [<ffffffff81066807>] schedule+0x6c/0x77
b               D    0     8      2 0x00000000
Call Trace:
<Same stack as pid 7>
c               D    0     9      2 0x00000000
Call Trace:
<Same stack as pid 6>`);
    expect(dump!.tasks.map(({ pid, frames }) => [pid, frames.map(({ symbol }) => symbol)])).toEqual([
      [7, ['schedule']],
      [8, ['schedule']],
      [9, []],
    ]);
  });
});
