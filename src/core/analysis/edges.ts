/** The edges of the wait-for graph, which waits.ts and same-code.ts find. */
import type { Confidence, Task } from '../model.js';
import type { WaitFound } from './wait-kinds.js';

/** One task waits for another. */
export interface Edge {
  waiter: Task;
  /** Its pid, null where its header was lost, and its stack where a dump has it; else what is known of it. */
  owner: { comm: string; pid: number | null; task: Task | null; doing?: string };
  through: string;
  confidence: Confidence;
  /** What says so, as a clause. */
  reason: string;
  source: EdgeSource;
}

/** The lock's own word, the kernel's, lockdep's table, the table of busy workqueues, or a rule about who does what. */
type EdgeSource = 'memory' | 'hung_task' | 'lockdep' | 'workqueues' | 'rule';
type Says = Pick<Edge, 'through' | 'confidence' | 'reason' | 'source'>;

/** Whom a stuck task waits for, given the lock that its stack waits for; null if this finder does not know. */
export type Finder = (task: Task, lock: WaitFound | null) => Edge | null;

/** Whether two sightings are of one task: by the pid, or of one whose header was lost, the very stack. */
export const isSame = (one: Task, other: Task): boolean =>
  one === other || (one.pid !== null && one.pid === other.pid);

/** The edge to a task, if there is one and it is another. */
export function toTask(waiter: Task, owner: Task | undefined, says: Says): Edge | null {
  return owner === undefined || isSame(waiter, owner) ? null : edgeTo(waiter, owner, says);
}

/** The same to any task: one that waits for itself is a ring of one. */
export const edgeTo = (waiter: Task, owner: Task, says: Says): Edge => ({
  waiter,
  owner: { comm: owner.comm, pid: owner.pid, task: owner },
  ...says,
});
