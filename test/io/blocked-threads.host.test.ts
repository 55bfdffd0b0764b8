/** A real process in D: the parent of a vfork waits for its child. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';
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
