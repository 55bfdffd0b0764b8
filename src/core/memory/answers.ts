/** What the reader of guests' memory answers. It runs in a process of its own, so all of it is plain data. */
import type { Dump, Task } from '../model.js';
import type { KernelLog } from './printk.js';

/** Why the memory cannot be read: a clause, and what opens it; null where nothing does. */
export interface Closed {
  ok: false;
  why: string;
  fix: string | null;
  /** The memory was read, and no kernel found in it. */
  noKernel?: true;
}

export interface SnapshotTaken {
  ok: true;
  /** Its key is `memory`. */
  dump: Dump;
  /** memory.txt */
  text: string;
  /** Why it was not read in a way that shows more. */
  instead?: Closed;
  /** dmesg.txt, and how many records it lacks; null where the ring could not be read. */
  log: KernelLog | null;
}

export interface SampleTaken {
  ok: true;
  /** The scheduler's clock, seconds since the boot. */
  clock: number;
  tasks: number;
  /** A list of tasks did not close: there are more. */
  broken: boolean;
  /**
   * Those in D, or in S inside a request to a server, that have not switched for as long as was asked; with their
   * stacks, and what they wait for.
   */
  standing: Task[];
}

export type SnapshotAnswer = SnapshotTaken | Closed;
export type SampleAnswer = SampleTaken | Closed;
