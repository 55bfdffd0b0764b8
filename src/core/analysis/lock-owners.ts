import type { Task } from '../model.js';
import type { Finder } from './edges.js';

/** Memory shows the lock, and its owner. An rwsem that is held by readers names the last that took it. */
export function byOwner(tasks: ReadonlyMap<number, Task>): Finder {
  return (waiter) => {
    const { wantsLock } = waiter;
    const owner = wantsLock?.owner;
    if (!wantsLock || !owner) return null;
    const task = tasks.get(owner.pid) ?? null;
    const readers = wantsLock.held === 'readers';
    return {
      waiter,
      owner: { ...owner, task: owner.pid === waiter.pid ? waiter : task },
      through: lockText(wantsLock, waiter.objects),
      confidence: readers ? 'medium' : 'high',
      reason: readers ? 'memory shows it as the last reader that took it' : 'memory shows it as the owner',
      source: 'memory',
    };
  };
}

function lockText({ kind, name }: NonNullable<Task['wantsLock']>, objects: Task['objects'] = []): string {
  const lock = kind === 'rwsem' ? 'an rw-semaphore' : `a ${kind}`;
  const called = objects.find((one) => one.kind === 'lock')?.text ?? name;
  return called === undefined ? lock : `${called}, ${lock}`;
}
