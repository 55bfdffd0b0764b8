/** Who reads guests' memory: one process for all guests, or nobody. */
import type { Closed, SampleAnswer, SnapshotAnswer } from '../core/memory/answers.js';
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

/** Where the configuration says `memory: off`: not even opened. */
export const SWITCHED_OFF: Closed = {
  ok: false,
  why: 'the configuration says memory: off',
  fix: 'set memory: on for this guest',
};

const CLOSED: Closed = { ok: false, why: 'nobody reads it in this process', fix: null };

const closedReader = (answer: Closed): MemoryReader => ({
  snapshot: () => Promise.resolve(answer),
  sample: () => Promise.resolve(answer),
  forget: () => undefined,
  close: () => undefined,
});

/** Where nobody reads: today's rules hold unchanged. */
export const NO_READER = closedReader(CLOSED);
export const OFF_READER = closedReader(SWITCHED_OFF);
