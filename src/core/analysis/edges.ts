/** The edges of the wait-for graph, which waits.ts and same-code.ts find. */
import type { Confidence, Task } from '../model.js';
import type { WaitFound } from './wait-kinds.js';

/** One task waits for another. */
export interface Edge {
  waiter: Task;
  /** Its pid, and its stack where a dump has it. */
  owner: { comm: string; pid: number; task: Task | null };
  through: string;
  confidence: Confidence;
  /** What says so, as a clause. */
  reason: string;
  source: EdgeSource;
}

/** The kernel's own word, lockdep's table, the table of busy workqueues, or a rule about who does what. */
type EdgeSource = 'hung_task' | 'lockdep' | 'workqueues' | 'rule';
type Says = Pick<Edge, 'through' | 'confidence' | 'reason' | 'source'>;

/** Whom a stuck task waits for, given the lock that its stack waits for; null if this finder does not know. */
export type Finder = (task: Task, lock: WaitFound | null) => Edge | null;

/** The edge to a task, if there is one and it is another. */
export function toTask(waiter: Task, owner: Task | undefined, says: Says): Edge | null {
  if (!owner || owner.pid === null || owner.pid === waiter.pid) return null;
  return { waiter, owner: { comm: owner.comm, pid: owner.pid, task: owner }, ...says };
}
