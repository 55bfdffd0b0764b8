/** Real processes that wait: the parent of a vfork in D for its child, a client of FUSE in S for a server that is stopped. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { blockedThread } from '../../src/io/blocked-threads.js';
import { readStat } from '../../src/io/proc.js';

const VFORK: Partial<Record<string, number>> = { x64: 58 };
let group: number | undefined;

afterEach(() => {
  if (group !== undefined) process.kill(-group, 'SIGKILL');
  group = undefined;
});

/** Perl, once the script has written something: while it starts, it may be in D for the disk. */
async function start(script: string): Promise<number> {
  const child = spawn('perl', ['-e', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  group = child.pid;
  await once(child.stdout, 'data');
  return child.pid ?? 0;
}

test('its wait is named, and grows from look to look while it is not switched', async () => {
  const pid = await start(`syscall(${VFORK[process.arch] ?? 58}) or syswrite(STDOUT, 'child') && sleep 60`);
  await expect.poll(async () => (await readStat(pid))?.state, { timeout: 5_000 }).toBe('D');
  const first = await blockedThread(pid);
  expect(first).toMatchObject({ tid: pid, comm: 'perl', forMs: 0, on: [] });
  await expect.poll(async () => (await blockedThread(pid))?.forMs, { timeout: 5_000 }).toBeGreaterThan(100);
});

test('who sleeps is not in D, and who is gone neither', async () => {
  const pid = await start(`syswrite STDOUT, 'up'; sleep 60`);
  await expect.poll(async () => (await readStat(pid))?.state, { timeout: 5_000 }).toBe('S');
  expect(await blockedThread(pid)).toBeNull();
  expect(await blockedThread(2 ** 22 + 1)).toBeNull();
});

const run = promisify(execFile);

test('who waits for the server of a FUSE mount waits in S, and it is named', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'fused-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const [program, mount] = [join(directory, 'fused'), join(directory, 'mount')];
  await run('cc', ['-o', program, join(import.meta.dirname, '../../guest/wedges/fused.c')]);
  await run('mkdir', [mount]);
  const server = spawn(program, [mount], { stdio: ['ignore', 'ignore', 'inherit'] });
  onTestFinished(async () => {
    server.kill('SIGKILL');
    await run('umount', ['--lazy', mount]);
  });
  await expect.poll(() => readFile('/proc/self/mountinfo', 'utf8')).toContain(` ${mount} `);
  const pid = await start(
    `open F, '${mount}/file'; chroot '${mount}'; chdir '/'; syswrite STDOUT, 'up'; for (;;) { stat $n++; select undef, undef, undef, .02 }`,
  );
  server.kill('SIGSTOP');
  await expect
    .poll(async () => (await blockedThread(pid))?.wchan, { timeout: 5_000 })
    .toBe('request_wait_answer');
  const seen = await blockedThread(pid);
  expect(seen).toMatchObject({ tid: pid, state: 'S', on: [`fuse of fused (${mount})`] });
  expect((await blockedThread(pid))?.forMs).toBeGreaterThan(0);
});
