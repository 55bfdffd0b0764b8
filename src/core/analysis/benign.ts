import type { Task } from '../model.js';
import { firmSymbols } from './frames.js';
import { backendOf } from './backends.js';
import { layerOf } from './layers.js';
import { perStack } from './per-stack.js';

/** A kernel thread that was created and never woken for its first run: parked in D since then, and harmless. */
const NEVER_RUN =
  /^(?:__schedule|schedule|schedule_preempt_disabled|context_switch|__switch_to\w*|kthread|ret_from_\w+|kernel_thread_\w+)$/;
/** Kernel threads end in these, outermost. */
const KTHREAD_END =
  /^(?:kthread|kthreadd|ret_from_fork\w*|ret_from_kernel_thread\w*|kernel_thread_\w+|child_rip)$/;
/** Frozen by a suspend or a cgroup: D, but somebody wants it. */
const FROZEN = /^(?:__refrigerator|do_freezer_trap)$/;

/** Created, never run. */
export const neverRun = perStack((frames): boolean => {
  const names = firmSymbols(frames);
  return (
    names.length > 0 &&
    names.every((name) => NEVER_RUN.test(name)) &&
    names.some((name) => KTHREAD_END.test(name))
  );
});

/** Stopped by a suspend or a cgroup. */
export const isFrozen = perStack((frames): boolean => firmSymbols(frames).some((name) => FROZEN.test(name)));

/** Never the reason of a hang, whatever state it is in. */
export function isBenign(task: Task): boolean {
  if (task.state === 'I' || task.state === 'Z' || task.state === 'X' || task.state === 'P') return true;
  return task.comm === 'khungtaskd' || neverRun(task.frames) || isFrozen(task.frames);
}

/** A kernel thread that waits for work: asleep directly below its main function. */
export function isIdleThread({ state, frames }: Pick<Task, 'state' | 'frames'>): boolean {
  if (state === 'I') return true;
  return state === 'S' ? waitsForWork(frames) : isThread(frames) && neverRun(frames);
}

const isThread = perStack((frames) => {
  const names = firmSymbols(frames);
  return names.some((name) => KTHREAD_END.test(name)) && !names.includes('process_one_work');
});

const waitsForWork = perStack(
  (frames) =>
    isThread(frames) &&
    (neverRun(frames) ||
      (backendOf(frames) === null &&
        firmSymbols(frames).filter((name) => layerOf(name) === 'operation').length <= 2)),
);
