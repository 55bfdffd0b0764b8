/** The stacks as a file for speedscope (https://www.speedscope.app/file-format-schema.json). */
import { nameDump } from '../analysis/dump-names.js';
import { firmFrames } from '../analysis/frames.js';
import { baseSymbol } from '../analysis/layers.js';
import type { Dump, Task } from '../model.js';

const SCHEMA = 'https://www.speedscope.app/file-format-schema.json';
const NO_STACK = '(no stack)';

interface Profile {
  type: 'sampled';
  name: string;
  unit: 'none';
  startValue: number;
  endValue: number;
  /** Indices of frames, the root first. */
  samples: number[][];
  /** Tasks in that stack. */
  weights: number[];
}

/** One profile a dump that has tasks; equal stacks are one sample, whose weight is their number of tasks. */
export function speedscope(name: string, dumps: readonly Dump[], version: string) {
  const frames = new Map<string, number>();
  const indexOf = (frame: string): number => {
    const known = frames.get(frame);
    if (known !== undefined) return known;
    frames.set(frame, frames.size);
    return frames.size - 1;
  };
  const profiles = dumps.flatMap((dump, index) =>
    dump.tasks.length === 0 ? [] : [profile(nameDump(dumps, index), dump.tasks, indexOf)],
  );
  return {
    $schema: SCHEMA,
    exporter: `wedgewatch@${version}`,
    name,
    activeProfileIndex: Math.max(0, profiles.length - 1),
    profiles,
    shared: { frames: [...frames.keys()].map((frame) => ({ name: frame })) },
  };
}

function profile(name: string, tasks: readonly Task[], indexOf: (frame: string) => number): Profile {
  const samples = new Map<string, { stack: number[]; weight: number }>();
  for (const task of tasks) {
    const outwards = firmFrames(task.frames).map(({ symbol, module }) =>
      module === null ? baseSymbol(symbol) : `${baseSymbol(symbol)} [${module}]`,
    );
    // Speedscope draws no empty stack: a task without one would be lost.
    const names = outwards.length === 0 ? [NO_STACK] : outwards.reverse();
    const stack = names.map(indexOf);
    const key = stack.join(' ');
    const same = samples.get(key);
    if (same) same.weight += 1;
    else samples.set(key, { stack, weight: 1 });
  }
  const all = [...samples.values()];
  return {
    type: 'sampled',
    name: `dump ${name}, in tasks`,
    unit: 'none',
    startValue: 0,
    endValue: tasks.length,
    samples: all.map(({ stack }) => stack),
    weights: all.map(({ weight }) => weight),
  };
}
