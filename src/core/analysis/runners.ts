/** Running tasks in a paste of few tasks, none of them blocked: whoever pasted them, found them busy. */
import type { Dump, Task, Verdict } from '../model.js';
import { nameOf } from './candidates.js';
import { callersOfPlace } from './callers.js';
import { entryTextOf } from './frames.js';
import { layerOf } from './layers.js';
import { frameName } from './phrases.js';
import { titled } from './stall-words.js';
import { counted } from '../words.js';

/** Of several, the function that most of them were caught in; null where the paste shows anything else, or no stack. */
export function runnerVerdict(dumps: readonly Dump[]): Verdict | null {
  if (dumps.length === 0 || !dumps.every(({ key }) => key === 'none')) return null;
  const busy = dumps.flatMap(({ tasks }) => tasks.filter(isBusy));
  const caught = new Map<string, Task[]>();
  for (const task of busy) {
    const place = frameName(task.frames) ?? '';
    caught.set(place, [...(caught.get(place) ?? []), task]);
  }
  const [most] = [...caught].sort(([, one], [, other]) => other.length - one.length);
  const task = most?.[1][0];
  if (most === undefined || task === undefined) return null;
  const [frame, alike] = most;
  const others = busy.length > 1 ? ` (+${counted(busy.length - 1, 'other')})` : '';
  const entry = entryTextOf(task);
  const title = (callers: number): string =>
    `${nameOf(task)} running${entry === null ? '' : ` in ${entry}`} → ${[frame, ...callersOfPlace(task.frames).slice(0, callers)].join(' ← ')}${others}`;
  return {
    title: titled([title(3), title(2), title(1), title(0)]),
    class: 'spinning',
    frame,
    confidence: 'low',
    culprit: { comm: task.comm, pid: task.pid, state: task.state, frame },
    reasons: [
      `No task of this paste is blocked; ${counted(alike.length, 'running task')} of ${busy.length} ${alike.length === 1 ? 'was' : 'were'} caught in ${frame}.`,
      'One picture of a task that runs proves no loop.',
    ],
    inferred: [],
  };
}

function isBusy({ state, frames }: Task): boolean {
  const place = frameName(frames);
  return state === 'R' && place !== null && layerOf(place) === 'operation';
}
