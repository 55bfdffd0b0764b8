/** A server that waits itself: for a file server, for a disk of the host. */
import { describe, expect, it } from 'vitest';
import { parseMounts, remoteMountsOf } from '../../../src/core/host/mounts.js';
import { describeServer, serverFault, stuckText } from '../../../src/core/host/share-server.js';
import type { BlockedThread, Share } from '../../../src/core/model.js';
import { diskCounters } from '../../../src/core/qmp/queries.js';

const MOUNTS = parseMounts(
  [
    '25 30 0:23 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '91 25 0:52 / /srv/big\\040share rw,relatime shared:7 master:2 - nfs4 filer:/export/a rw,vers=4.2',
    '92 91 0:53 / /srv/big\\040share/local rw - tmpfs tmpfs rw',
    '93 25 0:54 / /run/user/1000/gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw',
    'no mount at all',
  ].join('\n'),
);

describe('mounts of other machines', () => {
  it.each([
    ['/srv/big share/x', ['/srv/big share']],
    ['/srv/big share', ['/srv/big share']],
    ['/srv/big share/local/x', []],
    ['/srv/big sharex', []],
    ['/run/user/1000/gvfs/x', []],
    ['socket:[12]', []],
    ['/etc/passwd', []],
  ])('%j lies on %j', (path, points) => {
    const held = { ids: new Set<string>(), paths: [path] };
    expect(remoteMountsOf(held, MOUNTS, []).map(({ point }) => point)).toEqual(points);
  });
});

it('finds the mount of an open file by its number, where its process is in a chroot and sees none', () => {
  const held = { ids: new Set(['25', '91']), paths: ['/x'] };
  expect(remoteMountsOf(held, [], MOUNTS).map(({ point }) => point)).toEqual(['/srv/big share']);
});

const blocked: BlockedThread = {
  ...{ tid: 8, comm: 'thread-pool', forMs: 5_000, wchan: 'rpc_wait_bit_killable' },
  on: ['nfs4 of filer:/export/a (/srv)'],
};
const shared = (thread?: BlockedThread): Share => ({
  ...{ tag: 'store', kind: 'fs', socket: '/s', serverIs: 'running' },
  server: { pid: 7, comm: 'virtiofsd', state: 'S', ...(thread && { blocked: thread }) },
});

describe('a server with a thread in D', () => {
  it('is itself stuck once looks show that it stands, and is still no dead one', () => {
    const text = 'stuck in D on nfs4 of filer:/export/a (/srv), in rpc_wait_bit_killable';
    expect(stuckText(shared(blocked))).toBe(text);
    expect(describeServer(shared(blocked))).toBe(`virtiofsd (pid 7) is itself ${text}`);
    expect(serverFault(shared(blocked))).toBeNull();
  });

  it('is stuck in S, where it asks a FUSE server', () => {
    const on = ['fuse.sshfs of filer:/export (/srv)'];
    const asks: BlockedThread = { ...blocked, state: 'S', wchan: 'request_wait_answer', on };
    expect(stuckText(shared(asks))).toBe(`stuck on ${on[0]}, in request_wait_answer`);
  });

  it('is not while it only reads its disk, and says no more than is known', () => {
    expect(stuckText(shared({ ...blocked, forMs: 999 }))).toBeNull();
    expect(stuckText(shared())).toBeNull();
    expect(stuckText(shared({ ...blocked, wchan: null, on: [] }))).toBe('stuck in D');
  });
});

it('counts the requests of each disk, by the name that somebody gave it', () => {
  const stats = { rd_operations: 1, wr_operations: 2, flush_operations: 3, failed_wr_operations: 4 };
  const answer = [
    { device: 'root', qdev: '/machine/x', stats },
    { device: '', qdev: '/machine/y', stats },
    { device: 'odd' },
    'no object',
  ];
  expect(diskCounters(answer)).toEqual([
    { name: 'root', reads: 1, writes: 2, flushes: 3, failed: 4 },
    { name: '/machine/y', reads: 1, writes: 2, flushes: 3, failed: 4 },
  ]);
  expect(diskCounters(null)).toEqual([]);
});
