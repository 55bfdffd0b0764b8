/** What a kworker's own line says: kernel/workqueue.c, print_worker_info(). */
import type { Task } from '../../model.js';
import type { Kernel, MemoryTask } from '../model.js';
import { objectLayout } from './layout.js';
import type { Words } from './words.js';

const PF_WQ_WORKER = 0x20;
const NAME_MAX = 32;

/** Null for another task, and for a worker that has nothing to do. */
export function workOf(task: MemoryTask, kernel: Kernel, words: Words): Task['workqueue'] {
  const at = objectLayout(kernel).workers;
  if (!at || !task.kernelThread || (task.flags & PF_WQ_WORKER) === 0) return null;
  const worker = through(words, task.address + at.thread, at.data);
  const code = worker === null ? 0n : (words.u64(worker + at.func) ?? 0n);
  const func = code === 0n ? null : (calledBy(task) ?? kernel.symbols.at(code)?.name ?? null);
  if (worker === null || func === null) return null;
  const queue = through(words, worker + at.pool, at.queue);
  const name = queue === null ? null : words.text(queue + at.name, NAME_MAX);
  // It describes itself with the queue's name where it has nothing more to say.
  const about = words.text(worker + at.about, NAME_MAX);
  return { name: name ?? '', func, ...(about === null || about === name ? {} : { about }) };
}

/** A module's function has its name on the stack. */
function calledBy({ frames }: MemoryTask): string | null {
  const carrier = frames.findIndex(({ symbol }) => symbol === 'process_one_work');
  return carrier < 1 ? null : (frames[carrier - 1]?.symbol ?? null);
}

/** The pointer at an offset of what a pointer leads to. */
function through(words: Words, pointer: bigint, offset: bigint): bigint | null {
  const middle = words.pointer(pointer);
  return middle === null ? null : words.pointer(middle + offset);
}
