/** The servers behind shares, as the host shows them: real sockets, tiny processes. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findServers } from '../../src/io/find-servers.js';
import { scratch } from '../support/qmp-failure.js';
import {
  activated,
  client,
  listening,
  served,
  shareArgs,
  start,
  type Started,
  SOCKET_ACTIVATE,
} from '../support/vhost-user.js';

const named = join(import.meta.dirname, '../fixtures/named.mjs');
const started = () => Promise.resolve(true);
const starting = () => Promise.resolve(false);

/** What is found of the one server of this QEMU. */
async function find({ pid }: Started, args: string[], connected = started) {
  const argv = ['qemu-system-x86_64', ...args];
  const [share] = await findServers({ pid, argv }, connected, AbortSignal.timeout(5_000));
  return share;
}

/** A directory of its own for a socket, named as units name it. */
async function socketOf(name: string): Promise<string> {
  const directory = join(await scratch(), name);
  await mkdir(directory);
  return join(directory, 'virtiofsd.sock');
}

async function listener(socket: string): Promise<void> {
  await expect.poll(() => existsSync(socket), { timeout: 5_000 }).toBe(true);
}

it('is the child that serves a socket of systemd: runs, then stopped, then gone', async () => {
  const socket = await socketOf('vm-1a2b3c4d-store');
  const parent = activated(socket);
  await listener(socket);
  const args = shareArgs('store', socket);
  const qemu = await client(args);
  const child = await served(parent);
  expect(child).not.toBe(parent.pid);
  const running = { tag: 'store', kind: 'fs', socket, serverIs: 'running' };
  expect(await find(qemu, args)).toMatchObject({
    ...running,
    server: { pid: child, cpuMs: expect.any(Number) as number, waitedMs: expect.any(Number) as number },
  });
  process.kill(child, 'SIGSTOP');
  await expect.poll(() => find(qemu, args)).toMatchObject({ ...running, server: { pid: child, state: 'T' } });
  // The parent of the same command line lives on.
  process.kill(child, 'SIGKILL');
  await expect.poll(() => find(qemu, args)).toEqual({ tag: 'store', kind: 'fs', socket, server: null, serverIs: 'gone' });
}); // prettier-ignore

it('is who holds the connection, not who is called like it', async () => {
  const socket = await socketOf('store');
  const server = await listening(socket);
  const other = start([process.execPath, named, `--socket-path=${socket}`], { name: 'virtiofsd' });
  await other.says(/^ready$/);
  other.process.kill('SIGSTOP');
  const args = shareArgs('store', socket);
  const qemu = await client(args);
  expect(await served(server)).toBe(server.pid);
  expect(await find(qemu, args)).toMatchObject({ serverIs: 'running', server: { pid: server.pid } });
});

it('is not the new one that QEMU is not connected to, and nothing of the old one is believed', async () => {
  const socket = await socketOf('store');
  const args = shareArgs('store', socket);
  const old = await listening(socket);
  const qemu = await client(args);
  await served(old);
  expect(await find(qemu, args)).toMatchObject({ server: { pid: old.pid } });
  old.process.kill('SIGKILL');
  await expect.poll(() => find(qemu, args)).toMatchObject({ serverIs: 'gone' });
  spawnSync('rm', [socket]);
  await listening(socket);
  expect(await find(qemu, args)).toMatchObject({ serverIs: 'gone', server: null });
  expect(await find(qemu, ['-chardev', `${args[1]},reconnect=2`, ...args.slice(2)])).toMatchObject({
    serverIs: 'unknown',
    because: expect.stringContaining('connects again') as string,
  });
});

it('is not gone while QEMU may not have come to it, nor while QEMU waits to be accepted', async () => {
  const socket = await socketOf('store');
  const args = shareArgs('store', socket);
  const early = await client([]);
  expect(await find(early, args, starting)).toMatchObject({ serverIs: 'unknown' });
  expect(await find(early, args)).toMatchObject({ serverIs: 'gone' });
  start([...SOCKET_ACTIVATE, socket, 'sleep', '60']);
  await listener(socket);
  const qemu = await client(args);
  const because = expect.stringContaining('nobody has accepted') as string;
  expect(await find(qemu, args)).toMatchObject({ serverIs: 'unknown', because });
});

it('is looked for again where QEMU connects while its QMP is awaited', async () => {
  const socket = await socketOf('store');
  const args = shareArgs('store', socket);
  const server = await listening(socket);
  const qemu = await client([]);
  const connects = async () => {
    // Another process of the same network stands for QEMU here.
    await client(args);
    await served(server);
    return true;
  };
  expect(await find(qemu, args, connects)).toMatchObject({
    serverIs: 'running',
    server: { pid: server.pid },
  });
});

it('is found under another spelling of its socket, and unknown where that cannot be compared', async () => {
  const socket = await socketOf('store');
  const server = await listening(socket);
  const link = join(await scratch(), 'link');
  await symlink(join(socket, '..'), link);
  const byLink = shareArgs('store', join(link, 'virtiofsd.sock'));
  const qemu = await client(byLink);
  await served(server);
  expect(await find(qemu, byLink)).toMatchObject({ serverIs: 'running', server: { pid: server.pid } });
  // A socket of the same name elsewhere is another one.
  expect(await find(qemu, shareArgs('t', join(link, '../virtiofsd.sock')))).toMatchObject({
    serverIs: 'gone',
  });

  const second = await socketOf('modules');
  const relative = await listening('virtiofsd.sock', join(second, '..'));
  const args = shareArgs('modules', second);
  const other = await client(args);
  await served(relative);
  const because = 'the connected socket virtiofsd.sock may be its own';
  // By its command line it is not known either: the path there is relative as well.
  expect(await find(other, args)).toMatchObject({ serverIs: 'unknown', because });
});

const ownNetwork = ['unshare', '--user', '--map-root-user', '--net'];
const mayUnshare = spawnSync(ownNetwork[0] ?? '', [...ownNetwork.slice(1), 'true']).status === 0;
it.runIf(mayUnshare)('is seen from the network namespace of QEMU', async () => {
  const socket = await socketOf('store');
  const server = await listening(socket);
  const args = shareArgs('store', socket);
  const qemu = await client(args, ownNetwork);
  await served(server);
  expect(await find(qemu, args)).toMatchObject({ serverIs: 'running', server: { pid: server.pid } });
});

it('is unknown where QEMU is gone, and where time is up', async () => {
  const socket = await socketOf('store');
  const args = shareArgs('store', socket);
  const qemu = await client(args);
  const argv = ['qemu', ...args];
  expect(await findServers({ pid: 2 ** 30, argv }, started, AbortSignal.timeout(5_000))).toMatchObject([
    { serverIs: 'unknown', because: expect.stringContaining('cannot be read') as string },
  ]);
  expect(await findServers({ pid: qemu.pid, argv }, started, AbortSignal.abort())).toMatchObject([
    { serverIs: 'unknown' },
  ]);
});
