/** Structure layouts of a kernel without BTF, from what is true of its tasks, modules and clocks. */
import { learnClocks } from './learn-clocks.js';
import { addConstants, LearnedLayouts } from './learned-layouts.js';
import { learnModules } from './learn-modules.js';
import { sampleTasks } from './learn-sample.js';
import { learnTasks } from './learn-tasks.js';
import type { AddressSpace, Kernel, Layouts, Symbols } from './model.js';

export interface Learnable {
  space: AddressSpace;
  symbols: Symbols;
  arch: Kernel['arch'];
  release: string;
  initTask: bigint | null;
  modules: bigint | null;
}

/** Whether a release is that version, or a later one. */
function isSince(release: string, major: number, minor: number): boolean {
  const [, first = '0', second = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(first) > major || (Number(first) === major && Number(second) >= minor);
}

/** Null where its tasks do not teach even where their numbers are. */
export function learnLayouts({
  space,
  symbols,
  arch,
  release,
  initTask,
  modules,
}: Learnable): Layouts | null {
  const samples = initTask === null ? null : sampleTasks(space, initTask);
  if (samples === null) return null;
  const layouts = new LearnedLayouts();
  const fields = learnTasks(space, samples, arch, isSince(release, 5, 14), layouts);
  if (fields === null) return null;
  addConstants(layouts, arch, symbols.address('rt_spin_lock') !== null);
  learnClocks(space, symbols, samples, fields, layouts);
  learnModules(space, modules, isSince(release, 6, 4), layouts);
  return layouts;
}
