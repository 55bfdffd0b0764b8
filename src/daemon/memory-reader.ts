/** Who reads guests' memory: one process for all guests, or nobody. */
import type { SampleAnswer, SnapshotAnswer } from '../core/memory/answers.js';
import type { Whose } from '../io/qemu-process.js';

/** Whose memory: the VM, and by what its QEMU is found. */
export interface MemoryTarget extends Whose {
  vm: string;
}

/** None of these rejects: what fails is `Closed`, with its reason. */
export interface MemoryReader {
  /** All tasks with their stacks. Closed where it takes longer than `deadlineMs`. */
  snapshot(target: MemoryTarget, deadlineMs: number): Promise<SnapshotAnswer>;
  /** Who has stood for so many seconds. What it keeps of the guest is bounded. */
  sample(target: MemoryTarget, seconds: number): Promise<SampleAnswer>;
  /** The guest is gone, or begins anew: what was learned of its kernel may be wrong. */
  forget(vm: string): void;
  close(): void;
}

const CLOSED = { ok: false as const, why: 'nobody reads it in this process', fix: null };

/** Where nobody reads: today's rules hold unchanged. */
export const NO_READER: MemoryReader = {
  snapshot: () => Promise.resolve(CLOSED),
  sample: () => Promise.resolve(CLOSED),
  forget: () => undefined,
  close: () => undefined,
};
