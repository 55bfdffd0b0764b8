/** Whose process is whose: the unit's helpers write under its name too, and a pid is given to another in time. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { look } from '../../src/io/look.js';
import { findQemu, identify, type Whose } from '../../src/io/qemu-process.js';
import { polite, reply } from '../support/qmp-server.js';
import { scratch, serve } from '../support/qmp-failure.js';

type Running = ChildProcess & { pid: number };

/** A process with this command line; `name` is what it calls itself in argv[0]. */
async function start(name: string, ...args: string[]): Promise<Running> {
  const fixture = join(import.meta.dirname, '../fixtures/named.mjs');
  const child = spawn(process.execPath, [fixture, ...args], {
    argv0: name,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child as unknown as Running;
}

const find = (whose: Whose) => findQemu(whose, AbortSignal.timeout(5_000));
const qmp = (socket: string) => ['-qmp', `unix:${socket},server=on,wait=off`];

describe('the QEMU of a guest', () => {
  it('is the one that names its socket, whoever wrote first under its unit', async () => {
    const qmpSocket = join(await scratch(), 'qmp.sock');
    const helper = await start('varlinkctl', 'call', `unix:${qmpSocket}`);
    const qemu = await start('qemu-system-x86_64', ...qmp(qmpSocket));
    for (const pid of [null, helper.pid, qemu.pid, 4_194_303])
      for (const writer of [null, helper.pid, qemu.pid])
        expect((await find({ qmpSocket, pid, writer }))?.pid).toBe(qemu.pid);
  });

  it('is not a helper of its unit, nor a process that has its pid now', async () => {
    const qmpSocket = join(await scratch(), 'qmp.sock');
    const helper = await start('socat', '-', `unix:${qmpSocket}`);
    const other = await start('qemu-system-x86_64', ...qmp(`${qmpSocket}.of-another`));
    expect(await find({ qmpSocket, pid: helper.pid, writer: helper.pid })).toBeNull();
    expect(await find({ qmpSocket, pid: other.pid, writer: other.pid })).toBeNull();
  });

  it('may not name its socket: then it is the first that wrote, where that is a QEMU', async () => {
    const directory = await scratch();
    const qmpSocket = join(directory, 'qmp.sock');
    const byFile = await start('qemu-system-x86_64', '-readconfig', 'vm.cfg');
    expect(await find({ qmpSocket, pid: null, writer: byFile.pid })).toMatchObject({ pid: byFile.pid });
    expect(await find({ qmpSocket, pid: byFile.pid, writer: null })).toBeNull();
    await writeFile(join(directory, 'real.sock'), '');
    await symlink('real.sock', qmpSocket);
    const byLink = await start('qemu-kvm', ...qmp(join(directory, 'real.sock')));
    expect(await find({ qmpSocket, pid: null, writer: byLink.pid })).toMatchObject({ pid: byLink.pid });
  });

  it('is behind a wrapper that wrote first', async () => {
    const qmpSocket = join(await scratch(), 'qmp.sock');
    const wrapper = await start('/bin/sh', '-c', `qemu-system-x86_64 -qmp unix:${qmpSocket}`);
    const qemu = await start('qemu-system-x86_64', ...qmp(qmpSocket));
    expect(await find({ qmpSocket, pid: null, writer: wrapper.pid })).toMatchObject({ pid: qemu.pid });
  });

  it('tells the way to its guest', async () => {
    const qmpSocket = join(await scratch(), 'qmp.sock');
    const nic = ['-nic', 'user,hostfwd=tcp:127.0.0.1:10022-:22'];
    const qemu = await start('qemu-system-x86_64', ...qmp(qmpSocket), ...nic);
    const forward = { address: '127.0.0.1', port: 10022 };
    await expect
      .poll(() => identify({ qmpSocket, pid: null }), { timeout: 5_000 })
      .toMatchObject({ pid: qemu.pid, forward });
    expect(await identify({ qmpSocket: `${qmpSocket}.none`, pid: null })).toBeNull();
  });
});

it('a look takes no state and no CPU times from a process that merely wrote', async () => {
  const { path } = await serve(
    polite(({ execute, id }) => {
      if (execute === 'query-status') return reply(id, { status: 'running' });
      return reply(id, execute === 'query-cpus-fast' ? [{ 'cpu-index': 0, 'thread-id': helper.pid }] : []);
    }),
  );
  const helper = await start('varlinkctl', 'call');
  helper.kill('SIGSTOP');
  const seen = await look({ qmpSocket: path, pid: helper.pid, writer: helper.pid }, { timeoutMs: 2_000 });
  expect(seen).toMatchObject({ qemu: null, shares: [], qmp: { vcpus: [{ cpuMs: null }] } });
});
