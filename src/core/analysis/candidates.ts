import type { Dump, Task } from '../model.js';
import { type Backend, backendOf } from './backends.js';
import { isBenign } from './benign.js';
import { placeKey } from './memory-facts.js';
import { standstillKey } from './unchanged.js';
import { showsAll } from './whole-dump.js';

/** A task that may be what the guest waits for. */
export interface Candidate {
  task: Task;
  /** Index of the dump it was last seen in. */
  dump: number;
  /** Dumps that show it with exactly this stack, by index. */
  still: number[];
  /**
   * proven: stood still between two dumps, or hung_task timed it; single: only one dump could show it;
   * passing: an earlier dump did not show it so.
   */
  standing: 'proven' | 'single' | 'passing';
  /** Seconds it has stood still, at least. */
  ageSeconds: number | null;
  /** The most that hung_task said of it. */
  hungSeconds: number | null;
  backend: Backend | null;
}

interface LookTiming {
  /** Seconds between the first and the second dump of blocked tasks, by the host's clock; null if unknown. */
  secondsBetweenLooks: number | null;
}

interface Sighting {
  dump: number;
  task: Task;
}

/** `comm:pid`, the name a task has in all texts. */
export const nameOf = (task: Pick<Task, 'comm' | 'pid'>): string =>
  `${task.comm === '' ? 'unknown task' : task.comm}:${task.pid ?? '?'}`;

/** Where each task was seen, oldest first. Tasks without a pid are each their own. */
function sightings(dumps: readonly Dump[]): Sighting[][] {
  const byTask = new Map<string, Sighting[]>();
  const names = new Map(dumps.flatMap(({ tasks }) => tasks.map(({ pid, comm }) => [pid, comm] as const)));
  let anonymous = 0;
  dumps.forEach((dump, index) => {
    for (const task of dump.tasks) {
      const name = task.comm === '' ? names.get(task.pid) : task.comm;
      const id = task.pid === null ? `?${(anonymous += 1)}` : `${task.pid}|${name ?? ''}`;
      const seen = byTask.get(id);
      if (seen) seen.push({ dump: index, task });
      else byTask.set(id, [{ dump: index, task }]);
    }
  });
  return [...byTask.values()];
}

/** Whether a dump, had the task been stuck then, would have shown it: w lists D only. */
function covers(dump: Dump, task: Task): boolean {
  return dump.complete && (showsAll(dump) || (dump.key === 'w' && task.state !== 'S'));
}

function isStuck(task: Task, dump: Dump, backend: Backend | null): boolean {
  if (isBenign(task)) return false;
  if (task.blockedForSeconds !== null || task.state === 'D') return true;
  if (task.state === '?') return dump.key === 'w' || backend !== null;
  return task.state === 'S' && backend !== null;
}

/** Tasks of one boot's dumps that may be stuck: blocked in D, timed by hung_task, or asleep for a server's answer. */
export function candidates(dumps: readonly Dump[], timing: LookTiming): Candidate[] {
  return sightings(dumps).flatMap((seen) => {
    // A log may end, or be cut, above the stack of the newest report.
    const shown = seen.filter(({ task }) => task.frames.length > 0);
    // A stack that was read from /proc/PID/stack has no name.
    const last = shown.findLast(({ task }) => task.comm !== '') ?? shown.at(-1) ?? seen.at(-1);
    const dump = last ? dumps[last.dump] : undefined;
    if (!last || !dump) return [];
    const backend = backendOf(last.task.frames);
    const movedOn = dumps.some((later, index) => index > last.dump && covers(later, last.task));
    if (movedOn || !isStuck(last.task, dump, backend)) return [];
    const still = stillIn(seen, last, dumps);
    const timed = seen.map(({ task }) => task.blockedForSeconds).filter((seconds) => seconds !== null);
    const hungSeconds = timed.length > 0 ? Math.max(...timed) : null;
    const looks = dumps.filter((look) => covers(look, last.task)).length;
    const proven = hungSeconds !== null || standsStill(still, dumps);
    const standing = proven ? 'proven' : looks > still.length ? 'passing' : 'single';
    const ageSeconds = age(seen, still, dumps, timing);
    return [
      {
        task: last.task,
        dump: last.dump,
        still: still.map(({ dump: at }) => at),
        standing,
        ageSeconds,
        hungSeconds,
        backend,
      },
    ];
  });
}

/** The sightings, up to the last, with exactly the last one's stack. */
function stillIn(seen: readonly Sighting[], last: Sighting, dumps: readonly Dump[]): Sighting[] {
  // Memory has no frames that the unwinder doubts.
  const keyOf = seen.some((sighting) => isRead(sighting, dumps)) ? placeKey : standstillKey;
  const key = standstillKey(last.task) && keyOf(last.task);
  if (key === null) return [last];
  const moved = seen.findLastIndex(({ task }) => task.frames.length > 0 && keyOf(task) !== key);
  return seen.slice(moved + 1);
}

const isRead = ({ dump }: Sighting, dumps: readonly Dump[]): boolean => dumps[dump]?.key === 'memory';

/** As long as between two looks at the least. */
const STANDS_STILL = 4;

/** Two dumps that the guest printed show it so, or it was on no CPU since long before memory was read. */
function standsStill(still: readonly Sighting[], dumps: readonly Dump[]): boolean {
  const printed = still.filter((sighting) => !isRead(sighting, dumps));
  return printed.length > 1 || still.some(({ task }) => sureAge(task) >= STANDS_STILL);
}

/** Seconds since it was last on a CPU; 0 where that is not known, or its stack is in doubt. */
const sureAge = ({ offCpuSeconds = 0, doubt }: Task): number => (doubt === undefined ? offCpuSeconds : 0);

/** Whole seconds a task has stood still at least: by printk times, by the host's clock, by hung_task's own count. */
function age(
  seen: readonly Sighting[],
  still: readonly Sighting[],
  dumps: readonly Dump[],
  timing: LookTiming,
): number | null {
  const at = (sighting: Sighting | undefined): number =>
    (sighting && dumps[sighting.dump]?.bootSeconds) ?? Number.NaN;
  const end = at(still.at(-1));
  const spans = [end - at(still[0])];
  for (const sighting of seen) {
    const said = sighting.task.blockedForSeconds;
    if (said !== null) spans.push(said, said + (end - at(sighting)));
  }
  for (const sighting of still) {
    const off = sureAge(sighting.task);
    if (off > 0) spans.push(off, off + (end - at(sighting)));
  }
  const looks = still.filter(({ dump }) => dumps[dump]?.key === 'w');
  if (looks.length > 1 && timing.secondsBetweenLooks !== null) spans.push(timing.secondsBetweenLooks);
  const known = spans.filter((span) => Number.isFinite(span));
  const seconds = known.length === 0 ? 0 : Math.floor(Math.max(...known));
  return seconds >= 1 ? seconds : null;
}
