import { describe, expect, it } from 'vitest';
import { sysrqReply } from '../../../src/core/capture/replies.js';
import { complaintIn } from '../../../src/core/console/complaints.js';
import { bootMarker } from '../../../src/core/console/markers.js';
import { stripPrefix } from '../../../src/core/console/prefix.js';
import { Progress } from '../../../src/core/console/progress.js';
import { isReportLine, isUnreadLine } from '../../../src/core/console/report-lines.js';
import { opener, type Opener } from '../../../src/core/dump/openers.js';
import { StallReport } from '../../../src/core/dump/stall.js';
import { findKernelLine, KERNEL_LINES } from '../../../src/core/kernel-lines/find.js';
import { SHAPES } from '../../../src/core/kernel-lines/shapes.js';
import { TAGS } from '../../../src/core/kernel-lines/sysrq.js';

const STAMP = '[  242.660103] ';

const COLUMNS = ['complaint', 'dump', 'accused', 'reply', 'boot', 'progress'] as const;
const WIDTHS = [22, 22, 13, 10, 10, 9];

function complaint(line: string): string {
  const found = complaintIn(STAMP + line);
  if (found === null) return '-';
  const text = found.seconds === null ? found.kind : `${found.kind} ${found.seconds}s`;
  return complaintIn(line) === null ? `${text}, stamped` : text;
}

function ofDump(means: Opener | null): string {
  switch (means?.type) {
    case undefined:
      return '-';
    case 'section':
      return `opens ${means.key}`;
    case 'hung':
      return `${means.report.comm}:${means.report.pid} ${means.report.seconds}s`;
    case 'refusal':
      return `unfrozen ${means.report.seconds}s`;
    case 'blocker':
      return `${means.blocker.waiter.pid} ${means.blocker.lock} ${means.blocker.owner.pid}`;
    case 'lost':
      return `lost ${means.messages}`;
    case 'level':
      return `level ${means.level}`;
    case 'fence':
    case 'boot':
    case 'other-sysrq':
      return means.type;
  }
}

/** Whom the headline of a stall or lockup names. */
function accused(line: string): string {
  const report = new StallReport();
  report.push(line);
  const { cpus = [], pids = [] } = report.stall ?? {};
  return [...(cpus.length === 0 ? [] : [`cpu ${cpus.join()}`]), ...pids].join(' ') || '-';
}

function reply(line: string): string {
  const said = sysrqReply(STAMP + line);
  if (said?.type === 'header') return `header ${said.key}`;
  return said?.type === 'level' ? `level ${said.level}` : (said?.type ?? '-');
}

/** `report`: no news wherever it stands; `dump`: what follows is none either; `nothing`: no news, and no report. */
function progress(line: string): string {
  const all = new Progress();
  if (all.read(STAMP + line, 0).news) return 'news';
  if (all.toJSON().dump !== null) return 'dump';
  return isReportLine(line) ? 'report' : 'nothing';
}

/** What every reader makes of a line of the vocabulary. */
const readings = (line: string): string[] => [
  complaint(line),
  ofDump(opener(stripPrefix(STAMP + line).text)),
  accused(line),
  reply(line),
  bootMarker(STAMP + line) ?? '-',
  progress(line),
];

const row = (cells: readonly string[], line: string): string =>
  [...cells.map((cell, index) => cell.padEnd(WIDTHS[index]!)), line].join('');

describe('the vocabulary of kernel lines', () => {
  it('means the same to all its readers', () => {
    const examples = KERNEL_LINES.flatMap((line) => line.examples);
    const table = examples.map((example) => row(readings(example), example));
    expect('\n' + [row(COLUMNS, 'line'), ...table].join('\n') + '\n').toBe(String.raw`
complaint             dump                  accused      reply     boot      progress line
hung_task 120s        umount:1234 120s      -            -         -         report   INFO: task umount:1234 blocked for more than 120 seconds.
hung_task 241s        kworker/u8:3:98 241s  -            -         -         report   INFO: task kworker/u8:3:98 blocked for more than 241 seconds.
hung_task 122s        a b:c:77 122s         -            -         -         report   INFO: task a b:c:77 blocked in I/O wait for more than 122 seconds.
hung_task 122s        dd:77 122s            -            -         -         report   INFO: task dd:77 blocked  for more than 122 seconds.
hung_task 122s        dd:77 122s            -            -         -         report   INFO: task dd:77 blocked for more than 122
hung_task 143s        syz-executor.0:9 143s -            -         -         report   INFO: task syz-executor.0:9 can't die for more than 143 seconds.
-                     77 mutex 78           -            -         -         report   INFO: task dd:77 is blocked on a mutex likely owned by task cp:78.
-                     77 rw-semaphore 78    -            -         -         report   INFO: task dd:77 <writer> blocked on an rw-semaphore likely last held by task cp:78 <reader>
-                     -                     -            -         -         report   INFO: task dd:77 is blocked on a mutex, but the owner is not found.
-                     -                     -            -         -         report   INFO: lockdep is turned off.
-                     unfrozen 20s          -            -         -         report   Freezing of tasks failed after 20.001 seconds (2 tasks refusing to freeze, wq_busy=0):
-                     unfrozen 20s          -            -         -         report   Freezing user space processes failed after 20.007 seconds (1 tasks refusing to freeze, wq_busy=0):
-                     unfrozen 20s          -            -         -         report   PM: Freezing remaining freezable tasks failed after 20.003 seconds (1 tasks refusing to freeze, wq_busy=1):
rcu_stall             opens rcu_stall       -            -         -         report   INFO: rcu_sched detected stalls on CPUs/tasks:
rcu_stall             opens rcu_stall       cpu 1        -         -         report   INFO: rcu_sched_state detected stalls on CPUs/tasks: { 1} (detected by 0, t=2002 jiffies)
rcu_stall             opens rcu_stall       -            -         -         report   rcu: INFO: rcu_preempt self-detected stall on CPU
rcu_stall             opens rcu_stall       cpu 1        -         -         report   rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-.... } 21 jiffies s: 1 root: 0x2/.
rcu_stall             opens rcu_stall       -            -         -         report   INFO: rcu_tasks detected stalls on tasks:
rcu_stall             opens rcu_stall       -            -         -         report   rcu: INFO: rcu_tasks detected stalls on tasks:
rcu_stall             -                     -            -         -         report   rcu: rcu_preempt kthread starved for 5252 jiffies! g1 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x0 ->cpu=1
rcu_stall             -                     -            -         -         report   rcu: rcu_preempt kthread timer wakeup didn't happen for 5251 jiffies! g1 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x402
soft_lockup 22s       opens lockup          cpu 1 99     -         -         report   BUG: soft lockup - CPU#1 stuck for 22s! [spin:99]
soft_lockup 22s       opens lockup          cpu 1 201    -         -         report   NMI watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [insmod:201]
soft_lockup 26s       opens lockup          cpu 0 9      -         -         report   watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [kworker/0:1:9]
soft_lockup           opens lockup          cpu 0        -         -         report   watchdog: BUG: soft lockup - CPU#0
soft_lockup 11s       opens lockup          cpu 45 4170  -         -         report   WARN: soft lockup - CPU#45 stuck for 11s! [jbd2/dm-2-8:4170]
-                     opens lockup          cpu 0 10450  -         -         report   BUG: spinlock lockup suspected on CPU#0, fictoapp/10450
-                     opens lockup          cpu 3 124    -         -         report   BUG: spinlock recursion on CPU#3, fictotest/124
soft_lockup           opens lockup          -            -         -         report   BUG: soft lockup detected on CPU#1!
hard_lockup           opens lockup          cpu 2        -         -         report   Watchdog detected hard LOCKUP on cpu 2
hard_lockup           opens lockup          cpu 2        -         -         report   NMI watchdog: Watchdog detected hard LOCKUP on cpu 2
hard_lockup           opens lockup          cpu 2        -         -         report   watchdog: Watchdog detected hard LOCKUP on cpu 2
hard_lockup           opens lockup          cpu 1        -         -         report   NMI Watchdog detected LOCKUP on CPU 1
hard_lockup           opens lockup          cpu 3        -         -         report   watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 3
hard_lockup           opens lockup          cpu 3        -         -         report   NMI watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 3
hard_lockup           opens lockup          cpu 3        -         -         report   watchdog: CPU 3 self-detected hard LOCKUP @ _raw_spin_lock+0x30/0x80
hard_lockup           opens lockup          cpu 68       -         -         report   watchdog: CPU 68 Hard LOCKUP
hard_lockup           opens lockup          cpu 1,2      -         -         report   watchdog: CPU 3 detected hard LOCKUP on other CPUs 1-2
hard_lockup           opens lockup          cpu 59       -         -         report   Watchdog CPU:59 Hard LOCKUP
hard_lockup           opens lockup          cpu 4,5      -         -         report   Watchdog CPU:3 detected Hard LOCKUP other CPUS:4-5
workqueue_lockup 33s  opens lockup          cpu 0        -         -         report   BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 33s!
workqueue_lockup 33s  opens lockup          cpu 0,1,2,3  -         -         report   BUG: workqueue lockup - pool cpus=0-3 flags=0x4 nice=0 stuck for 33s!
workqueue_lockup      opens lockup          -            -         -         report   BUG: workqueue lockup - pool cpus=31 node=0 flags=0x0 nice=0 stuck
panic                 opens panic           -            -         -         report   Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)
-                     opens panic           -            -         -         news     Kernel panic: Attempted to kill init!
-                     opens panic           -            -         -         news     Kernel panic - not syncing Aiee
-                     lost 41               -            -         -         report   ** 41 printk messages dropped **
-                     lost 41               -            -         -         report   ** 41 printk messages dropped
-                     -                     cpu 1        -         -         report   rcu:  1-....: (20999 ticks this GP) idle=1234/1/0x4000000000000000 softirq=1/1 fqs=5249
-                     -                     -            -         -         report   watchdog: CPU 3 became unstuck TB:123
-                     -                     -            -         -         report   NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.
oops                  opens oops            -            -         -         report   BUG: unable to handle kernel NULL pointer dereference at 0000000000000008
oops                  opens oops            -            -         -         report   BUG: unable to handle page fault for address: ffffa1b2c3d4e5f6
oops                  opens oops            -            -         -         report   BUG: kernel NULL pointer dereference, address: 0000000000000010
oops                  opens oops            -            -         -         report   Unable to handle kernel paging request at virtual address ffff800012345678
oops                  opens oops            -            -         -         report   CPU 0 Unable to handle kernel paging request at virtual address 00000008, epc == 8003ca80
oops                  opens oops            -            -         -         report   kernel BUG at fs/inode.c:612!
oops                  opens oops            -            -         -         report   Oops: 0002 [#1] PREEMPT SMP NOPTI
oops                  opens oops            -            -         -         report   Oops: general protection fault, probably for non-canonical address 0xdead000000000122: 0000 [#1] SMP NOPTI
oops                  opens oops            -            -         -         report   Oops: Kernel access of bad area, sig: 11 [#1]
oops                  opens oops            -            -         -         report   Oops - BUG: 0 [#1] PREEMPT SMP ARM
oops                  opens oops            -            -         -         report   Oops[#1]:
oops                  opens oops            -            -         -         report   Oops - illegal instruction [#1]
oops                  opens oops            -            -         -         report   Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP
oops                  opens oops            -            -         -         report   general protection fault, probably for non-canonical address 0xdead000000000122: 0000 [#1] PREEMPT SMP
oops                  opens oops            -            -         -         report   stack segment: 0000 [#1] SMP
oops                  opens oops            -            -         -         report   divide error: 0000 [#1] SMP
oops                  opens oops            -            -         -         report   invalid opcode: 0000 [#2] PREEMPT SMP NOPTI
oops                  opens oops            -            -         -         report   double fault: 0000 [#1] SMP
oops                  opens oops            -            -         -         report   PANIC: double fault, error_code: 0x0
oops                  opens oops            -            -         -         report   Kernel bug detected[#1]:
oops                  opens oops            -            -         -         report   Kernel BUG [#1]
oops, stamped         opens oops            -            -         -         nothing  specification exception: 0006 ilc:2 [#1] SMP
oops, stamped         opens oops            -            -         -         nothing  alignment check: 0000 [#1] SMP
-                     opens oops            -            -         -         news     Oops: 0002
-                     opens oops            -            -         -         news     Oops - undefined instruction: 0
-                     opens oops            -            -         -         news     Internal error: Oops: 17
-                     opens oops            -            -         -         news     general protection fault, probably for non-canonical address
-                     opens oops            -            -         -         news     double fault, gdt at c1000000
-                     opens oops            -            -         -         news     kernel BUG at fs/ext4/inode.c
-                     boot                  -            -         kernel    news     Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0
-                     -                     -            -         firmware  news     SeaBIOS (version 1.16.2-debian-1.16.2-1)
-                     -                     -            -         firmware  news     BdsDxe: loading Boot0001 "UEFI QEMU HARDDISK"
-                     -                     -            -         firmware  news     BdsDxe: starting Boot0001 "UEFI QEMU HARDDISK"
-                     -                     -            -         firmware  news     reboot: Restarting system
-                     -                     -            -         firmware  news     reboot: Restarting system with command 'kexec'
-                     -                     -            -         firmware  news     reboot: machine restart
emergency             -                     -            -         -         nothing  You are in emergency mode. After logging in, type "journalctl -xb" to view
emergency             -                     -            -         -         nothing  You are in rescue mode. After logging in, type "journalctl -xb" to view
emergency             -                     -            -         -         nothing  Give root password for maintenance
emergency             -                     -            -         -         nothing  Give root password for system maintenance
emergency             -                     -            -         -         nothing  Cannot open access to console, the root account is locked.
emergency             -                     -            -         -         nothing  Entering emergency mode. Exit the shell to continue.
emergency             -                     -            -         -         nothing  ALERT!  UUID=0f does not exist.  Dropping to a shell!
emergency             -                     -            -         -         nothing  An error occurred in stage 1 of the boot process, which must mount the
-                     opens w               -            header w  -         dump     sysrq: Show Blocked State
-                     opens t               -            header t  -         dump     sysrq: Show State
-                     opens l               -            header l  -         dump     sysrq: Show backtrace of all active CPUs
-                     opens l               -            header l  -         dump     sysrq: Show CPUs
-                     opens m               -            header m  -         dump     sysrq: Show Memory
-                     opens p               -            header p  -         dump     sysrq: Show Regs
-                     opens d               -            header d  -         dump     sysrq: Show Locks Held
-                     opens q               -            header q  -         dump     sysrq: Show clockevent devices
-                     fence                 -            help      -         nothing  sysrq: HELP : loglevel(0-9) reboot(b) crash(c) terminate-all-tasks(e)
-                     level 8               -            level 8   -         nothing  sysrq: Loglevel set to 8
-                     other-sysrq           -            refused   -         nothing  sysrq: This sysrq operation is disabled.
-                     other-sysrq           -            -         -         dump     sysrq: Show Global CPU Regs
-                     -                     -            -         -         nothing  sysrq: CPU0:
-                     -                     -            -         -         nothing  sysrq: CPU1: backtrace skipped as idling
-                     other-sysrq           -            -         -         nothing  sysrq: Changing Loglevel
-                     other-sysrq           -            -         -         nothing  sysrq: Emergency Sync
`);
  });

  it.each(KERNEL_LINES.map((line) => [line.examples[0], line] as const))(
    'has an example that its own row finds, for each head: %s',
    (_first, line) => {
      expect(line.examples.length).toBeGreaterThan(0);
      for (const example of line.examples)
        expect([example, findKernelLine(example)?.line]).toEqual([example, line]);
      const heads = line.answer === undefined ? line.heads : line.heads.slice(0, 1);
      for (const head of heads)
        expect([head, line.examples.some((example) => example.startsWith(head))]).toEqual([head, true]);
    },
  );

  it.each(TAGS)('reads the answers of old kernels, tagged %j, as those of new ones', (tag) => {
    for (const { answer, examples } of KERNEL_LINES)
      for (const example of answer === undefined ? [] : examples)
        expect(readings(example.replace('sysrq: ', tag))).toEqual(readings(example));
  });

  it.each(KERNEL_LINES.flatMap((line) => line.examples))('takes no quotation for it: %s', (line) => {
    for (const quoted of [`${STAMP}systemd[1]: ${line}`, `echo "${line}"`, `${STAMP}# ${line}`])
      expect([complaintIn(quoted), sysrqReply(quoted), bootMarker(quoted)]).toEqual([null, null, null]);
  });
});

describe('the shapes of report lines', () => {
  it.each(SHAPES.flatMap((shape) => shape.examples.map((example) => [example, shape] as const)))(
    '%s',
    (line, { pattern, within }) => {
      expect(line).toMatch(pattern);
      expect(isUnreadLine(line)).toBe(true);
      expect(isReportLine(line)).toBe(within !== true);
      if (within !== true) expect(new Progress().read(STAMP + line, 0).news).toBe(false);
      expect(readings(line).slice(0, -1)).toEqual(['-', '-', '-', '-', '-']);
    },
  );

  it('have no example too few', () => {
    for (const { examples } of SHAPES) expect(examples.length).toBeGreaterThan(0);
  });
});
