/** Which tasks of an incident or a log are shown. */
import { wholeDump } from '../analysis/whole-dump.js';
import type { Dump, Task } from '../model.js';

/** The dump that shows most: the newest of all tasks, else the newest that has any. Null where none has. */
export function shownDump(dumps: readonly Dump[]): Dump | null {
  return wholeDump(dumps) ?? dumps.findLast(({ tasks }) => tasks.length > 0) ?? null;
}

/** The tasks of that dump. */
export const shownTasks = (dumps: readonly Dump[]): Task[] => shownDump(dumps)?.tasks ?? [];
