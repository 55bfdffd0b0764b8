/** What a kworker's own line says: kernel/workqueue.c, print_worker_info(). */
import type { Task } from '../../model.js';
import type { Kernel, MemoryTask } from '../model.js';
import { objectLayout } from './layout.js';
import type { Pointers } from './pointers.js';

const PF_WQ_WORKER = 0x20;
const NAME_MAX = 32;

/** Null for another task, and for a worker that has nothing to do. */
export function workOf(task: MemoryTask, kernel: Kernel, pointers: Pointers): Task['workqueue'] {
  const at = objectLayout(kernel).workers;
  if (!at || !task.kernelThread || (task.flags & PF_WQ_WORKER) === 0) return null;
  const worker = through(pointers, task.address + at.thread, at.data);
  const code = worker === null ? 0n : (pointers.u64(worker + at.func) ?? 0n);
  const func = code === 0n ? null : (calledBy(task) ?? kernel.symbols.at(code)?.name ?? null);
  if (worker === null || func === null) return null;
  const queue = through(pointers, worker + at.pool, at.queue);
  const name = queue === null ? null : pointers.text(queue + at.name, NAME_MAX);
  // It describes itself with the queue's name where it has nothing more to say.
  const about = pointers.text(worker + at.about, NAME_MAX);
  return { name: name ?? '', func, ...(about === null || about === name ? {} : { about }) };
}

/** A module's function has its name on the stack. */
function calledBy({ frames }: MemoryTask): string | null {
  const carrier = frames.findIndex(({ symbol }) => symbol === 'process_one_work');
  return carrier < 1 ? null : (frames[carrier - 1]?.symbol ?? null);
}

/** The pointer at an offset of what a pointer leads to. */
function through(pointers: Pointers, pointer: bigint, offset: bigint): bigint | null {
  const middle = pointers.pointer(pointer);
  return middle === null ? null : pointers.pointer(middle + offset);
}
