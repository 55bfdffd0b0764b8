import type { Dump, Task } from '../model.js';
import { isBenign } from './benign.js';

/** Equal for a task that did not move: pid, comm, state, and each frame with its offset. Null proves nothing. */
export function standstillKey(task: Task): string | null {
  if (task.pid === null || task.frames.length === 0) return null;
  const frames = task.frames.map(
    ({ symbol, offset, reliable }) => `${symbol}+${offset ?? '?'}${reliable ? '' : '?'}`,
  );
  return `${task.pid}|${task.comm}|${task.state}|${frames.join(';')}`;
}

/**
 * Tasks of the second dump that stood still since the first: same pid, comm, state, and the same frames with offsets.
 * Kernel threads that never ran, idle and frozen tasks are left out. On dumps of key t this includes every sleeper,
 * so only dumps of blocked tasks (w) accuse anybody.
 */
export function unchangedTasks(first: Dump, second: Dump): Task[] {
  const before = new Set(first.tasks.map(standstillKey));
  return second.tasks.filter((task) => {
    const key = standstillKey(task);
    return key !== null && before.has(key) && !isBenign(task);
  });
}
