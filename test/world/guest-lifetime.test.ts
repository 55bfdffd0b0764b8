import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildGuest, guestCache, type GuestImage } from '../../src/guest/build.js';
import { call } from '../../src/guest/call.js';
import type { RunningGuest } from '../../src/guest/start.js';
import { compileTo } from '../support/compile.js';

let image: GuestImage;
let directory: string;
let fixture: string;

beforeAll(async () => {
  image = await buildGuest(guestCache(), { log: () => undefined });
  directory = await mkdtemp(join(tmpdir(), 'wedgewatch-test-'));
  fixture = await compileTo(directory, 'demo-guest.js');
});

afterAll(() => rm(directory, { recursive: true }));

/** Starts a demo guest in a process of its own; returns once it says that the guest runs. */
async function demo(append: string): Promise<{ child: ChildProcessWithoutNullStreams; guest: RunningGuest }> {
  const child = spawn(process.execPath, [fixture, image.directory, append]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += String(chunk)));
  const lines = createInterface({ input: child.stdout });
  const failed = once(child, 'exit').then(() => Promise.reject(new Error(errors)));
  const [line] = (await Promise.race([once(lines, 'line'), failed])) as [string];
  failed.catch(() => undefined);
  return { child, guest: JSON.parse(line) as RunningGuest };
}

const ssh = (guest: RunningGuest) =>
  call('ssh', ['-F', guest.sshConfigFile, '-o', 'ConnectTimeout=2', guest.sshHost, 'uname'], {
    timeoutMs: 4_000,
  });

async function answers(guest: RunningGuest): Promise<void> {
  const end = performance.now() + 60_000;
  for (;;) {
    const failure = await ssh(guest).then(() => null, String);
    if (failure === null) return;
    if (performance.now() > end) throw new Error(failure);
    await delay(200);
  }
}

/** Command lines that name the guest's directory: its QEMU and its virtiofsd. */
async function servers(guest: RunningGuest): Promise<string[]> {
  const directory = dirname(guest.sshConfigFile);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.includes(directory));
}

async function expectGone(guest: RunningGuest): Promise<void> {
  await expect.poll(() => servers(guest), { timeout: 10_000 }).toEqual([]);
  await expect.poll(() => existsSync(dirname(guest.sshConfigFile)), { timeout: 10_000 }).toBe(false);
  expect(existsSync(guest.qmpSocket)).toBe(false);
}

test('the guest is lost with its store, is back with it, and stops when told', async () => {
  const { child, guest } = await demo('quiet wedge.mode=job');
  await answers(guest);
  expect(await servers(guest)).toHaveLength(2);
  child.stdin.write('wedge\n');
  await delay(200);
  await expect(ssh(guest)).rejects.toThrow();
  child.stdin.write('unwedge\n');
  await answers(guest);
  child.stdin.end('wedge\nstop\n');
  expect(await once(child, 'exit')).toEqual([0, null]);
  await expectGone(guest);
});

test.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
  'nothing is left of a wedged guest after %s',
  async (signal) => {
    const { child, guest } = await demo('quiet wedge.mode=job');
    child.stdin.write('wedge\n');
    child.kill(signal);
    await expectGone(guest);
  },
);

test('nothing is left after an exception', async () => {
  const { child, guest } = await demo('quiet');
  child.stdin.write('throw\n');
  await expectGone(guest);
});
