/**
 * Who of a healthy guest stands still: by switch counts, which a cheap walk over its tasks tells. A stack is read only of a
 * task that has not been switched for long, and once: what it waits for cannot change without a switch.
 */
import type { Frame, Task } from '../model.js';
import { SUBSYSTEMS } from '../subsystems.js';
import type { SampleTaken } from './answers.js';
import type { States, TaskState } from './sample.js';

/** Reads the stacks of tasks; one that is gone is missing. */
type ReadTasks = (addresses: readonly bigint[]) => ReadonlyMap<bigint, Task>;

interface Known {
  pid: number;
  switches: number;
  /** The clock when it was first seen with these switches. */
  since: number;
  /** What it waits for: not read yet, nothing that lasts, or its stack, and the clock when that was read. */
  wait: 'unread' | 'idle' | { task: Task; at: number };
}

const MAX_TASKS = 65_536;
/** Stacks in one sample: after a start all tasks rest, and none has to be known at once. */
const MAX_READ = 200;
const MAX_STANDING = 64;

/** A compiler's suffix of a function. */
const SUFFIX = /\.(?:isra|part|constprop|cold|llvm)\b.*$/;
const names = (of: readonly string[]) => new RegExp(`^(?:${of.join('|')})$`);
const SERVER_WAIT = names(SUBSYSTEMS.flatMap(({ server }) => server?.waits ?? []));
/** Whoever holds a file lock may hold it for long. */
const FILE_LOCK = names([
  ...['fcntl_setlk\\w*', 'do_lock_file_wait'],
  ...SUBSYSTEMS.flatMap(({ server }) => server?.fileLocks ?? []),
]);

/** The stack waits for a server that has been asked. */
export function waitsForServer(frames: readonly Frame[]): boolean {
  const symbols = frames.filter(({ reliable }) => reliable).map(({ symbol }) => symbol.replace(SUFFIX, ''));
  return symbols.some((name) => SERVER_WAIT.test(name)) && !symbols.some((name) => FILE_LOCK.test(name));
}

export class Sampler {
  private known = new Map<bigint, Known>();

  /**
   * Takes in one walk, and returns those in D, or in S inside a request to a server, that have not switched for `seconds`.
   * A task is told from the second walk on, as soon as its age is known.
   */
  sample({ clock, tasks, broken }: States, seconds: number, read: ReadTasks): SampleTaken {
    const before = this.known;
    const now = new Map<bigint, Known>();
    for (const task of tasks.slice(0, MAX_TASKS)) {
      const known = before.get(task.address);
      const same = known !== undefined && known.pid === task.pid && known.switches === task.switches;
      if (same && !task.onCpu) now.set(task.address, known);
      else if (!task.onCpu)
        now.set(task.address, { pid: task.pid, switches: task.switches, since: clock, wait: 'unread' });
    }
    this.known = now;
    this.look(tasks, { clock, seconds, before, read });
    return {
      ok: true,
      clock,
      tasks: tasks.length,
      broken: broken !== null,
      standing: this.standing(clock, seconds),
    };
  }

  /** Reads the stacks that are not known yet, of those that may stand. */
  private look(
    tasks: readonly TaskState[],
    {
      clock,
      seconds,
      before,
      read,
    }: { clock: number; seconds: number; before: Map<bigint, Known>; read: ReadTasks },
  ): void {
    const wanted: TaskState[] = [];
    for (const task of tasks) {
      const known = this.known.get(task.address);
      if (known?.wait !== 'unread') continue;
      // Of one in D the stack itself tells how old it is; one in S rests, as a rule.
      const again = before.get(task.address) === known;
      if ((task.state === 'D' && again) || (task.state === 'S' && clock - known.since >= seconds))
        wanted.push(task);
    }
    wanted.sort((a, b) => Number(b.state === 'D') - Number(a.state === 'D'));
    const found = wanted.length === 0 ? null : read(wanted.slice(0, MAX_READ).map(({ address }) => address));
    for (const { address, switches } of wanted.slice(0, MAX_READ)) {
      const known = this.known.get(address);
      const task = found?.get(address);
      // One that ran meanwhile is another one's wait.
      if (known === undefined || task === undefined || (task.switches ?? switches) !== switches) continue;
      known.wait = stands(task) ? { task, at: clock } : 'idle';
    }
  }

  private standing(clock: number, seconds: number): Task[] {
    return [...this.known.values()]
      .flatMap(({ wait, since }) => {
        if (typeof wait === 'string') return [];
        const age = Math.max(clock - since, (wait.task.offCpuSeconds ?? 0) + clock - wait.at);
        return age >= seconds ? [{ ...wait.task, offCpuSeconds: age }] : [];
      })
      .sort((a, b) => b.offCpuSeconds - a.offCpuSeconds)
      .slice(0, MAX_STANDING);
  }
}

const stands = ({ state, frames }: Task): boolean =>
  state === 'D' || (state === 'S' && waitsForServer(frames));
