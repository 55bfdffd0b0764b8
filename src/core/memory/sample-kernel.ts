/** One sample of a guest: the cheap walk, and the stacks of those who may stand. */
import type { Task } from '../model.js';
import type { SampleAnswer } from './answers.js';
import { memoryDump } from './dump.js';
import type { Kernel } from './model.js';
import { listStates } from './sample.js';
import type { Sampler } from './sampler.js';
import { stacksOf } from './snapshot.js';

/** `sampler`: of this boot of the guest. Who has not switched for `seconds`. */
export function sampleKernel(kernel: Kernel, sampler: Sampler, seconds: number): SampleAnswer {
  const states = listStates(kernel);
  if (states.tasks.length === 0)
    return { ok: false, why: states.broken ?? 'its kernel has no tasks', fix: null };
  return sampler.sample(states, seconds, (addresses) => tasksAt(kernel, addresses, states.clock));
}

function tasksAt(kernel: Kernel, addresses: readonly bigint[], clock: number): ReadonlyMap<bigint, Task> {
  const tasks = stacksOf(kernel, addresses, clock);
  const dump = memoryDump({ kernel, complete: true, incompleteBecause: [], clock, tasks, cpus: [] });
  return new Map(
    tasks.flatMap(({ address }, index) => {
      const task = dump.tasks[index];
      return task === undefined ? [] : [[address, task] as const];
    }),
  );
}
