/** What memory tells of tasks, brought to the same tasks in the dumps that the guest printed. */
import type { Dump, Task } from '../model.js';
import { firmText } from './groups.js';

/** Equal for two sightings of one task in one place, whichever way its stack came: the firm functions. */
export const placeKey = (task: Task): string => `${task.comm}\n${firmText(task.frames).text}`;

/**
 * The dumps, with what memory alone can tell of a lock, a request and of files on each task that it shows in the same
 * place. Without a dump from memory they come back as they are.
 */
export function withMemory(dumps: readonly Dump[]): readonly Dump[] {
  const read = dumps.filter(({ key }) => key === 'memory');
  if (read.length === 0) return dumps;
  const facts = new Map<string, Task>();
  for (const { tasks } of read)
    for (const task of tasks)
      if (task.pid !== null && task.frames.length > 0 && hasFacts(task)) facts.set(keyOf(task), task);
  return dumps.map((dump) =>
    dump.key === 'memory' ? dump : { ...dump, tasks: dump.tasks.map((task) => withFacts(task, facts)) },
  );
}

const keyOf = (task: Task): string => `${task.pid ?? ''}|${placeKey(task)}`;

const hasFacts = ({ wantsLock, request, objects }: Task): boolean =>
  wantsLock !== undefined || request !== undefined || objects !== undefined;

function withFacts(task: Task, facts: ReadonlyMap<string, Task>): Task {
  const found = task.pid === null || task.frames.length === 0 ? undefined : facts.get(keyOf(task));
  if (found === undefined) return task;
  const { wantsLock, request, objects } = found;
  return {
    ...task,
    ...(wantsLock === undefined ? {} : { wantsLock }),
    ...(request === undefined ? {} : { request }),
    ...(objects === undefined ? {} : { objects }),
  };
}
