import { describe, expect, it } from 'vitest';
import { Progress } from '../../../src/core/console/progress.js';

const newsOf = (lines: readonly string[], progress = new Progress()) =>
  lines.filter((line, i) => progress.read(line, i).news);

describe('Progress', () => {
  it('takes a line of a new kind for news, once', () => {
    const lines = [
      '[    1.000000] virtio_blk virtio0: [vda] 20971520 512-byte logical blocks',
      '[    9.000000] virtio_blk virtio3: [vda] 4194304 512-byte logical blocks',
      '[  OK  ] Started session-1.scope.',
      '[  OK  ] Started session-2.scope.',
      '[  OK  ] Mounted /boot.',
      'vm login: ',
    ];
    expect(newsOf(lines)).toEqual([lines[0], lines[2], lines[4], lines[5]]);
  });

  it.each([
    [
      '[  100.1] dracut-initqueue[312]: Warning: dracut-initqueue: timeout, still waiting for 17',
      'dracut-initqueue[9]: Warning: dracut-initqueue: timeout, still waiting for 230',
    ],
    ['fsck: 10% after 1min 3s at 0x1f', 'fsck: 97.5% after 2h 4min 11s at 0xffff888001234567'],
    ['waiting for 30s', 'waiting for 1h 30s'],
    ['id 6a9c2e5f-1111-4222-8333-0123456789ab gone', 'id 00000000-aaaa-bbbb-cccc-deadbeef0000 gone'],
    [
      'foo.service: Scheduled restart job, restart counter is at 5.',
      'foo.service: Scheduled restart job, restart counter is at 6.',
    ],
  ])('knows %j again as %j', (first, second) => {
    expect(newsOf([first, second])).toEqual([first]);
  });

  it('never takes a spinner for news, and says what it waits for', () => {
    const progress = new Progress();
    expect(
      progress.read('[*     ] (1 of 2) A start job is running for /dev/vdb (1h 18min 19s / no limit)', 0),
    ).toEqual({
      news: false,
      awaiting: '/dev/vdb (1h 18min 19s / no limit)',
    });
    expect(
      progress.read('[ ***  ] A stop job is running for User Manager (x) (5s / 2min): closing', 1),
    ).toEqual({
      news: false,
      awaiting: 'User Manager (x) (5s / 2min)',
    });
    expect(
      progress.read('[   ***] (3 of 3) Job systemd-udevd.service/start running (1min 14s / no limit)', 2),
    ).toEqual({ news: false, awaiting: 'systemd-udevd.service/start running (1min 14s / no limit)' });
    expect(progress.read('A start job is running for /dev/disk/by-lab', 2)).toEqual({
      news: false,
      awaiting: null,
    });
  });

  it('takes neither a complaint nor its report for news', () => {
    const report = `[  242.660103] INFO: task umount:1234 blocked for more than 120 seconds.
[  242.660200]       Not tainted 6.1.0-18-amd64 #1 Debian 6.1.76-1
[  242.660300] "echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.
[  242.660400] task:umount          state:D stack:0     pid:1234  ppid:1      flags:0x00004002
[  242.660500] Call Trace:
[  242.660600]  <TASK>
[  242.660700]  __schedule+0x34d/0x9e0
[  242.660800]  ? folio_wait_bit_common+0x13d/0x350 [virtiofs]
[  242.660900]  </TASK>
[  242.661000] RIP: 0033:0x7f1234567890
[  242.661100] RSP: 002b:00007ffd00000000 EFLAGS: 00000246 ORIG_RAX: 00000000000000a6
[  242.661200] Workqueue: writeback wb_workfn (flush-254:0)
[  242.661300] INFO: task dd:77 is blocked on a mutex likely owned by task cp:78.
[  242.661400] Showing all locks held in the system:
[  242.661500] 1 lock held by khungtaskd/31:
[  242.661600]  #0: ffffffff9a3c5e20 (rcu_read_lock){....}-{1:2}, at: debug_show_all_locks+0x53/0x260
[  242.661700] rcu: 	1-....: (20999 ticks this GP) idle=1234/1/0x4000000000000000 softirq=1/1 fqs=5249
[  242.661800] CPU: 1 PID: 77 Comm: dd Not tainted 6.1.0 #1
[  242.661900] Modules linked in: virtiofs fuse
[  242.662000] ** 41 printk messages dropped **`.split('\n');
    expect(newsOf(report)).toEqual([]);
    expect(newsOf(['[  250.000000] Kernel panic - not syncing: hung_task: blocked tasks'])).toEqual([]);
  });

  describe('within a SysRq dump', () => {
    const header = '[  300.000000] sysrq: Show State';
    const body = '[  300.000100] cfs_rq[0]:/some/new/group';

    it('takes nothing that the kernel prints for news until the fence', () => {
      const progress = new Progress();
      expect(newsOf([header, body, '[  300.1] sysrq: HELP : loglevel(0-9) reboot(b)'], progress)).toEqual([]);
      expect(progress.read('[  300.200000] EXT4-fs (vda): recovery complete', 3).news).toBe(true);
    });

    it('still sees what systemd prints in between', () => {
      expect(newsOf([header, '[  OK  ] Mounted /home.', body])).toEqual(['[  OK  ] Mounted /home.']);
    });

    it('ends in five seconds of silence, or after a minute, where the fence was lost', () => {
      const silent = new Progress();
      silent.read(header, 0);
      expect(silent.read(body, 4_000).news).toBe(false);
      expect(silent.read('[  310.000000] real news', 9_001).news).toBe(true);
      const endless = new Progress();
      endless.read(header, 0);
      for (let at = 0; at <= 60_000; at += 1_000)
        expect(endless.read(`${body} ${'x'.repeat(at / 1000)}`, at).news).toBe(false);
      expect(endless.read('[  361.000000] real news', 60_001).news).toBe(true);
    });
  });

  it('forgets the last boot when another begins', () => {
    const lines = ['SeaBIOS (version 1.16.2)', '[    1.000000] EXT4-fs (vda1): mounted filesystem'];
    expect(newsOf([...lines, ...lines])).toEqual([...lines, ...lines]);
  });

  it('remembers a bounded number of kinds, and the oldest goes first', () => {
    const progress = new Progress();
    // Letters that form no hex number.
    const word = (i: number) =>
      i.toString(16).replace(/./g, (digit) => 'ghijklmnopqrstuv'.charAt(Number.parseInt(digit, 16)));
    for (let i = 0; i < 5000; i += 1) expect(progress.read(word(i), i).news).toBe(true);
    expect(progress.toJSON().known).toHaveLength(4096);
    expect(progress.read(word(4999), 5000).news).toBe(false);
    expect(progress.read(word(5000 - 4096), 5000).news).toBe(false);
    expect(progress.read(word(5000 - 4097), 5000).news).toBe(true);
  });

  it('goes on from its JSON as if nothing had happened', () => {
    const progress = new Progress();
    newsOf(['alpha', 'beta', '[  300.000000] sysrq: Show State'], progress);
    const restored = new Progress(JSON.parse(JSON.stringify(progress)) as ReturnType<Progress['toJSON']>);
    expect(restored.toJSON()).toEqual(progress.toJSON());
    expect(newsOf(['alpha', '[  300.100000] cfs_rq[1]:/x', 'gamma'], restored)).toEqual(['gamma']);
  });

  it('takes rules and numbers without words for nothing', () => {
    expect(newsOf(['-----', '12 / 30', '0xdeadbeef', '……'])).toEqual([]);
  });
});
