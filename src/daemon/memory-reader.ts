/** Reads guests' memory: one process for all of them, which knows their kernels. It needs no key and stops no guest. */
import type { SampleAnswer, SnapshotAnswer } from '../core/memory/answers.js';
import type { Whose } from '../io/qemu-process.js';

/** Whose memory. */
export interface MemoryTarget extends Whose {
  vm: string;
}

export interface MemoryLimits {
  /** For the whole answer, in milliseconds, waiting for other guests' included. */
  timeoutMs: number;
  /** Of QMP, in milliseconds; 0: QEMU is not asked, for it is known not to answer. */
  qmpMs: number;
  signal?: AbortSignal | undefined;
}

export interface MemoryReader {
  /** All tasks with their stacks, and the guest's log. Never rejects. */
  snapshot(target: MemoryTarget, limits: MemoryLimits): Promise<SnapshotAnswer>;
  /** Who has not run for so long although it should have; QEMU is asked once a guest. Never rejects. */
  sample(target: MemoryTarget, standingForSeconds: number, limits: MemoryLimits): Promise<SampleAnswer>;
  /** The guest is gone: what is known of it is forgotten. */
  forget(vm: string): void;
  /** Ends the process. The next question starts a new one. */
  close(): void;
}
