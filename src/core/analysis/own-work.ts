/** Workers that wait for work, and run it themselves. */
import { entryOf, firmSymbols } from './frames.js';
import type { Root } from './roots.js';
import { waitOf } from './wait-kinds.js';

/** A worker that waits for a work item may wait for the very one it runs. */
function ownWorkOf({ task, edges }: Root): string | null {
  const entry = entryOf(task);
  if (entry?.kind !== 'work' || waitOf(task)?.kind !== 'work') return null;
  return edges.some(({ waiter }) => waiter === task) ? null : entry.func;
}

/** The same as a reason. */
export function ownWork(root: Root): string[] {
  const func = ownWorkOf(root);
  if (func === null) return [];
  return [`It runs the work ${func} itself: if that is the one it waits for, it waits for ever.`];
}

/** Who destroys a queue, or cancels a work, from within one most likely means its own. */
export function ownWorkEnd(root: Root): string | null {
  const func = ownWorkOf(root);
  if (func === null) return null;
  const names = firmSymbols(root.task.frames);
  if (names.some((name) => /^(?:destroy|drain)_workqueue$/.test(name)))
    return `perhaps its own workqueue, whose work ${func} it runs (inferred)`;
  return names.some((name) => /^_*cancel_(?:delayed_)?work/.test(name))
    ? `perhaps its own work ${func} (inferred)`
    : null;
}
