/** Where the console's dump and memory say different things of a task that did not run in between. */
import type { Dump, Task } from '../model.js';
import { nameOf } from './candidates.js';
import { nameDump } from './dump-names.js';
import { frameName } from './phrases.js';

const MOST_TOLD = 3;
const MOST_COMPARED = 30;
/** The clock of a sleeping machine lags by up to this. */
const CLOCK_SLACK = 1;

interface Sighting {
  task: Task;
  dump: Dump;
  index: number;
}

/** A reason for each of the tasks of which both cannot be right, a few at most. */
export function disagreements(tasks: readonly Task[], dumps: readonly Dump[]): string[] {
  if (!dumps.some(({ key }) => key === 'memory')) return [];
  return [...new Map(tasks.map((task) => [task.pid, task])).values()]
    .slice(0, MOST_COMPARED)
    .flatMap((task) => {
      const seen = dumps.flatMap((dump, index): Sighting[] => {
        const sighting = dump.tasks.find(
          ({ pid, comm }) => pid !== null && pid === task.pid && comm === task.comm,
        );
        return sighting && sighting.frames.length > 0 ? [{ task: sighting, dump, index }] : [];
      });
      return firstOf(seen, dumps) ?? [];
    })
    .slice(0, MOST_TOLD);
}

function firstOf(seen: readonly Sighting[], dumps: readonly Dump[]): string | null {
  for (const read of seen) {
    if (read.dump.key !== 'memory' || read.task.onCpu) continue;
    for (const printed of seen) {
      if (printed.dump.key === 'memory' || !stoodStill(read, printed)) continue;
      const [one, other] = [told(read.task), told(printed.task)];
      if (one === other) continue;
      return `memory and ${nameDump(dumps, printed.index)} disagree about ${nameOf(read.task)}: ${one} by memory, ${other} by the guest, and it did not run in between.`;
    }
  }
  return null;
}

const told = (task: Task): string => `${task.state} in ${frameName(task.frames) ?? 'no function'}`;

/** By its switches, or by how long it was off the CPU when memory was read, behind the other. */
function stoodStill(read: Sighting, printed: Sighting): boolean {
  const [before, after] = [printed.task.switches, read.task.switches];
  if (before !== undefined && after !== undefined) return before === after;
  const { offCpuSeconds, doubt } = read.task;
  const [then, now] = [printed.dump.bootSeconds, read.dump.memory?.clock];
  if (offCpuSeconds === undefined || doubt !== undefined || then === undefined || now === undefined)
    return false;
  return now > then && offCpuSeconds > now - then + CLOCK_SLACK;
}
