/**
 * Tasks in R that somebody cut out of a dump: whoever pastes them and nothing else, means them. One look does not show
 * that they do not end, so it is a hint, and never told to the watch.
 */
import type { Dump, Task, Verdict } from '../model.js';
import { isIdleTask } from '../dump/cpu-lines.js';
import { callersOf } from './callers.js';
import { nameOf } from './candidates.js';
import { nameDump } from './dump-names.js';
import { entryTextOf } from './frames.js';
import { type StallPlace, stallPlace } from './stall-frame.js';
import { caughtAt, titled } from './stall-words.js';
import { counted } from '../words.js';

interface Runner {
  task: Task;
  place: StallPlace;
  /** The innermost function that tells anything. */
  inner: string;
}

/** It asked for the dump. */
const ASKED = /^(?:write_sysrq_trigger|sysrq_handle_\w+|show_state_filter)$/;

function runner(task: Task): Runner[] {
  if (task.state !== 'R' || isIdleTask(task.comm, task.pid)) return [];
  if (task.frames.some(({ symbol }) => ASKED.test(symbol))) return [];
  // Of a task that runs no frame is firm.
  const frames = task.frames.map((frame) => ({ ...frame, reliable: true }));
  const place = stallPlace(task.frames) ?? stallPlace(frames);
  if (!place) return [];
  return [{ task, place, inner: callersOf([place.at, ...place.callers])[0] ?? place.frame }];
}

/** Of a paste that shows tasks in R and no other. Null for anything else. */
export function runnersVerdict(dumps: readonly Dump[]): Verdict | null {
  const index = dumps.findLastIndex(({ key, tasks }) => key === 'none' && tasks.length > 0);
  const { tasks = [] } = dumps[index] ?? {};
  if (dumps.some(({ key }) => key !== 'none' && key !== 'splat') || tasks.some(({ state }) => state !== 'R'))
    return null;
  const found = tasks.flatMap(runner);
  const alike = ({ inner }: Runner): Runner[] => found.filter((one) => one.inner === inner);
  const most = found.map(alike).reduce((best, one) => (one.length > best.length ? one : best), []);
  const [first] = most;
  if (!first) return null;
  const { task, place } = first;
  const entry = entryTextOf(task);
  const others = most.length > 1 ? ` (+${counted(most.length - 1, 'other')})` : '';
  return {
    title: titled(
      `${nameOf(task)}${others} runs${entry === null ? '' : ` in ${entry}`} → ${place.frame}`,
      caughtAt(place),
    ),
    class: 'spinning',
    frame: place.frame,
    confidence: 'low',
    culprit: { comm: task.comm, pid: task.pid, state: task.state, frame: place.frame },
    reasons: [
      `${nameDump(dumps, index)}: ${counted(tasks.length, 'task')} in R and no other.`,
      'One look shows no loop: that it does not end is only known if somebody saw it so.',
    ],
    inferred: [],
  };
}
