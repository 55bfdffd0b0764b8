import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { look } from '../../src/io/look.js';
import { polite, reply } from '../support/qmp-server.js';
import { scratch, serve } from '../support/qmp-failure.js';
import { client, listening, served, shareArgs } from '../support/vhost-user.js';

const options = { timeoutMs: 200 };

/** A process with this command line; `name` is what it calls itself in argv[0]. */
async function start(name: string, ...args: string[]): Promise<ChildProcess & { pid: number }> {
  const fixture = join(import.meta.dirname, '../fixtures/named.mjs');
  const child = spawn(process.execPath, [fixture, ...args], {
    argv0: name,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child as unknown as ChildProcess & { pid: number };
}

function machine() {
  return serve(
    polite(({ execute, id }) => {
      if (execute === 'query-status') return reply(id, { status: 'running' });
      if (execute === 'query-cpus-fast') return reply(id, [{ 'cpu-index': 0, 'thread-id': 1 }]);
      return `{"id": ${id}, "error": {"class": "CommandNotFound", "desc": "x"}}\n`;
    }),
  );
}

it('names the server behind each share, and the state it is in', async () => {
  const { path } = await machine();
  const store = join(path, '../store.sock');
  const server = await listening(store);
  const qemu = await client([
    ...['-qmp', `unix:${path},server=on,wait=off`, '-append', 'console=ttyS0 quiet'],
    ...[...shareArgs('store', store), ...shareArgs('gone', `${store}.none`)],
  ]);
  await served(server);
  server.process.kill('SIGSTOP');
  const seen = await look({ qmpSocket: path, pid: null }, options);
  expect(seen).toMatchObject({
    qmp: { ok: true, runState: 'running', vcpus: [{ index: 0, threadId: 1, cpuMs: null }], block: null },
    qemu: { pid: qemu.pid, state: expect.stringMatching(/^[RS]$/) as string },
    kernelCommandLine: 'console=ttyS0 quiet',
    shares: [
      {
        tag: 'store',
        socket: store,
        serverIs: 'running',
        server: { pid: server.pid, state: 'T', waitedMs: expect.any(Number) as number },
      },
      { tag: 'gone', socket: `${store}.none`, server: null, serverIs: 'gone' },
    ],
  });
});

it('samples the registers where that is asked for', async () => {
  let asked = 0;
  const { path } = await serve(
    polite(({ execute, id, arguments: args }) => {
      if (execute === 'query-status') return reply(id, { status: 'running' });
      if (execute === 'query-cpus-fast') return reply(id, [{ 'cpu-index': 0, 'thread-id': 1 }]);
      if (execute !== 'human-monitor-command') return reply(id, []);
      expect(args).toEqual({ 'command-line': 'info registers -a' });
      asked += 1;
      return reply(
        id,
        `\r\nCPU#0\r\nRIP=ffffffff8100000${asked} RFL=00000246 [---Z-P-] CPL=0 II=0 HLT=0\r\n`,
      );
    }),
  );
  const seen = await look({ qmpSocket: path, pid: null, samples: true }, options);
  const samples = [1, 2, 3, 4].map((n) => ({
    pc: `ffffffff8100000${n}`,
    halted: false,
    user: false,
    masked: false,
  }));
  expect(seen.qmp).toMatchObject({ ok: true, vcpus: [{ index: 0, samples }] });
});

const REGISTERS = '\r\nCPU#0\r\nRIP=ffffffff81000001 RFL=00000246 [---Z-P-] CPL=0 II=0 HLT=0\r\n';

it('gives the socket back between samples that are slow', async () => {
  let asked = 0;
  const server = await serve(
    polite(({ execute, id }, client) => {
      if (execute === 'query-status') return reply(id, { status: 'running' });
      if (execute === 'query-cpus-fast') return reply(id, [{ 'cpu-index': 0, 'thread-id': 1 }]);
      if (execute !== 'human-monitor-command') return reply(id, []);
      asked += 1;
      setTimeout(() => client.write(reply(id, REGISTERS)), 120);
      return '';
    }),
  );
  await look({ qmpSocket: server.path, pid: null, samples: true }, { timeoutMs: 1_000 });
  await expect.poll(() => server.held.length).toBe(server.clients.length);
  expect(asked).toBe(4);
  expect(server.held.length).toBeGreaterThan(2);
  expect(Math.max(...server.held)).toBeLessThan(400);
});

it('tells the machine although nobody has time for its registers', async () => {
  const { path } = await serve(
    polite(({ execute, id }) => {
      if (execute === 'query-status') return reply(id, { status: 'running' });
      if (execute === 'query-cpus-fast') return reply(id, [{ 'cpu-index': 0, 'thread-id': 1 }]);
      return execute === 'human-monitor-command' ? '' : reply(id, []);
    }),
  );
  const seen = await look({ qmpSocket: path, pid: null, samples: true }, options);
  expect(seen.qmp).toMatchObject({ ok: true, runState: 'running', vcpus: [{ index: 0, samples: [] }] });
});

it('does not call a server gone while QEMU does not greet', async () => {
  const { path } = await serve(() => undefined);
  const args = ['-qmp', `unix:${path}`, ...shareArgs('store', join(path, '../none.sock'))];
  const qemu = await client(args);
  const { shares } = await look({ qmpSocket: path, pid: qemu.pid }, options);
  expect(shares).toMatchObject([{ tag: 'store', serverIs: 'unknown' }]);
});

it('says what is wrong with QMP, and what it sees nevertheless', async () => {
  const { path } = await serve(() => undefined);
  const qemu = await start('qemu-system-x86_64', '-qmp', `unix:${path}`);
  const seen = await look({ qmpSocket: path, pid: qemu.pid }, options);
  expect(seen.qmp).toMatchObject({ ok: false, fault: 'no-greeting' });
  expect(seen.qemu?.pid).toBe(qemu.pid);
  expect(['R', 'S']).toContain(seen.qemu?.state); // it may be starting still
});

it('finds nothing where nothing is, and throws nothing', async () => {
  const seen = await look({ qmpSocket: join(await scratch(), 'qmp.sock'), pid: 2 ** 30 }, options);
  expect(seen).toEqual({
    qmp: { ok: false, fault: 'missing', detail: expect.stringContaining('ENOENT') as string },
    qemu: null,
    kernelCommandLine: null,
    shares: [],
  });
});

it('takes no longer than two seconds, whatever its deadline', async () => {
  const { path } = await serve(polite(() => ''));
  const started = performance.now();
  const seen = await look({ qmpSocket: path, pid: null }, { timeoutMs: 60_000 });
  expect(performance.now() - started).toBeLessThan(2_300);
  expect(seen.qmp).toMatchObject({ ok: false, fault: 'timeout' });
});

it('ends when its caller gives up', async () => {
  const { path } = await serve(polite(() => ''));
  const giveUp = new AbortController();
  setImmediate(() => giveUp.abort(new Error('stopping')));
  const seen = await look({ qmpSocket: path, pid: null }, { timeoutMs: 60_000, signal: giveUp.signal });
  expect(seen.qmp).toMatchObject({ ok: false, detail: 'stopping' });
});
