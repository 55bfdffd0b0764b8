import { describe, expect, test } from 'vitest';
import type { Kernel } from '../../../src/core/memory/model.js';
import { takeSnapshot } from '../../../src/core/memory/snapshot.js';
import { fakeGuest, ip, taskAt } from './fake-guest.js';
import { TEXT } from './fake-kernel.js';

const TASKS = [{ comm: 'fsstress', pid: 40, state: 2, stack: 'syscall' as const }];
const sleeper = (kernel: Kernel) => takeSnapshot(kernel, { registers: [] }).tasks[0]!;
const names = (kernel: Kernel) => sleeper(kernel).frames;

describe('a frame whose return address a tracer keeps', () => {
  const returns = 0xffff_c900_0000_0000n + 40n * 0x8000n + 16384n - 512n + 56n;
  const kept = 0xffff_8883_0000_0000n;
  const whole = ['schedule', 'vfs_read', 'entry_SYSCALL_64_after_hwframe'];

  test.each(['6.1.0', '6.12.3'])('function graph, kernel %s', (release) => {
    const { kernel, memory } = fakeGuest(TASKS);
    memory.u64(returns + 8n, TEXT + 0x500n);
    memory.u64(returns + 24n, TEXT + 0x500n);
    memory.u64(taskAt(40) + 192n, kept);
    // Outermost first; the one between is a call in the tail of the innermost.
    const entries = [ip('entry'), TEXT + 0x500n, ip('read')];
    const words = release === '6.1.0' ? 4n : 5n;
    entries.forEach((address, index) => {
      memory.u64(kept + 8n * words * BigInt(index), address);
      if (words === 5n) memory.u64(kept + 8n * (words * BigInt(index) + 4n), 0x5404n);
    });
    memory.u32(taskAt(40) + 200n, words === 4n ? 2 : 15);
    expect(names({ ...kernel, release }).map(({ symbol }) => symbol)).toEqual(whole);
  });

  test('a probe of its return', () => {
    const { kernel, memory } = fakeGuest(TASKS);
    memory.u64(returns + 8n, TEXT + 0x580n);
    memory.u64(taskAt(40) + 208n, kept + 16n);
    memory.u64(kept + 32n, ip('read'));
    memory.u64(kept + 16n, 0);
    expect(names(kernel).map(({ symbol }) => symbol)).toEqual(whole);
  });

  test('which is not there', () => {
    const { kernel, memory } = fakeGuest(TASKS);
    memory.u64(returns + 8n, TEXT + 0x580n);
    const task = sleeper(kernel);
    expect(task.frames.map(({ symbol }) => symbol)).toEqual(['schedule']);
    expect(task.end).toEqual({ proper: false, why: 'a tracer keeps where a frame returns to' });
  });
});
