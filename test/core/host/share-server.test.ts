/** Three values: what the host shows of a share's server, and what that proves. */
import { describe, expect, it } from 'vitest';
import {
  describeServer,
  judgeServer,
  type ServerEvidence,
  serverFault,
  serverIs,
} from '../../../src/core/host/share-server.js';
import { connectionsAmong, endsOf } from '../../../src/core/host/unix-table.js';
import { serviceOf, servesIn } from '../../../src/core/host/units.js';
import type { Share } from '../../../src/core/model.js';

const server = (pid: number, state: string) => ({ pid, comm: 'virtiofsd', state });
const device = {
  tag: 'store',
  kind: 'fs',
  socket: '/run/vm1-store/virtiofsd.sock',
  hidden: null,
  listens: false,
  reconnects: false,
};
const evidence: ServerEvidence = {
  device,
  connections: { accepted: [], waiting: 0 },
  lookalike: null,
  holders: [],
  candidates: [],
  connected: true,
};
const taken = { accepted: [7], waiting: 0 };
const running = (pid: number, state: string) => ({ server: server(pid, state), serverIs: 'running' });
const unknown = (because: string) => ({
  server: null,
  serverIs: 'unknown',
  because: expect.stringContaining(because) as string,
});

describe('the server behind a share', () => {
  it.each<[string, Partial<ServerEvidence>, object]>([
    ['who holds the connection', { connections: taken, holders: [server(9, 'S')] }, running(9, 'S')],
    ['one that is stopped is found, not gone', { connections: taken, holders: [server(9, 'T')] }, running(9, 'T')],
    ['not who merely looks like it', { connections: taken, holders: [server(9, 'S')], candidates: [server(8, 'T')] }, running(9, 'S')],
    ['of two that hold it, the one that does not run', { connections: taken, holders: [server(8, 'D'), server(9, 'S')] }, running(8, 'D')],
    ['who looks like it, where descriptors are hidden', { connections: taken, candidates: [server(8, 'S'), server(9, 'T')] }, running(9, 'T')],
    ['nobody, and the connection is there', { connections: taken }, unknown('no process is seen')],
    ['the one of another QEMU may be stopped', { connections: { accepted: [7, 8], waiting: 0 }, holders: [server(8, 'T'), server(9, 'S')] }, unknown('several processes')],
    ['nobody is connected, where QEMU was', {}, { server: null, serverIs: 'gone' }],
    ['one that was started anew does not serve this QEMU', { candidates: [server(8, 'S')] }, { server: null, serverIs: 'gone' }],
    ['QEMU may not have connected yet', { connected: false }, unknown('whether it ever was is not known')],
    ['nor does a fresh server tell whether it has', { connected: false, candidates: [server(8, 'S')] }, unknown('whether it ever was')],
    ['QEMU comes back by itself', { device: { ...device, reconnects: true } }, unknown('connects again by itself')],
    ['a relative path', { device: { ...device, socket: 'a.sock' } }, unknown('is relative')],
    ['a socket that may be the same', { lookalike: 'virtiofsd.sock' }, unknown('virtiofsd.sock may be its own')],
    ['in the backlog', { connections: { accepted: [], waiting: 1 } }, unknown('nobody has accepted')],
    ['in the backlog of one that is stopped', { connections: { accepted: [], waiting: 1 }, candidates: [server(8, 'T')] }, running(8, 'T')],
    ['a table that cannot be read', { connections: 'EACCES' }, unknown('EACCES')],
    ['a table that cannot be read, and a process by its name', { connections: 'EACCES', candidates: [server(8, 'S')] }, running(8, 'S')],
    ['QEMU listens itself', { device: { ...device, listens: true } }, unknown('connects to QEMU')],
    ['QEMU was handed a descriptor', { device: { ...device, hidden: 'no path' } }, unknown('no path')],
  ])('%s', (_case, more, found) => {
    expect(judgeServer({ ...evidence, ...more })).toEqual(found);
  }); // prettier-ignore
});

describe('what a share says of its server', () => {
  const share = (state: string | null, more: Partial<Share> = {}): Share => ({
    tag: 'store',
    socket: '/s',
    server: state === null ? null : server(7, state),
    ...more,
  });
  it.each<[Share, string, string | null, string]>([
    [share('S'), 'running', null, 'virtiofsd (pid 7) runs'],
    [share('D'), 'running', null, 'virtiofsd (pid 7) is in D'],
    [share('T'), 'running', 'stopped', 'virtiofsd (pid 7) is stopped'],
    [share('t', { serverIs: 'running' }), 'running', 'stopped', 'virtiofsd (pid 7) is stopped'],
    [share('Z'), 'running', 'dead', 'virtiofsd (pid 7) is dead'],
    [share(null), 'unknown', null, 'server not known (the recording does not tell)'],
    [share(null, { serverIs: 'unknown', because: 'it hides' }), 'unknown', null, 'server not known (it hides)'],
    [share(null, { serverIs: 'gone' }), 'gone', 'gone', 'its server is gone'],
  ])('%j', (one, is, fault, says) => {
    expect([serverIs(one), serverFault(one), describeServer(one)]).toEqual([is, fault, says]);
  }); // prettier-ignore
});

describe('the table of sockets', () => {
  // As Linux 6.18 printed it for a QEMU that is served, with systemd as the listener.
  const table = [
    'Num       RefCount Protocol Flags    Type St Inode Path',
    '000000002548ca5f: 00000002 00000000 00010000 0001 01 62001 /run/user/1000/virtiofsd/vm-1-store/virtiofsd.sock',
    '000000002e449a18: 00000003 00000000 00000000 0001 03 62914 /run/user/1000/virtiofsd/vm-1-store/virtiofsd.sock',
    '000000002e449a19: 00000003 00000000 00000000 0001 03 62915 virtiofsd.sock',
    '000000002e449a20: 00000003 00000000 00000000 0001 02     0 /run/user/1000/virtiofsd/vm-2-store/virtiofsd.sock',
    '000000002e449a21: 00000003 00000000 00000000 0001 01 62917 /tmp/unbound/virtiofsd.sock',
    '000000002e449a22: 00000003 00000000 00000000 0001 03 62918 @virtiofsd.sock',
    '000000002e449a23: 00000003 00000000 00000000 0001 03 62919',
    'garbage virtiofsd.sock',
    '',
  ].join('\n');

  it('gives the ends of connections alone, whatever path they have', () => {
    const ends = endsOf('virtiofsd.sock', table);
    expect(ends).toEqual([
      { path: '/run/user/1000/virtiofsd/vm-1-store/virtiofsd.sock', inode: 62914 },
      { path: 'virtiofsd.sock', inode: 62915 },
      { path: '/run/user/1000/virtiofsd/vm-2-store/virtiofsd.sock', inode: 0 },
      { path: '@virtiofsd.sock', inode: 62918 },
    ]);
    expect(connectionsAmong(ends)).toEqual({ accepted: [62914, 62915, 62918], waiting: 1 });
    expect(endsOf('other.sock', table)).toEqual([]);
  });
});

describe('the service of a process', () => {
  const path = '/user.slice/user-1000.slice/user@1000.service/app.slice/app-virtiofsd.slice';
  it.each([
    [`0::${path}/virtiofsd@vm-1a2b3c4d-store.service\n`, 'virtiofsd@vm-1a2b3c4d-store.service'],
    [`12:cpu:/x\n1:name=systemd:${path}/a@b.service\n0::/\n`, 'a@b.service'],
    [`9:name=systemd:/\n8:pids:/\n0::${path}/a@b.service\n`, 'a@b.service'],
    ['0::/user.slice/session-1.scope\n', null],
    ['0::/\n', null],
    ['', null],
  ])('of %j', (cgroup, service) => expect(serviceOf(cgroup)).toBe(service));

  it.each([
    ['virtiofsd@vm-1a2b3c4d-store.service', 'vm-1a2b3c4d-store', true],
    ['virtiofsd@vm\\x2d1-store.service', 'vm-1-store', true],
    ['virtiofsd@vm-1a2b3c4d-store.service', 'store', false],
    ['virtiofsd.service', 'virtiofsd', false],
    ['virtiofsd@.service', '', false],
  ])('%s serves in %s: %s', (service, directory, serves) => {
    expect(servesIn(service, directory)).toBe(serves);
  });
});
