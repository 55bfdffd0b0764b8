import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { failure, scratch, serve } from '../../support/qmp-failure.js';
import { GREETING, polite, reply } from '../../support/qmp-server.js';

describe('a socket that cannot be used', () => {
  it('is missing', async () => {
    const error = await failure(join(await scratch(), 'none.sock'), 'missing');
    expect(error.received).toBe('ENOENT');
  });

  it('has nobody behind it', async () => {
    const path = join(await scratch(), 'file');
    await writeFile(path, '');
    const error = await failure(path, 'missing');
    expect(error.received).toBe('ECONNREFUSED');
  });

  it('has a path that the kernel cannot hold', async () => {
    const error = await failure(`/tmp/${'é'.repeat(60)}/qmp.sock`, 'missing');
    expect(error.message).toContain('134 bytes, a unix socket');
  });

  it('belongs to another user', async () => {
    const { path } = await serve(polite(({ id }) => reply(id)));
    await chmod(path, 0);
    const root = process.geteuid?.() === 0;
    // Root may connect to anything.
    if (root) process.seteuid?.(65534);
    onTestFinished(() => {
      if (root) process.seteuid?.(0);
    });
    // The directory of mkdtemp is 0700: what is refused is the way to the socket, with the same errno.
    await failure(path, 'no-permission');
  });
});

describe('a socket that others use', () => {
  async function stuckServer(accepts: number): Promise<string> {
    const path = join(await scratch(), 'qmp.sock');
    const fixture = join(import.meta.dirname, '../../fixtures/qmp-backlog.mjs');
    const child = spawn(process.execPath, [fixture, path, String(accepts)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(createInterface({ input: child.stdout }), 'line');
    return path;
  }

  async function client(path: string): Promise<Socket> {
    const socket = connect(path);
    onTestFinished(() => void socket.destroy());
    await once(socket, 'connect');
    return socket;
  }

  it('is busy while another client is served', async () => {
    const path = await stuckServer(1);
    await once(await client(path), 'data');
    const error = await failure(path, 'busy');
    expect(error.message).toContain('serves one client');
  });

  it('is busy too where a relay lets everybody in and QEMU serves the first', async () => {
    const { path } = await serve((socket, nth) => {
      if (nth === 1) socket.write(GREETING);
    });
    await once(await client(path), 'data');
    await failure(path, 'busy');
  });

  it('is busy when its queue is full too', async () => {
    const path = await stuckServer(1);
    await once(await client(path), 'data');
    await Promise.all([client(path), client(path)]);
    await failure(path, 'busy');
  });

  it('is not busy but stuck when nobody is served, however many of us came before', async () => {
    const path = await stuckServer(0);
    for (const before of ['no', 'one', 'two', 'three']) {
      expect((await failure(path, 'no-greeting')).fault, `${before} looks before`).toBe('no-greeting');
    }
  });

  it('is not busy with the connection that we left behind ourselves', async () => {
    const path = await stuckServer(1);
    await failure(path, 'main-loop-stuck');
    await failure(path, 'main-loop-stuck');
    await failure(path, 'main-loop-stuck');
    await failure(path, 'main-loop-stuck');
  });
});
