/** One row a format: how the architectures and versions of the kernel print the same CPU, and what went wrong there. */
import { describe, expect, it } from 'vitest';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';

const all = (text: string) => parseDumps(text.split('\n'));

describe('what a CPU was doing: spin_here, then caller', () => {
  it.each<[string, string]>([
    ['x86-64, 6.12, soft lockup', `watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [spin:99]
Modules linked in: spin(O) fuse
irq event stamp: 1234
hardirqs last  enabled at (1233): [<ffffffff81a012b4>] asm_sysvec_apic_timer_interrupt+0x14/0x20
CPU: 1 UID: 0 PID: 99 Comm: spin Tainted: G           O       6.12.0 #1
Tainted: [O]=OOT_MODULE
Hardware name: QEMU Standard PC (i440FX + PIIX, 1996), BIOS 1.16.2 04/01/2014
RIP: 0010:spin_here+0x5/0x10 [spin]
Code: 00 00 00 f3 90 eb fc
RSP: 0018:ffffc900001b3e98 EFLAGS: 00000246
RAX: 0000000000000000 RBX: ffff888003a5c000 RCX: 0000000000000000
CR2: 00007f1d2c9a1f3a CR3: 0000000003a5c000 CR4: 00000000000006f0
Call Trace:
 <IRQ>
 </IRQ>
 <TASK>
 caller+0x1/0x2
 </TASK>`],
    ['x86-64, 2.6.32, soft lockup', `BUG: soft lockup - CPU#1 stuck for 61s! [spin:99]
Modules linked in: spin fuse
CPU 1 
Modules linked in: spin fuse
Pid: 99, comm: spin Not tainted 2.6.32-5-amd64 #1 Bochs
RIP: 0010:[<ffffffffa0284821>]  [<ffffffffa0284821>] spin_here+0x5/0x10 [spin]
RSP: 0018:ffff88011231fd98  EFLAGS: 00000246
Process spin (pid: 99, threadinfo ffff88011231e000, task ffff880112325d00)
Stack:
 ffff88011231fe28 ffffffff81066807 0000000000000000 0000000000000000
Call Trace:
 [<ffffffff81066807>] caller+0x1/0x2`],
    ['only the headline names it', `BUG: soft lockup - CPU#1 stuck for 22s! [spin:99]
RIP: 0010:spin_here+0x5/0x10 [spin]
Call Trace:
 caller+0x1/0x2`],
    ['arm64, 6.x', `watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [spin:99]
CPU: 1 PID: 99 Comm: spin Not tainted 6.1.0 #1
pstate: 60000005 (nZCv daif -PAN -UAO -TCO -DIT -SSBS BTYPE=--)
pc : spin_here+0x5/0x10 [spin]
lr : spin_here+0x1/0x10 [spin]
sp : ffff80000a7b3a10
x29: ffff80000a7b3a10 x28: 0000000000000000 x27: 0000000000000000
Call trace:
 caller+0x1/0x2`],
    ['arm32', `Internal error: Oops: 17 [#1] PREEMPT SMP ARM
CPU: 1    Not tainted  (3.0.8 #1)
PC is at spin_here+0x5/0x10 [spin]
LR is at link_register+0x1/0x2
pc : [<c0013d20>]    lr : [<c0013d40>]    psr: 60000013
Process spin (pid: 99, stack limit = 0xc3c30268)
Stack: (0xc3c31d20 to 0xc3c32000)
1d20: 00000000 c0013d20 00000000 00000000 00000000 00000000 00000000 00000000
Backtrace:
[<c0013d20>] (nothing+0x0/0x10) from [<c0013d40>] (caller+0x1/0x2)`],
    ['riscv64', `rcu: INFO: rcu_sched self-detected stall on CPU
rcu: 	1-....: (5249 ticks this GP) idle=3dc/1/0x4000000000000002 softirq=9/9 fqs=2624
CPU: 1 PID: 99 Comm: spin Not tainted 6.1.0 #1
epc : spin_here+0x5/0x10 [spin]
 ra : link_register+0x1/0x2
epc : ffffffff80a1b2c4 ra : ffffffff80a1b2c4 sp : ff20000000a7b3a0
 gp : ffffffff81a1b2c4 tp : ff60000003a5c000 t0 : 0000000000000000
Call Trace:
[<ffffffff80a1b2c4>] caller+0x1/0x2`],
    ['mips', `Kernel bug detected[#1]:
CPU: 1 PID: 99 Comm: spin Not tainted 4.14.0 #1
$ 0   : 00000000 00000001 00000000 8003ca80
Hi    : 00000000
epc   : 8066c218 spin_here+0x5/0x10 [spin]
ra    : 8066c2d8 link_register+0x1/0x2
Status: 1100fc03	KERNEL EXL IE
Process spin (pid: 99, threadinfo=8c030000, task=8c02e000, tls=77e3b440)
Call Trace:
[<8066c218>] caller+0x1/0x2`],
    ['ppc64le, hard lockup', `watchdog: CPU 1 self-detected hard LOCKUP @ spin_here+0x5/0x10
watchdog: CPU 1 TB:123456789, last heartbeat TB:123450000 (12345ms ago)
CPU: 1 PID: 99 Comm: spin Not tainted 6.1.0 #1
NIP:  c008000000a1b2c4 LR: c008000000a1b2c8 CTR: 0000000000000000
REGS: c00000000a7b3a10 TRAP: 0900   Not tainted  (6.1.0)
MSR:  9000000000009033 <SF,HV,EE,ME,IR,DR,RI,LE>  CR: 28002222  XER: 00000000
GPR00: c008000000a1b2c8 c00000000a7b3a10 c008000000a20000 0000000000000000
NIP [c008000000a1b2c4] spin_here+0x5/0x10 [spin]
LR [c008000000a1b2c8] spin_here+0x1/0x10 [spin]
Call Trace:
[c00000000a7b3bf0] [c000000000e8d2a4] caller+0x1/0x2`],
    ['s390x', `rcu: INFO: rcu_sched self-detected stall on CPU
CPU: 1 PID: 99 Comm: spin Not tainted 6.1.0 #1
Krnl PSW : 0704c00180000000 000003ff8004e2a2 (spin_here+0x5/0x10 [spin])
           R:0 T:1 IO:1 EX:1 Key:0 M:1 W:0 P:0 AS:3 CC:0 PM:0 RI:0 EA:3
Krnl GPRS: 0000000000000000 0000000000000001 0000000000000000 0000000000000000
           0000000000000000 0000000000000001 0000000000000000 0000000000000000
Krnl Code: 000003ff8004e298: c0e5ffffff00	brasl	%r14,000003ff8004e098
Call Trace:
 [<0000000180b4e2a2>] caller+0x1/0x2
Last Breaking-Event-Address:
 [<0000000180b4e1f0>] nowhere+0x10/0x20`],
    ['SysRq l without NMI', `sysrq: Show backtrace of all active CPUs
sysrq: CPU1:
CPU: 1 PID: 99 Comm: spin Not tainted 6.1.0 #1
pc : spin_here+0x5/0x10 [spin]
Call trace:
 caller+0x1/0x2`],
  ])('%s', (_format, text) => {
    const found = all(text);
    expect(found).toHaveLength(1);
    expect(found[0]!.cpus).toHaveLength(1);
    const { cpu, comm, pid, frames } = found[0]!.cpus[0]!;
    expect([cpu, comm, pid]).toEqual([1, 'spin', 99]);
    expect(frames.map(({ symbol }) => symbol).filter((name) => name !== 'nothing')).toEqual([
      'spin_here',
      'caller',
    ]);
    expect(found[0]!.unplaced).toBeUndefined();
  }); // prettier-ignore

  it('keeps a task where no line tells its CPU', () => {
    const [dump] = all(`BUG: unable to handle kernel NULL pointer dereference at 00000008
IP: [<c0013d20>] foo+0x5/0x10
Oops: 0000 [#1] SMP
Pid: 99, comm: cat Not tainted (2.6.32 #1)
EIP: 0060:[<c0013d20>] EFLAGS: 00010286 CPU: 0
EIP is at foo+0x5/0x10
Process cat (pid: 99, ti=c3c30000 task=c3c02e00 task.ti=c3c30000)
Call Trace:
 [<c0013d40>] bar+0x1/0x2
EIP: [<c0013d20>] foo+0x5/0x10 SS:ESP 0068:c3c31d20`);
    expect(dump).toMatchObject({ key: 'oops', cpus: [], tasks: [{ comm: 'cat', pid: 99, state: 'R' }] });
    expect(dump!.tasks[0]!.frames.map(({ symbol }) => symbol)).toEqual(['foo', 'bar']);
  });
});

describe('reports of all architectures', () => {
  it.each([
    ['BUG: soft lockup detected on CPU#1!', 'lockup'],
    ['NMI Watchdog detected LOCKUP on CPU 1', 'lockup'],
    ['watchdog: CPU1: Watchdog detected hard LOCKUP on cpu 1', 'lockup'],
    ['watchdog: CPU 3 detected hard LOCKUP on other CPUs 1', 'lockup'],
    ['divide error: 0000 [#1] SMP', 'oops'],
    ['invalid opcode: 0000 [#2] PREEMPT SMP NOPTI', 'oops'],
    ['specification exception: 0006 ilc:2 [#1] SMP', 'oops'],
    ['Kernel bug detected[#1]:', 'oops'],
    ['Kernel BUG [#1]', 'oops'],
    ['Oops: Kernel access of bad area, sig: 11 [#1]', 'oops'],
    ['Oops - BUG: 0 [#1] PREEMPT SMP ARM', 'oops'],
    ['CPU 0 Unable to handle kernel paging request at virtual address 00000008', 'oops'],
    ['PANIC: double fault, error_code: 0x0', 'oops'],
    ['rcu: INFO: rcu_tasks detected stalls on tasks:', 'rcu_stall'],
    ['Watchdog CPU:59 Hard LOCKUP', 'lockup'],
    ['Watchdog CPU:3 detected Hard LOCKUP other CPUS:4-5', 'lockup'],
    [
      'INFO: rcu_sched_state detected stalls on CPUs/tasks: { 1} (detected by 0, t=2002 jiffies)',
      'rcu_stall',
    ],
  ])('%s', (line, key) => {
    expect(all(line)).toMatchObject([{ key, headline: line }]);
  });

  it.each(['Fix issue [#12] in foo', 'test: 12 of 13 [#3]', 'ok 4 - divide error: survived'])(
    'is not fooled by %s',
    (line) => {
      expect(all(line)).toEqual([]);
    },
  );
});
