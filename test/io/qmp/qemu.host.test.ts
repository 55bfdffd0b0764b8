/** The same client against a real QEMU, without a guest: what a scripted server says of QEMU is only belief. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { look } from '../../../src/io/look.js';
import type { QmpError } from '../../../src/io/qmp/error.js';
import { NoKeyboard, pressChord, pressEvents } from '../../../src/io/qmp/chord.js';
import { KEYLESS } from '../../../src/core/qmp/keyboards.js';
import { withQmp } from '../../../src/io/qmp/with-qmp.js';

const options = { timeoutMs: 1000 };
let directory: string;
let path: string;
let qemu: ChildProcess;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'qmp-'));
  await start('-M', 'q35', '-smp', '2', '-drive', 'if=virtio,driver=null-co,size=1M', '-S');
}, 20_000);

async function start(...devices: string[]): Promise<void> {
  path = join(directory, `qmp${devices.length}.sock`);
  const bare = [
    '-accel',
    'tcg',
    '-nodefaults',
    '-display',
    'none',
    '-qmp',
    `unix:${path},server=on,wait=off`,
  ];
  qemu = spawn('qemu-system-x86_64', [...devices, ...bare], { stdio: ['ignore', 'ignore', 'inherit'] });
  await once(qemu, 'spawn').catch((cause: unknown) => {
    throw new Error('no qemu-system-x86_64; apt-get install qemu-system-x86', { cause });
  });
  await expect.poll(() => access(path).then(() => true), { timeout: 15_000 }).toBe(true);
}

afterEach(async () => {
  qemu.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

/** QEMU needs a moment to throw out the clients that gave up. */
const pressed = () =>
  pressChord(path, 'h', options).then(
    () => 'taken',
    (error: unknown) => (error as QmpError).fault,
  );

it('greets and tells its state', async () => {
  const status = await withQmp(path, options, (session) => session.execute('query-status'));
  expect(status).toMatchObject({ status: 'prelaunch', running: false });
});

it('takes every chord', async () => {
  for (const key of ['h', 'w', 't', 'l', '0', '9'] as const) await pressChord(path, key, options);
});

it('says of a guest without any keyboard that it has none', async () => {
  qemu.kill('SIGKILL');
  await start('-M', 'q35,i8042=off');
  await expect(pressEvents(path, 'h', options)).rejects.toEqual(new NoKeyboard(KEYLESS));
});

it('refuses a command that it lacks', async () => {
  const unknown = withQmp(path, options, (session) => session.execute('no-such-command'));
  await expect(unknown).rejects.toMatchObject({
    fault: 'refused',
    received: 'CommandNotFound: The command no-such-command has not been found',
  });
});

it('is busy while another client stays, also with a full queue, and serves again when it leaves', async () => {
  const other = connect(path);
  onTestFinished(() => void other.destroy());
  await once(other, 'data');
  const short = { timeoutMs: 200 };
  // The clients that gave up fill QEMU's queue: the last is not even let in.
  for (let looks = 0; looks < 4; looks += 1) {
    await expect(pressChord(path, 'h', short)).rejects.toMatchObject({ fault: 'busy' });
  }
  other.destroy();
  await expect.poll(pressed).toBe('taken');
});

it('lets a unit’s ExecStop in although clients that gave up wait in its queue', async () => {
  const other = connect(path);
  onTestFinished(() => void other.destroy());
  await once(other, 'data');
  for (let looks = 0; looks < 4; looks += 1) {
    await expect(pressChord(path, 'h', { timeoutMs: 100 })).rejects.toMatchObject({ fault: 'busy' });
  }
  const stop = connect(path);
  onTestFinished(() => void stop.destroy());
  // With a full queue connect(2) fails with EAGAIN.
  await once(stop, 'connect');
  other.destroy();
  await once(stop, 'data');
});

it('is stopped through the same socket at once, in the middle of chords and looks', async () => {
  const faults: string[] = [];
  const over = new AbortController();
  const capture = (async () => {
    while (!over.signal.aborted) {
      const [fault] = await Promise.all([pressed(), look({ qmpSocket: path, pid: null }, options)]);
      faults.push(fault);
    }
  })();
  await expect.poll(() => faults.length, { timeout: 5_000 }).toBeGreaterThan(1);
  const before = [...faults];
  const asked = performance.now();
  const stop = connect(path);
  stop.on('error', () => undefined);
  await once(stop, 'data');
  expect(performance.now() - asked).toBeLessThan(1_000);
  stop.write('{"execute": "qmp_capabilities"}\n{"execute": "quit"}\n');
  await once(qemu, 'exit');
  over.abort();
  await capture;
  expect(new Set(before)).toEqual(new Set(['taken']));
  // It ends in any of these words, none of which accuses QEMU of being stuck.
  expect(['busy', 'closed', 'missing', 'taken']).toEqual(expect.arrayContaining([...new Set(faults)]));
});

it('is stuck, not busy, when it stops in the middle of a session', async () => {
  const short = { timeoutMs: 200 };
  const stopped = withQmp(path, short, (session) => {
    qemu.kill('SIGSTOP');
    return session.execute('query-status');
  });
  await expect(stopped).rejects.toMatchObject({ fault: 'timeout' });
  for (let looks = 0; looks < 4; looks += 1) {
    await expect(pressChord(path, 'h', short)).rejects.toMatchObject({ fault: 'main-loop-stuck' });
  }
  const seen = await look({ qmpSocket: path, pid: null }, short);
  expect(seen.qemu).toEqual({ pid: qemu.pid, state: 'T' });
  qemu.kill('SIGCONT');
  await expect.poll(pressed).toBe('taken');
});

it('is looked at: its state, its vCPUs, its disk and its process', async () => {
  const seen = await look({ qmpSocket: path, pid: null }, options);
  const number = expect.any(Number) as number;
  const vcpu = { threadId: number, cpuMs: number, waitedMs: number };
  expect(seen).toEqual({
    qmp: {
      ok: true,
      runState: 'prelaunch',
      vcpus: [
        { ...vcpu, index: 0 },
        { ...vcpu, index: 1 },
      ],
      block: { reads: 0, writes: 0 },
      disks: [{ name: 'virtio0', reads: 0, writes: 0, flushes: 0, failed: 0 }],
    },
    qemu: { pid: qemu.pid, state: expect.stringMatching(/^[RS]$/) as string },
    kernelCommandLine: null,
    shares: [],
  });
});

it('is found although the pid that is known is not its own', async () => {
  const seen = await look({ qmpSocket: path, pid: process.pid }, options);
  expect(seen.qemu?.pid).toBe(qemu.pid);
});
