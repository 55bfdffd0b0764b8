import type { Annotation, Task } from '../model.js';
import { isIdleThread } from './benign.js';
import { entryTextOf } from './frames.js';
import { frameName } from './phrases.js';
import { subjectOf } from './subjects.js';
import { waitOf } from './wait-kinds.js';

/** What a stack waits for, where it is, what that belongs to, and how it came there. */
export function annotate(task: Task): Annotation {
  const wait = waitOf(task)?.kind ?? null;
  const harmless = wait !== 'never-run' && isIdleThread(task);
  return {
    wait: harmless ? 'idle' : wait,
    operation: frameName(task.frames),
    subject: subjectOf(task.frames)?.name ?? null,
    entry: entryTextOf(task),
  };
}
