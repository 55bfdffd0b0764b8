import { once } from 'node:events';
import { rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { monotonicMs } from '../../src/io/clock.js';
import { isSocket } from '../../src/io/unix-sockets.js';
import { scratch } from '../support/qmp-failure.js';

vi.mock('../../src/io/clock.js', { spy: true });

async function listen(path: string): Promise<Server> {
  const server = createServer().listen(path);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  return server;
}

/** What was read before is old. */
function later(): void {
  const now = Math.max(monotonicMs(), vi.mocked(monotonicMs).mock.results.at(-1)?.value as number) + 10_000;
  vi.mocked(monotonicMs).mockReturnValue(now);
}

it('is there while somebody listens, by one reading for all who ask', async () => {
  const directory = await scratch();
  const path = join(directory, 'qmp.sock');
  later();
  expect(await isSocket(path)).toBe(false);
  const server = await listen(path);
  // Its name alone has gone: that somebody listens is known from the kernel's list.
  await rename(path, join(directory, 'aside'));
  expect(await isSocket(path)).toBe(false);
  later();
  expect(await isSocket(path)).toBe(true);
  await rename(join(directory, 'aside'), path);
  server.close();
  await once(server, 'close');
  await rm(path, { force: true });
  expect(await isSocket(path)).toBe(true);
  later();
  expect(await isSocket(path)).toBe(false);
});

it('is there where only its file is: nobody of this network listens', async () => {
  const directory = await scratch();
  const server = await listen(join(directory, 'qmp.sock'));
  await rename(join(directory, 'qmp.sock'), join(directory, 'left.sock'));
  await writeFile(join(directory, 'file'), '');
  later();
  expect(await isSocket(join(directory, 'left.sock'))).toBe(true);
  expect(await isSocket(join(directory, 'file'))).toBe(false);
  server.close();
});
