import { describe, expect, it } from 'vitest';
import { stripPrefix } from '../../../src/core/console/prefix.js';

const HEADER = 'task:chroot          state:D stack:0     pid:441   ppid:1      flags:0x00000008';

describe('what stands in front of a kernel line', () => {
  it.each<[string, string, number | null]>([
    ['nothing', '', null],
    ['printk', '[   92.100000] ', 92.1],
    ['a caller', '[   92.100000][  T123] ', 92.1],
    ['an interrupt', '[   92.100000][    C1] ', 92.1],
    ['a priority', '<6>[   92.100000] ', 92.1],
    ['dmesg -T', '[Tue Jan  2 15:04:05 2024] ', null],
    ['dmesg -x', 'kern  :info  : [   92.100000] ', 92.1],
    ['dmesg -d', '[   92.100000 <    0.000012>] ', null],
    ['dmesg -e, within the minute', '[  +0.000012] ', null],
    ['dmesg --time-format iso', '2024-01-02T15:04:05,123456+00:00 ', null],
    ['syslog', 'Feb 28 07:45:55 host kernel: [   92.100000] ', 92.1],
    ['syslog without a host', 'May 17 18:48:11 kernel: [   92.100000] ', 92.1],
    ['syslog without printk times', 'Feb  8 07:45:55 host kernel: ', null],
    ['RFC 5424', '<6>1 2024-01-02T15:04:05.123456Z host kernel - - - [   92.100000] ', 92.1],
    ['rsyslog', '2024-01-02T15:04:05.123456+01:00 host kernel: [   92.100000] ', 92.1],
    ['journalctl -o short-full', 'Tue 2024-01-02 15:04:05 UTC host kernel: ', null],
    ['journalctl -o short-monotonic', '[   92.100000] host kernel: ', 92.1],
    ['journalctl -o short-unix', '1704207845.123456 host kernel: ', null],
    ['a guest in the journal', 'Jan 02 15:04:05 hyp qemu-system@vm1[1234]: [   92.100000] ', 92.1],
    ['wall', 'kernel:[   92.100000] ', 92.1],
    ['netconsole, extended', '6,1234,92100000,-;', 92.1],
    ['netconsole with a caller', '6,1234,92100000,-,caller=T123;', 92.1],
    ['netconsole in a syslog', 'May 25 07:29:42 host7 6,1234,92100000,-,caller=C0;', 92.1],
    ['a CI runner', '2024-01-02T15:04:05.1234567Z [   92.100000] ', 92.1],
    ['a CI runner in brackets', '[2024-01-02T15:04:05.123Z] [   92.100000] ', 92.1],
    ['ts', '15:04:05.123 <6>[   92.100000] ', 92.1],
    ['libvirt', '2024-01-02 15:04:05.123+0000: [   92.100000] ', 92.1],
    ['a phone', '[   92.100000] .(1)[45:kworker/0:1]', 92.1],
    ['another phone', '[   92.100000] [1:  kworker/0:1:  45] ', 92.1],
    ['a quoted mail', '> ', null],
    ['a mail quoted twice', '>> > [   92.100000] ', 92.1],
    ['an indented quote of syslog', '  > Feb 28 07:45:55 host kernel: [   92.100000]  ', 92.1],
    ['a status line without a newline', '[  OK  ] Started foo.[   92.100000] ', 92.1],
  ])('%s', (_what, prefix, seconds) => {
    expect(stripPrefix(prefix + HEADER)).toEqual({ text: HEADER, seconds });
  });

  it.each([
    '[<ffffffff81066807>] schedule+0x6c/0x77',
    '[c00000000a7b3bf0] [c000000000e8d2a4] schedule+0x84/0x160',
    '? schedule+0x6c/0x77',
    '<TASK>',
    '<ffffffff8030a3b1>{schedule+1234}',
    '#0: ffff88810a0b8448 (sb_writers#3){.+.+}-{0:0}, at: mnt_want_write+0x1/0x2',
    'kworker/u4:12   D10792  9048      2 0x80000000',
    'in-flight: 9:do_it',
    'INFO: task kworker/0:1:12 blocked for more than 120 seconds.',
    'watchdog: BUG: soft lockup - CPU#1 stuck for 22s! [a:1]',
    'CPU: 1 PID: 99 Comm: spin Not tainted 6.1.0 #1',
    'took [1.234567]s',
  ])('leaves %s alone', (line) => {
    expect(stripPrefix(line)).toEqual({ text: line, seconds: null });
  });
});
