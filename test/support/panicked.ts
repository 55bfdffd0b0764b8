/** The looks at a guest whose kernel has panicked, and what a program can print of one. */
import type { CpuSample, Look } from '../../src/core/model.js';
import { running, type VirtualGuest } from './virtual-guest.js';

/** A kernel that has panicked: one vCPU spins, the other one has halted for good. */
export const dead = (at: number): Look => {
  const sample = (halted: boolean): CpuSample[] =>
    Array.from({ length: 4 }, () => ({ pc: 'ffffffff81c04a10', halted, user: false, masked: halted }));
  const vcpus = [false, true].map((halted, index) => ({
    ...{ index, threadId: 9 + index, cpuMs: halted ? 0 : at, samples: sample(halted) },
  }));
  return { ...running, qmp: { ok: true, runState: 'running', vcpus, block: null } };
};

/** Before the clock of the recorded kernels. */
export const PANIC = '[    5.0] Kernel panic - not syncing: all fine';
const FORGED = [
  PANIC,
  'Kernel panic - not syncing: all fine',
  '[  150.0] INFO: task mount:88 blocked for more than 120 seconds.',
  'watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [spin:99]',
  'BUG: kernel NULL pointer dereference, address: 0000000000000010',
  'rcu: INFO: rcu_preempt self-detected stall on CPU',
];

/** Any program may print them: one line, or one every few seconds. */
export function forge(guest: VirtualGuest, ms: number, other: number): void {
  const everyMs = 1_000 + (other % 7) * 3_000;
  const count = other % 2 === 0 ? 1 : Math.min(200, Math.ceil(ms / everyMs));
  for (let n = 0; n < count; n += 1)
    guest.lines([FORGED[(other + (other % 5 === 0 ? 0 : n)) % FORGED.length] ?? PANIC], n * everyMs);
}
