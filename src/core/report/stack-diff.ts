/** What became of the stacks between two dumps. */
import { groupStacks } from '../analysis/groups.js';
import { standstillKey } from '../analysis/unchanged.js';
import type { StackGroup, Task } from '../model.js';

export interface StayedGroup extends StackGroup {
  /** Tasks in this stack before; `count` is how many there are after. */
  before: number;
  /** Tasks that did not move: same pid, same offsets. Null where the two are not of one run of a guest. */
  stoodStill: number | null;
}

export interface StackDiff {
  /** In the second only. */
  came: StackGroup[];
  /** In the first only. */
  went: StackGroup[];
  stayed: StayedGroup[];
}

const keyOf = ({ state, frames }: StackGroup): string => `${state}\n${frames.join('\n')}`;

/** Compares by state and functions. `sameRun`: pids mean the same tasks in both. */
export function diffStacks(before: readonly Task[], after: readonly Task[], sameRun: boolean): StackDiff {
  const first = groupStacks(before);
  const second = groupStacks(after);
  const old = new Map(first.map((group) => [keyOf(group), group]));
  const now = new Set(second.map(keyOf));
  const still = sameRun ? stillPids(before, after) : null;
  return {
    came: second.filter((group) => !old.has(keyOf(group))),
    went: first.filter((group) => !now.has(keyOf(group))),
    stayed: second.flatMap((group) => {
      const was = old.get(keyOf(group));
      if (was === undefined) return [];
      const stoodStill = still && group.pids.filter((pid) => still.has(pid)).length;
      return [{ ...group, before: was.count, stoodStill }];
    }),
  };
}

function stillPids(before: readonly Task[], after: readonly Task[]): Set<number> {
  const keys = new Set(before.map(standstillKey));
  return new Set(
    after.flatMap((task) => {
      const key = standstillKey(task);
      return task.pid !== null && key !== null && keys.has(key) ? [task.pid] : [];
    }),
  );
}
