import type { Frame, Task } from '../model.js';
import { baseSymbol, isFaultEntry, isHelper, layerOf, syscallName } from './layers.js';
import { perStack } from './per-stack.js';

/** The frames to believe: the firm ones, or where the unwinder has none that tells anything, all. Innermost first. */
export const firmFrames = perStack((frames): readonly Frame[] => {
  const firm = frames.filter((frame) => frame.reliable && !isPastEnd(frame));
  const lost = firm.every(({ symbol }) => LOST.test(symbol)) && frames.length >= firm.length + DOUBTED_MIN;
  return firm.length > 0 && !lost ? firm : frames;
});

/**
 * An address one past the last byte of a function belongs to what follows it, a thunk without a name of its own as a rule;
 * or the function ends with a call that never returns, as those do that begin a task.
 */
const isPastEnd = ({ symbol, offset, size, module }: Frame): boolean =>
  module === null && size !== null && size > 0 && offset === size && layerOf(symbol) === 'operation';

/** Where an unwinder got no further than the call to sleep. */
const LOST = /^(?:__schedule|schedule|io_schedule|__switch_to|context_switch)$/;
/** Fewer say nothing: these are what lay on the stack before. */
const DOUBTED_MIN = 6;

/** Names of the firm frames without compiler suffixes, innermost first. */
export const firmSymbols = perStack((frames): readonly string[] =>
  firmFrames(frames).map(({ symbol }) => baseSymbol(symbol)),
);

const SLEEP = /^(?:__schedule|schedule)$/;
const PREEMPTION = /^preempt_schedule\w*$/;
/** Fault injection prints a stack of whoever runs, in the middle of other reports. */
const INJECTED = /^(?:should_fail\w*|fail_dump)$/;
const REPORTER = /^(?:should_fail\w*|fail_dump|_*dump_stack\w*)$/;

/** A stack without what two reports that were printed at once mixed into it. */
function unmixed(frames: readonly Frame[]): readonly Frame[] {
  const all = firmFrames(frames);
  // What stands above the call to sleep belongs to the other, or a preemption left it on the stack.
  const preempted = all.findLastIndex(({ symbol }) => PREEMPTION.test(symbol)) + 1;
  const again = all.findIndex(({ symbol }, index) => index >= preempted && SLEEP.test(symbol));
  const asleep = Math.max(0, again < 0 ? all.findIndex(({ symbol }) => SLEEP.test(symbol)) : again);
  if (!all.some(({ symbol }) => INJECTED.test(baseSymbol(symbol)))) return all.slice(asleep);
  const end = all.findIndex(({ symbol }) => REPORTER.test(baseSymbol(symbol)));
  return all.slice(asleep < end ? asleep : end, end);
}

/**
 * The function that names the place: the innermost firm one that is neither primitive nor plumbing nor entry.
 * Where all are, plumbing, then the entry that took the lock itself, then the outermost; null for an empty stack.
 */
export const operationFrame = perStack((frames): Frame | null => {
  const firm = unmixed(frames);
  const operation = firm.find(
    // A module's own helper around a lock tells more than what an unreliable stack shows further out.
    ({ symbol, module, reliable }) =>
      layerOf(symbol) === 'operation' || (!reliable && module !== null && isHelper(symbol)),
  );
  if (operation) return operation;
  const carried = firm.filter(({ symbol }) => layerOf(symbol) !== 'entry');
  const entered = firm.find(({ symbol }) => syscallName(symbol) !== null || isFaultEntry(symbol));
  const plumbing = carried.find(({ symbol }) => layerOf(symbol) === 'plumbing');
  return plumbing ?? entered ?? carried.at(-1) ?? firm[0] ?? null;
});

/** Functions of the operation layer from the place outwards, for a fingerprint. */
export function operations(frames: readonly Frame[], max: number): string[] {
  return firmFrames(frames)
    .map(({ symbol }) => symbol)
    .filter((symbol) => layerOf(symbol) === 'operation')
    .slice(0, max)
    .map(baseSymbol);
}

/** A way into the kernel; `func` is what a worker, a kernel thread or the boot runs. */
type Entry =
  | { kind: 'syscall'; name: string }
  | { kind: 'work' | 'kthread' | 'initcall'; func: string }
  | { kind: 'page-fault' | 'idle-worker' | 'exit' };

/** How the task came into the kernel; null where its stack does not tell. */
export function entryOf(task: Pick<Task, 'frames' | 'workqueue'>): Entry | null {
  const outwards = firmFrames(task.frames).toReversed();
  for (const { symbol } of outwards) {
    const name = syscallName(symbol);
    if (name !== null) return { kind: 'syscall', name };
    if (isFaultEntry(symbol)) return { kind: 'page-fault' };
  }
  const names = outwards.map(({ symbol }) => baseSymbol(symbol));
  if (names.includes('worker_thread')) return ofWorker(names, task);
  if (task.workqueue) return { kind: 'work', func: task.workqueue.func };
  const initcall = names[names.indexOf('do_one_initcall') + 1];
  if (names.includes('do_one_initcall') && initcall !== undefined)
    return { kind: 'initcall', func: initcall };
  const main = names[names.indexOf('kthread') + 1];
  if (names.includes('kthread') && main !== undefined) return { kind: 'kthread', func: main };
  return names.includes('do_exit') ? { kind: 'exit' } : null;
}

function ofWorker(
  outwards: readonly string[],
  { frames, workqueue }: Pick<Task, 'frames' | 'workqueue'>,
): Entry | null {
  // Compilers inline one into the other.
  const at = Math.max(outwards.indexOf('process_one_work'), outwards.indexOf('process_scheduled_works'));
  const work = workqueue?.func ?? outwards[at + 1];
  if (at >= 0 && work !== undefined) return { kind: 'work', func: work };
  // A stack without its middle is no idle one.
  const place = operationFrame(frames)?.symbol;
  return place !== undefined && layerOf(place) === 'operation' ? null : { kind: 'idle-worker' };
}

/** A syscall's name, `page fault`, `work FUNC`, `kthread FUNC`, `initcall FUNC`, as an annotation says it. */
export function entryText(entry: Entry): string {
  switch (entry.kind) {
    case 'syscall':
      return entry.name;
    case 'work':
    case 'kthread':
    case 'initcall':
      return `${entry.kind} ${entry.func}`;
    case 'page-fault':
      return 'page fault';
    case 'idle-worker':
      return 'an idle worker';
    case 'exit':
      return 'exit';
  }
}

/** How a task came into the kernel, in words. */
export function entryTextOf(task: Pick<Task, 'frames' | 'workqueue'>): string | null {
  const entry = entryOf(task);
  return entry && entryText(entry);
}
