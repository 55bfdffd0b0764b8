import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/core/analysis/analysis.js';
import { parseDumps } from '../../../src/core/dump/parse-dumps.js';
import type { Share, Verdict } from '../../../src/core/model.js';
import { dump, stacks, task } from '../../support/stacks.js';

const verdict = (lines: readonly string[], shares: Share[] = []): Verdict =>
  analyze(parseDumps(lines), { secondsBetweenLooks: null, shares, kernelCommandLine: null }).verdict;

const stop = ['__schedule+0x1/0x2', 'schedule+0x1/0x2', 'do_signal_stop+0x1/0x2', 'get_signal+0x1/0x2'];
const fuse = task('cat', 9, 'S', stacks.fuse);
const block = task('dd', 9, 'D', stacks.pageIn);
const nfs = task('ls', 9, 'D', ['__schedule+0x1/0x2', 'rpc_wait_bit_killable+0x1/0x2', 'nfs_getattr+0x1/0x2', '__x64_sys_statx+0x1/0x2']); // prettier-ignore

describe('a stopped server in the guest', () => {
  it.each<[string, string[], string[][], string | null]>([
    ['a job put aside with Ctrl-Z', fuse, [task('vim', 50, 'T', stop)], null],
    ['a FUSE server', fuse, [task('sshfs', 50, 'T', stop)], 'sshfs:50'],
    ['its threads', fuse, [task('sshfs', 50, 'T', stop), task('sshfs', 51, 'T', stop)], 'sshfs:50'],
    ['a server beside a job', fuse, [task('vim', 49, 'T', stop), task('sshfs', 50, 'T', stop)], 'sshfs:50'],
    ['two servers, either of which it may be', fuse, [task('sshfs', 50, 'T', stop), task('s3fs', 51, 'T', stop)], null],
    ['a server of any name, by what is left on its stack', fuse, [task('mine', 50, 'T', [...stop, '? fuse_dev_read+0x1/0x2 [fuse]'])], 'mine:50'],
    ['a server of something else', fuse, [task('nbd-server', 50, 'T', stop)], null],
    ['a disk', block, [task('nbd-server', 50, 'T', stop)], 'nbd-server:50'],
    ['NFS', nfs, [task('ganesha.nfsd', 50, 'T', stop)], 'ganesha.nfsd:50'],
    ['NFS and a FUSE server', nfs, [task('sshfs', 50, 'T', stop)], null],
    ['one that runs', fuse, [task('sshfs', 50, 'S', stacks.shell)], null],
  ])('%s', (_case, waiter, others, server) => {
    const found = verdict(dump('t', 1, waiter, ...others));
    if (server === null) expect([found.title, ...found.inferred].join()).not.toContain('served by');
    else expect(found.title).toContain(`perhaps served by ${server}, stopped (inferred)`);
  }); // prettier-ignore
});

describe('a FUSE server that waits for itself', () => {
  const wants = (comm: string) =>
    task(comm, 50, 'D', ['__schedule+0x1/0x2', '__mutex_lock.constprop.0+0x1/0x2', 'fuse_lock_inode+0x1/0x2 [fuse]', 'fuse_lookup+0x1/0x2 [fuse]', '__x64_sys_statx+0x1/0x2']); // prettier-ignore
  const holds = task('cat', 9, 'S', ['__schedule+0x1/0x2', 'request_wait_answer+0x1/0x2 [fuse]', 'fuse_lookup_name+0x1/0x2 [fuse]', 'fuse_lookup+0x1/0x2 [fuse]', '__x64_sys_openat+0x1/0x2']); // prettier-ignore

  it('is a deadlock, guessed by its name', () => {
    expect(verdict(dump('t', 1, wants('sshfs'), holds))).toMatchObject({
      class: 'deadlock',
      confidence: 'medium',
    });
  });

  it.each(['fuser', 'fusermount3', 'defuse-notes'])('is none by a likeness of names: %s', (comm) => {
    expect(verdict(dump('t', 1, wants(comm), holds)).class).toBe('waiting');
  });

  it.each(['mount.fuse3', 'fuse-overlayfs', 'blobfuse2', 'rofiles-fuse'])(
    'is one by a word or an end: %s',
    (comm) => {
      expect(verdict(dump('t', 1, wants(comm), holds)).class).toBe('deadlock');
    },
  );

  it('is none of another program, nor where the server on the host is dead', () => {
    const dead: Share = { tag: 'a', socket: '/s', server: { pid: 5, comm: 'virtiofsd', state: 'T' } };
    expect(verdict(dump('t', 1, wants('ls'), holds))).toMatchObject({
      class: 'waiting',
      culprit: { pid: 9 },
    });
    expect(verdict(dump('t', 1, wants('sshfs'), holds), [dead])).toMatchObject({ class: 'waiting' });
  });
});
