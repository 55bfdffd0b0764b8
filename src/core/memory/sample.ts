/** The cheap walk: who there is, in which state, and whether it ran since the last one. */
import { guestTime } from './clock.js';
import type { Kernel } from './model.js';
import { readerOf, type Reader } from './reader.js';
import { readRunQueues } from './run-queues.js';
import { briefSpan, COMM_MAX } from './task-layout.js';
import { stateLetter, switchesOf, walkTasks } from './tasks.js';

export interface TaskState {
  address: bigint;
  pid: number;
  comm: string;
  /** As SysRq prints it. */
  state: string;
  /** Context switches in its life, both kinds. */
  switches: number;
  onCpu: boolean;
}

export interface States {
  /** The scheduler's clock, seconds since the boot. */
  clock: number;
  tasks: TaskState[];
  /** Why the list is not whole; null where it is. */
  broken: string | null;
}

/** A list of more tasks than that is not walked again. */
const WALKED_AGAIN_MAX = 10_000;

export function listStates(kernel: Kernel): States {
  const reader = readerOf(kernel);
  if (reader === null) return { clock: 0, tasks: [], broken: 'the types of its tasks are not known' };
  const once = walkOnce(reader);
  // A task that ended meanwhile may have taken the way to the others with it.
  return once.broken === null || once.tasks.length > WALKED_AGAIN_MAX ? once : walkOnce(reader);
}

function walkOnce({ kernel, layout }: Reader): States {
  kernel.space.forget();
  const tasks: TaskState[] = [];
  let ran = 0;
  const broken = walkTasks({ kernel, layout, span: briefSpan(layout) }, (address, words) => {
    if (layout.execStart !== null) ran = Math.max(ran, words.counter(layout.execStart));
    tasks.push({
      address,
      pid: words.u32(layout.pid),
      comm: words.string(layout.comm, COMM_MAX),
      state: stateLetter(
        words.u32(layout.state),
        layout.exitState === null ? null : words.u32(layout.exitState),
      ),
      switches: switchesOf(layout, words),
      onCpu: layout.onCpu !== null && words.integer(layout.onCpu.at, layout.onCpu.size) !== 0,
    });
  });
  return { clock: guestTime(readRunQueues(kernel), [ran]).now, tasks, broken };
}
