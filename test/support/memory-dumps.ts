/** What the memory of a virtual guest shows: recorded stacks, with the times that only memory tells. */
import { parseDumps } from '../../src/core/dump/parse-dumps.js';
import type { Dump, Task } from '../../src/core/model.js';
import { waitsForServer } from '../../src/core/memory/sampler.js';
import { golden } from './virtual-guest.js';

const parsed = new Map<string, Task[]>();

/** The tasks of a recorded console's dump of all tasks. */
export function recordedTasks(name: string): Task[] {
  const known = parsed.get(name);
  if (known !== undefined) return known;
  const dump = parseDumps(golden(name)).findLast(({ key }) => key === 't');
  if (dump === undefined) throw new Error(`${name}.log has no dump of all tasks`);
  parsed.set(name, dump.tasks);
  return dump.tasks;
}

const blocks = ({ state, frames }: Task): boolean =>
  state === 'D' || (state === 'S' && waitsForServer(frames));

interface MemoryOptions {
  /** Since when those who are blocked have been so; null: they are switched all the time. */
  since: number | null;
  busy?: boolean;
  incomplete?: string;
}

/** The memory at `at` milliseconds of a guest whose tasks are those of a recording. */
export function memoryAt(tasks: readonly Task[], at: number, options: MemoryOptions): Dump {
  const { since, busy = false, incomplete } = options;
  return {
    key: 'memory',
    complete: incomplete === undefined,
    incompleteBecause: incomplete === undefined ? [] : [incomplete],
    tasks: tasks.map((task) => timed(task, at, since)),
    cpus: [0, 1].map((cpu) => ({
      ...{ cpu, comm: busy ? 'loop' : `swapper/${cpu}`, pid: busy ? 900 + cpu : 0, idle: !busy, frames: [] },
      ...{ user: busy, interruptsOff: false },
    })),
    locks: [],
    workqueues: [],
    headline: 'Tasks from memory: Linux 6.1.0',
    memory: {
      ...{ release: '6.1.0', buildId: null, clock: at / 1000 },
      how: { kernel: 'note', types: 'btf', stacks: 'orc' },
    },
  };
}

function timed(task: Task, at: number, since: number | null): Task {
  const stands = blocks(task) && since !== null && at >= since;
  if (stands) return { ...task, offCpuSeconds: (at - since) / 1000, switches: 17 };
  if (blocks(task)) return { ...task, offCpuSeconds: 0.04, switches: Math.floor(at) };
  return { ...task, offCpuSeconds: 1 + (at % 7_000) / 1000, switches: 3 + Math.floor(at / 7_000) };
}
