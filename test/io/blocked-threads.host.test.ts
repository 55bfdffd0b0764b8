/** A real process in D: the parent of a vfork waits for its child. */
import { spawn } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { blockedThread } from '../../src/io/blocked-threads.js';
import { readStat } from '../../src/io/proc.js';

const VFORK: Partial<Record<string, number>> = { x64: 58 };
let group: number | undefined;

afterEach(() => {
  if (group !== undefined) process.kill(-group, 'SIGKILL');
  group = undefined;
});

function start(script: string): number {
  const child = spawn('perl', ['-e', script], { detached: true, stdio: 'ignore' });
  group = child.pid;
  return child.pid ?? 0;
}

test('its wait is named, and grows from look to look while it is not switched', async () => {
  const pid = start(`syscall(${VFORK[process.arch] ?? 58}) or sleep 60`);
  await expect.poll(async () => (await readStat(pid))?.state, { timeout: 5_000 }).toBe('D');
  const first = await blockedThread(pid);
  expect(first).toMatchObject({ tid: pid, comm: 'perl', forMs: 0, on: [] });
  await expect.poll(async () => (await blockedThread(pid))?.forMs, { timeout: 5_000 }).toBeGreaterThan(100);
});

test('who sleeps is not in D, and who is gone neither', async () => {
  const pid = start('sleep 60');
  await expect.poll(async () => (await readStat(pid))?.state, { timeout: 5_000 }).toBe('S');
  expect(await blockedThread(pid)).toBeNull();
  expect(await blockedThread(2 ** 22 + 1)).toBeNull();
});
