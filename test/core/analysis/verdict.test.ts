import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { bootPlace } from '../../../src/core/analysis/boot-places.js';
import type { AnalysisContext } from '../../../src/core/analysis/places.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import type { Share, Verdict } from '../../../src/core/model.js';
import { dump, stacks, task } from '../../support/stacks.js';

const share = (tag: string, state: string | null): Share => ({
  tag,
  socket: `/run/${tag}.sock`,
  server: state === null ? null : { pid: 5, comm: 'virtiofsd', state },
  serverIs: state === null ? 'gone' : 'running',
});
const unseen = (tag: string): Share => ({ ...share(tag, null), serverIs: 'unknown', because: 'it hides' });
const disk = (tag: string, state: string | null): Share => ({ ...share(tag, state), kind: 'blk' });
const places = (...lines: string[]) => ({ bootPlaces: lines.flatMap((line) => bootPlace(line) ?? []) });
const nothing: AnalysisContext = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };
const judge = (lines: readonly string[], context: Partial<AnalysisContext> = {}) =>
  analyze(parseDumps(lines), { ...nothing, ...context });
const verdict = (lines: readonly string[], context: Partial<AnalysisContext> = {}): Verdict =>
  judge(lines, context).verdict;

const chroot = task('chroot', 441, 'D', stacks.execRead);
const healthy = [
  task('init', 1, 'S', stacks.shell),
  task('kthreadd', 2, 'S', ['schedule+0x1/0x2', 'kthreadd+0x1/0x2', 'ret_from_fork+0x1/0x2']),
];
const hung = (comm: string, pid: number, frames: readonly string[], seconds = 120) => [
  `INFO: task ${comm}:${pid} blocked for more than ${seconds} seconds.`,
  ...task(comm, pid, 'D', frames),
];

describe('stuck or slow', () => {
  it('says since when, if two looks show the same', () => {
    const found = verdict([...dump('w', 10, chroot), ...dump('w', 24.7, chroot)], {
      shares: [share('nix-store', 'T')],
    });
    expect(found).toMatchObject({ class: 'blocked', confidence: 'high', frame: 'filemap_read' });
    expect(found.title).toBe(
      "chroot:441 stuck ≥14 s in execve → reading its binary's pages (filemap_read) → filesystem virtiofs:nix-store (inferred; virtiofsd stopped)",
    );
    expect(found.reasons[0]).toBe('w.1 and w.2: chroot:441 in D with exactly the same stack.');
  });

  it('takes the time between the looks from the host where the log has none', () => {
    const bare = [...dump('w', 0, chroot), ...dump('w', 0, chroot)].map((line) => line.slice(15));
    expect(verdict(bare).title).toMatch(/^chroot:441 blocked in execve/);
    expect(verdict(bare, { secondsBetweenLooks: 3.9 }).title).toMatch(/^chroot:441 stuck ≥3 s in execve/);
  });

  it('does not call one look stuck', () => {
    expect(verdict(dump('w', 10, chroot))).toMatchObject({ class: 'blocked', confidence: 'medium' });
    expect(verdict(dump('w', 10, chroot)).title).toMatch(/^chroot:441 blocked in execve/);
  });

  it('adds to what hung_task said the time since', () => {
    const timed = hung('chroot', 441, stacks.execRead).map((line) => `[  100.000000] ${line}`);
    expect(verdict([...timed, ...dump('w', 131.5, chroot)]).title).toMatch(/^chroot:441 stuck ≥151 s/);
  });

  it('acquits tasks that moved between the looks', () => {
    const moved = task('chroot', 441, 'D', [
      ...stacks.execRead.slice(0, 4),
      'filemap_read+0x111/0x3a0',
      ...stacks.execRead.slice(5),
    ]);
    const found = verdict([...dump('w', 10, chroot), ...dump('w', 13, moved), ...dump('t', 14, ...healthy)]);
    expect(found).toMatchObject({ class: 'none', culprit: null });
    expect(verdict([...dump('w', 10, chroot), ...dump('w', 13, moved)])).toMatchObject({ class: 'none' });
    expect(verdict([...dump('w', 10, chroot), ...dump('w', 13, moved)]).reasons.join()).toContain(
      'Slow, not stuck: chroot:441',
    );
  });

  it('acquits a task that a later whole dump does not show any more', () => {
    const stood = [...dump('w', 10, chroot), ...dump('w', 13, chroot)];
    expect(verdict([...stood, ...dump('t', 14, ...healthy)])).toMatchObject({ class: 'none' });
    expect(verdict([...stood, ...dump('t', 14, ...healthy).slice(0, -1)])).toMatchObject({
      class: 'blocked',
    });
    const asleep = dump('t', 10, task('cat', 9, 'S', stacks.fuse));
    expect(verdict([...asleep, 'sysrq: Loglevel set to 8', ...dump('w', 14)])).toMatchObject({
      class: 'waiting',
    });
    expect(verdict([...hung('chroot', 441, stacks.execRead), ...dump('t', 14, ...healthy)])).toMatchObject({
      class: 'none',
    });
  });

  it('does not compare two boots', () => {
    const lines = [...dump('w', 10, chroot), 'Linux version 6.1.0-1-amd64', ...dump('w', 24, chroot)];
    expect(verdict(lines).title).toMatch(/^chroot:441 blocked/);
  });

  it('finds the hang of an earlier boot', () => {
    const lines = [...dump('w', 10, chroot), 'Linux version 6.1.0-1-amd64', ...dump('t', 24, ...healthy)];
    expect(verdict(lines)).toMatchObject({ class: 'blocked', culprit: { pid: 441 } });
  });

  it('prefers what stood still to what is new', () => {
    const later = task('late', 500, 'D', stacks.firmware);
    expect(verdict([...dump('w', 10, chroot), ...dump('w', 13, chroot, later)])).toMatchObject({
      culprit: { pid: 441 },
    });
  });
});

describe('nothing stuck', () => {
  it.each([
    ['a healthy guest', dump('t', 1, ...healthy), 'none', 'high'],
    ['threads that never ran', dump('t', 1, ...healthy, task('kinteractiveup', 64, 'D', stacks.neverRun)), 'none', 'high'],
    ['a hung_task report of one', hung('kinteractiveup', 64, stacks.neverRun), 'none', 'low'],
    ['a frozen task', dump('t', 1, ...healthy, task('frozen', 64, 'D', ['schedule+0x1/0x2', '__refrigerator+0x1/0x2', 'get_signal+0x1/0x2'])), 'none', 'high'],
    ['khungtaskd', dump('t', 1, ...healthy, task('khungtaskd', 64, 'D', stacks.firmware)), 'none', 'high'],
    ['a file lock over FUSE', dump('t', 1, ...healthy, task('db', 64, 'S', [...stacks.fuse.slice(0, 4), 'fuse_setlk+0x1/0x2 [fuse]', 'fcntl_setlk+0x1/0x2'])), 'none', 'high'],
    ['only an empty w', ['sysrq: Loglevel set to 8', ...dump('w', 1)], 'none', 'medium'],
    ['an empty w and a hidden t', ['sysrq: Loglevel set to 8', ...dump('w', 1), ...dump('t', 2)], 'unknown', 'low'],
    ['an empty w under an unknown level', dump('w', 1), 'unknown', 'low'],
    ['no dump at all', [], 'unknown', 'low'],
  ])('%s', (_case, lines, kind, confidence) => {
    expect(verdict(lines)).toMatchObject({ class: kind, confidence, culprit: null, frame: null });
  }); // prettier-ignore
});

describe('where', () => {
  const wait = dump('t', 1, task('cat', 9, 'S', stacks.fuse));
  it.each<[string, Share[], string, string]>([
    ['one stopped', [share('a', 'S'), share('b', 'T')], 'filesystem virtiofs:b (inferred; virtiofsd stopped)', 'high'],
    ['one gone', [share('a', 'S'), share('b', null)], 'filesystem virtiofs:b (inferred; virtiofsd gone)', 'high'],
    ['two stopped', [share('a', 'T'), share('b', 'T')], 'one of virtiofs:a, virtiofs:b (inferred; their servers are stopped or gone)', 'medium'],
    ['all run', [share('a', 'S'), share('b', 'S')], 'perhaps one of virtiofs:a, virtiofs:b (inferred; virtiofsd runs)', 'low'],
    ['no share known', [], 'a FUSE server', 'medium'],
    ['one unknown', [unseen('a')], 'perhaps virtiofs:a (inferred; its server is not known)', 'medium'],
    ['one unknown, one runs', [share('a', 'S'), unseen('b')], 'perhaps one of virtiofs:a, virtiofs:b (inferred; not all servers are known)', 'medium'],
    ['no file system is on a disk', [share('a', 'S'), disk('d', 'T')], 'perhaps virtiofs:a (inferred; virtiofsd runs)', 'low'],
  ])('%s', (_case, shares, where, confidence) => {
    const found = verdict(wait, { shares });
    expect(found.title).toBe(`cat:9 waiting in execve → FUSE request of fuse_permission (request_wait_answer) → ${where}`);
    expect(found).toMatchObject({ class: 'waiting', confidence });
    expect(found.inferred).toHaveLength(shares.length === 0 ? 0 : 1);
  }); // prettier-ignore

  it('says of a stopped server what is not known of the others', () => {
    const found = verdict(wait, { shares: [share('a', 'T'), unseen('b')] });
    expect(found.title).toContain('filesystem virtiofs:a (inferred; virtiofsd stopped)');
    expect(found.inferred).toHaveLength(2);
    expect(found.inferred[1]).toBe('Whether virtiofs:b is served is not known.');
  });

  it.each([
    ['stopped', disk('d', 'T'), 'its server stopped'],
    ['gone', disk('d', null), 'its server gone'],
  ])('names the disk whose server is %s', (_case, one, fault) => {
    const frames = [
      'schedule+0x1/0x2',
      'io_schedule+0x1/0x2',
      'blk_mq_get_tag+0x1/0x2',
      'blk_mq_submit_bio+0x1/0x2',
    ];
    const found = verdict(dump('w', 1, task('dd', 9, 'D', frames)), { shares: [one, share('a', 'S')] });
    expect(found.title).toContain(`the block layer, disk vhost-user-blk:d (inferred; ${fault})`);
    const page = verdict(dump('w', 1, chroot), { shares: [one, share('a', 'S')] });
    expect(page.title).toContain(`disk vhost-user-blk:d (inferred; ${fault})`);
  });

  it('infers nothing for a task that waits for something else', () => {
    const found = verdict(dump('w', 1, task('ioctl', 9, 'D', stacks.mutex)), { shares: [share('a', 'T')] });
    expect(found.title).toBe('ioctl:9 blocked in ioctl → waiting for a mutex (thing_update) → module thing');
    expect(found.inferred).toEqual([]);
  });

  it('takes a filesystem that the stack names before any share', () => {
    const frames = [
      '__schedule+0x1/0x2',
      'io_schedule+0x1/0x2',
      'folio_wait_bit_common+0x1/0x2',
      'filemap_read+0x1/0x2',
      'ext4_file_read_iter+0x1/0x2',
      '__x64_sys_read+0x1/0x2',
    ];
    const found = verdict(dump('w', 1, task('cat', 9, 'D', frames)), { shares: [share('a', 'T')] });
    expect(found.title).toBe(
      "cat:9 blocked in read → reading a file's pages (filemap_read ← ext4_file_read_iter) → filesystem ext4",
    );
    expect(found.inferred).toEqual([]);
  });

  it('reads the root filesystem from the command line, and virtiofs from the boot log', () => {
    const root = verdict(wait, { kernelCommandLine: 'root=myroot rootfstype=virtiofs quiet' });
    expect(root.title).toContain('→ filesystem virtiofs:myroot (inferred from the command line)');
    const log = verdict(wait, places('virtiofs virtio0: virtio_fs_setup_dax: No cache capability'));
    expect(log.title).toContain('→ a virtiofs share (inferred from the boot log)');
    expect(log.inferred).toHaveLength(1);
  });

  it.each([
    ['9p', ['schedule+0x1/0x2', 'p9_client_rpc+0x1/0x2 [9pnet]', 'p9_client_walk+0x1/0x2 [9pnet]', 'v9fs_vfs_lookup+0x1/0x2 [9p]', '__x64_sys_openat+0x1/0x2'], 'S', 'waiting', 'cat:9 waiting in openat → 9p request of v9fs_vfs_lookup (p9_client_rpc) → a 9p server'],
    ['NFS', ['schedule+0x1/0x2', 'rpc_wait_bit_killable+0x1/0x2 [sunrpc]', '__wait_on_bit+0x1/0x2', 'nfs4_proc_getattr+0x1/0x2 [nfsv4]', '__x64_sys_newstat+0x1/0x2'], 'D', 'blocked', 'cat:9 blocked in newstat → NFS request of nfs4_proc_getattr (rpc_wait_bit_killable) → an NFS server'],
  ])('%s', (_server, frames, state, kind, title) => {
    expect(verdict(dump('t', 1, task('cat', 9, state, frames)))).toMatchObject({ class: kind, title });
  }); // prettier-ignore

  it('counts those that wait in the same place', () => {
    const found = verdict(
      dump('w', 1, chroot, task('sh', 442, 'D', stacks.execRead), task('ls', 443, 'D', stacks.execRead)),
    );
    expect(found.title).toBe(
      "chroot:441 blocked in execve → reading its binary's pages (filemap_read) (+2 others)",
    );
  });
});
