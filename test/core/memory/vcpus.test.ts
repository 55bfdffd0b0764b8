import { expect, test } from 'vitest';
import type { VcpuRegisters } from '../../../src/core/memory/model.js';
import { takeSnapshot } from '../../../src/core/memory/snapshot.js';
import { fakeGuest, type FakeTask } from './fake-guest.js';

const TASKS: readonly FakeTask[] = [
  { comm: 'init', pid: 1, stack: 'syscall' },
  { comm: 'kthreadd', pid: 2 },
  { comm: 'reader', pid: 40, stack: 'syscall', cpu: 1, onCpu: true },
];

test('the CPUs of kdump’s notes are told by the stacks they are on, else by their order', () => {
  const { kernel, registers } = fakeGuest(TASKS, [0, 40]);
  const noted = registers.map((one, vcpu) => ({ ...one, vcpu, gdt: null }));
  const seen = (given: readonly VcpuRegisters[]) =>
    takeSnapshot(kernel, { registers: given }).cpus.map(({ cpu, vcpu, user }) => [cpu, vcpu, user]);
  expect(seen(noted)).toEqual([
    [0, 0, false],
    [1, 1, false],
  ]);
  // CPU 0 did not answer.
  expect(seen(noted.slice(1))).toEqual([
    [0, null, null],
    [1, 1, false],
  ]);
  const inPrograms = noted.map((one) => ({ ...one, user: true, general: { ...one.general, sp: 0x7fffn } }));
  expect(seen(inPrograms)).toEqual([
    [0, 0, true],
    [1, 1, true],
  ]);
  expect(seen(inPrograms.slice(1))).toEqual([
    [0, null, null],
    [1, null, null],
  ]);
  // A table that cannot be read is no such note.
  expect(seen(inPrograms.map((one) => ({ ...one, gdt: 0n })))).toEqual([
    [0, null, null],
    [1, null, null],
  ]);
});
