import { describe, expect, it } from 'vitest';
import { complaintIn } from '../../../src/core/console/complaints.js';

const AT = '[  242.660103] ';

/** One golden line a row of the table and wording, oldest kernel first. */
const GOLDEN = [
  ['INFO: task umount:1234 blocked for more than 120 seconds.', 'hung_task', 120],
  ['INFO: task kworker/u8:3:98 blocked for more than 241 seconds.', 'hung_task', 241],
  ['INFO: task a b:c:77 blocked in I/O wait for more than 122 seconds.', 'hung_task', 122],
  ['INFO: task dd:77 blocked  for more than 122 seconds.', 'hung_task', 122],
  ['INFO: rcu_sched detected stalls on CPUs/tasks:', 'rcu_stall', null],
  ['rcu: INFO: rcu_preempt self-detected stall on CPU', 'rcu_stall', null],
  [
    'rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-.... } 21 jiffies s: 1 root: 0x2/.',
    'rcu_stall',
    null,
  ],
  ['INFO: rcu_tasks detected stalls on tasks:', 'rcu_stall', null],
  [
    'rcu: rcu_preempt kthread starved for 5252 jiffies! g1 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x0 ->cpu=1',
    'rcu_stall',
    null,
  ],
  ['NMI watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [insmod:201]', 'soft_lockup', 22],
  ['watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [kworker/0:1:9]', 'soft_lockup', 26],
  ['NMI watchdog: Watchdog detected hard LOCKUP on cpu 2', 'hard_lockup', null],
  ['watchdog: Watchdog detected hard LOCKUP on cpu 2', 'hard_lockup', null],
  ['watchdog: CPU3: Watchdog detected hard LOCKUP on cpu 3', 'hard_lockup', null],
  ['BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 33s!', 'workqueue_lockup', 33],
  ['Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)', 'panic', null],
  ['BUG: unable to handle kernel NULL pointer dereference at 0000000000000008', 'oops', null],
  ['BUG: unable to handle page fault for address: ffffa1b2c3d4e5f6', 'oops', null],
  ['BUG: kernel NULL pointer dereference, address: 0000000000000010', 'oops', null],
  ['Oops: 0002 [#1] PREEMPT SMP NOPTI', 'oops', null],
  [
    'Oops: general protection fault, probably for non-canonical address 0xdead000000000122: 0000 [#1] SMP NOPTI',
    'oops',
    null,
  ],
  ['Internal error: Oops: 0000000096000004 [#1] PREEMPT SMP', 'oops', null],
  ['Unable to handle kernel paging request at virtual address ffff800012345678', 'oops', null],
  [
    'general protection fault, probably for non-canonical address 0xdead000000000122: 0000 [#1] PREEMPT SMP',
    'oops',
    null,
  ],
  ['divide error: 0000 [#1] SMP', 'oops', null],
  ['kernel BUG at fs/inode.c:612!', 'oops', null],
  ['You are in emergency mode. After logging in, type "journalctl -xb" to view', 'emergency', null],
  ['Give root password for maintenance', 'emergency', null],
  ['Cannot open access to console, the root account is locked.', 'emergency', null],
  ['Entering emergency mode. Exit the shell to continue.', 'emergency', null],
  ['ALERT!  UUID=0f does not exist.  Dropping to a shell!', 'emergency', null],
  ['An error occurred in stage 1 of the boot process, which must mount the', 'emergency', null],
] as const;

describe('complaintIn', () => {
  it.each(GOLDEN)('knows %s', (line, kind, seconds) => {
    expect(complaintIn(line)).toEqual({ kind, seconds });
    expect(complaintIn(AT + line)).toEqual({ kind, seconds });
    expect(complaintIn(`[  242.660103][   T31] ${line}`)).toEqual({ kind, seconds });
  });

  it.each(GOLDEN)('takes no quotation for it: %s', (line) => {
    expect(complaintIn(`${AT}systemd[1]: ${line}`)).toBeNull();
    expect(complaintIn(`echo "${line}"`)).toBeNull();
  });

  it.each([
    'INFO: task dd:77 is blocked on a mutex likely owned by task cp:78.',
    'INFO: lockdep is turned off.',
    'rcu: Hierarchical RCU implementation.',
    'NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.',
    'watchdog: Delayed init of the lockup detector failed: -19',
    'BUG: sleeping function called from invalid context',
    'Kernel command line: panic=1',
    'Entering runlevel: 2',
  ])('says nothing of %s', (line) => {
    expect(complaintIn(AT + line)).toBeNull();
  });
});
