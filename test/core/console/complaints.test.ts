import { describe, expect, it } from 'vitest';
import { complaintIn } from '../../../src/core/console/complaints.js';

const AT = '[  242.660103] ';

// Which lines are complaints, and of what kind: test/core/kernel-lines/vocabulary.test.ts.
describe('complaintIn', () => {
  it.each([
    ['INFO: task umount:1234 blocked for more than 120 seconds.', 'hung_task', 120],
    ['Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)', 'panic', null],
    ['watchdog: CPU 3 self-detected hard LOCKUP @ _raw_spin_lock+0x30/0x80', 'hard_lockup', null],
  ])('reads it with a stamp, with a caller and without: %s', (line, kind, seconds) => {
    for (const prefix of ['', AT, '[  242.660103][   T31] ', '<3>[  242.660103] '])
      expect(complaintIn(prefix + line)).toEqual({ kind, seconds });
  });

  it.each(['specification exception: 0006 ilc:2 [#1] SMP', 'Build: 1234 [#45]'])(
    'wants a stamp before what a program may print as well: %s',
    (line) => {
      expect(complaintIn(AT + line)).toEqual({ kind: 'oops', seconds: null });
      expect(complaintIn(line)).toBeNull();
    },
  );

  it.each([
    'INFO: task dd:77 is blocked on a mutex likely owned by task cp:78.',
    'INFO: lockdep is turned off.',
    'rcu: Hierarchical RCU implementation.',
    'NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.',
    'watchdog: Delayed init of the lockup detector failed: -19',
    'watchdog: CPU 3 became unstuck TB:123',
    'BUG: sleeping function called from invalid context',
    'Kernel command line: panic=1',
    'Kernel panic is what kernel.panic=10 reboots after',
    'Internal error: the build failed',
    'Oops, something went wrong: retrying',
    'double fault tolerance is on',
    'Fix issue [#12] in foo',
    'test: 12 of 13 [#3]',
    'Entering runlevel: 2',
  ])('says nothing of %s', (line) => {
    expect(complaintIn(AT + line)).toBeNull();
    expect(complaintIn(line)).toBeNull();
  });
});
