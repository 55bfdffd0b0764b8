/** Guesses at the holder of a lock: a stuck task that is in the same code, and past the lock. */
import type { Dump, Frame, Task } from '../model.js';
import type { Candidate } from './candidates.js';
import { codesOf, isOneCode } from './codes.js';
import { type Finder, isSame, toTask } from './edges.js';
import { entryOf, firmFrames, firmSymbols, operationFrame } from './frames.js';
import { layerOf } from './layers.js';
import { frameName } from './phrases.js';
import { subjectOf } from './subjects.js';
import { lockWaited, waitsForMmap } from './wait-kinds.js';
import { IN_MMAP, INODE_CODE } from './wait-rows.js';

/** A path walk waits for an inode's lock, and another one for the filesystem's server or its disk: likely the holder. */
export function byInode(stuck: readonly Candidate[]): Finder {
  const inCode = stuck.filter(({ task }) => firmSymbols(task.frames).some((name) => INODE_CODE.test(name)));
  const servers = inCode.filter(({ backend }) => backend !== null);
  const holders = inCode.filter(({ task }) => lockWaited(task) === null);
  return (waiter, lock) => {
    if (lock?.kind !== 'rwsem' || !firmSymbols(waiter.frames).some((name) => INODE_CODE.test(name)))
      return null;
    const says = { through: 'an inode lock', confidence: 'low', source: 'rule' } as const;
    const server = servers.find(({ task }) => !isSame(task, waiter))?.task;
    if (server)
      return toTask(waiter, server, { ...says, reason: 'it is in the same code, and waits for the server' });
    return holders.length === 1
      ? toTask(waiter, holders[0]?.task, {
          ...says,
          reason: 'it alone is in the same code and past the lock',
        })
      : null;
  };
}

/**
 * The lock of an address space is held by those who map, unmap or fault in it. Which tasks share one no dump tells, but
 * threads of a program mostly have its name.
 */
export function byMmap(stuck: readonly Candidate[]): Finder {
  const holders = stuck.filter(({ task }) => !waitsForMmap(task) && inMmap(task));
  return (waiter) => {
    if (!waitsForMmap(waiter)) return null;
    const others = holders.filter(({ task }) => !isSame(task, waiter));
    const alike = others.filter(({ task }) => task.comm === waiter.comm);
    const likely = alike.length === 0 ? others : alike;
    if (likely.length !== 1) return null;
    return toTask(waiter, likely[0]?.task, {
      through: 'mmap_lock',
      confidence: 'low',
      reason:
        alike.length === 0
          ? 'it alone is past such a lock'
          : 'it has the same name, and is past the lock, in a page fault or a mapping',
      source: 'rule',
    });
  };
}

const inMmap = (task: Task): boolean =>
  entryOf(task)?.kind === 'page-fault' || firmSymbols(task.frames).some((name) => IN_MMAP.test(name));

/** A lock is wanted in a function that exactly one other stuck task is inside of, past the lock. */
export function bySameFunction(stuck: readonly Candidate[], dumps: readonly Dump[]): Finder {
  const tasks = [...stuck.map(({ task }) => task), ...shownRunning(dumps)];
  return (waiter, lock) => {
    const place = lock === null ? null : frameName(waiter.frames);
    if (place === null) return null;
    const inside = tasks.filter(
      ({ frames }) => frameName(frames) !== place && firmSymbols(frames).includes(place),
    );
    if (inside.length !== 1) return null;
    return toTask(waiter, inside[0], {
      through: lock?.what ?? 'a lock',
      confidence: 'low',
      reason: 'it is inside the same function',
      source: 'rule',
    });
  };
}

/** Whom people had the kernel show beside a report: a stack below a `CPU: … Comm:` line. */
function shownRunning(dumps: readonly Dump[]): Task[] {
  return dumps
    .filter(({ key }) => key === 'hung_task')
    .flatMap(({ cpus }) =>
      cpus.flatMap(({ cpu, comm, pid, idle, frames, workqueue = null }): Task[] =>
        comm === null || idle || comm === 'khungtaskd' || frames.length === 0
          ? []
          : [{ comm, pid, ppid: null, state: '?', cpu, frames, workqueue, blockedForSeconds: null }],
      ),
    );
}

/**
 * A lock is wanted in a module, or in a part of the kernel by its name, and exactly one other stuck task is in there and
 * waits for none.
 */
export function bySameModule(stuck: readonly Candidate[]): Finder {
  const past = stuck.filter(({ task }) => lockWaited(task) === null);
  return (waiter, lock) => {
    const place = lock === null ? null : operationFrame(waiter.frames);
    // In a filesystem many wait for many things at once.
    const subject = subjectOf(waiter.frames);
    if (place === null || subject?.name.startsWith('filesystem ') === true) return null;
    if (place.module === null && subject && SERVES_MANY.has(subject.layer)) return null;
    const inside = past.filter(
      ({ task }) =>
        !isSame(task, waiter) && firmFrames(task.frames).some((frame) => sharesCode(frame, place)),
    );
    if (inside.length !== 1) return null;
    return toTask(waiter, inside[0]?.task, {
      through: lock?.what ?? 'a lock',
      confidence: 'low',
      reason: 'of the stuck tasks in the same code it alone waits for no lock',
      source: 'rule',
    });
  };
}

/** Whose functions have one name for many objects, of which each has locks of its own. */
const SERVES_MANY: ReadonlySet<string> = new Set([
  'block',
  'filesystem',
  'journal',
  'network',
  'memory',
  'user',
]);

/** Of one module; of what is built into the kernel, by the first word of the name. */
const sharesCode = (frame: Frame, place: Frame): boolean =>
  place.module === null
    ? frame.module === null &&
      layerOf(frame.symbol) === 'operation' &&
      isOneCode(codesOf(frame), codesOf(place))
    : frame.module === place.module;
