import type { StackGroup, Task } from '../model.js';
import { counted } from '../words.js';
import { isIdleThread } from './benign.js';
import { annotate } from './annotate.js';
import { firmFrames } from './frames.js';
import { baseSymbol } from './layers.js';
import { perStack } from './per-stack.js';

/**
 * Groups tasks by state and firm frames without offsets, in the order in which one would read them: the culprit's, then
 * those in D, then the others, idle kernel threads last; among equals the largest first.
 */
export function groupStacks(tasks: readonly Task[], culprit: number | null = null): StackGroup[] {
  const groups = new Map<string, StackGroup>();
  for (const task of tasks) {
    const { frames, text } = firmText(task.frames);
    const key = `${task.state}\n${text}`;
    let group = groups.get(key);
    if (!group) {
      group = {
        count: 0,
        state: task.state,
        frames,
        pids: [],
        comms: [],
        idle: isIdleThread(task),
        annotation: annotate(task),
        ...sourcesOf(task),
      };
      groups.set(key, group);
    }
    group.count += 1;
    if (task.pid !== null) group.pids.push(task.pid);
    group.comms.push(task.comm);
  }
  const rank = ({ pids, state, idle }: StackGroup): number => {
    if (culprit !== null && pids.includes(culprit)) return 0;
    return idle ? 3 : state === 'D' ? 1 : 2;
  };
  const ranked = [...groups.values()].map((group) => ({ group, rank: rank(group) }));
  return ranked.sort((a, b) => a.rank - b.rank || b.group.count - a.group.count).map(({ group }) => group);
}

/** The firm frames as they are shown, with their modules, and the text that equal stacks share. */
export const firmText = perStack((frames) => {
  const shown = firmFrames(frames).map(({ symbol, module }) =>
    module === null ? baseSymbol(symbol) : `${baseSymbol(symbol)} [${module}]`,
  );
  return { frames: shown, text: shown.join('\n') };
});

/** The lines of the firm frames, where any is known. Of frames that differ in their offsets alone the first counts. */
export function sourcesOf({ frames }: Pick<Task, 'frames'>): Pick<StackGroup, 'sources'> {
  const sources = firmFrames(frames).map(({ source }) => source ?? null);
  return sources.some((source) => source !== null) ? { sources } : {};
}

/** Frames with their lines behind them, in a column. */
export function framesWithLines({ frames, sources = [] }: Pick<StackGroup, 'frames' | 'sources'>): string[] {
  if (sources.length === 0) return [...frames];
  const width = Math.min(COLUMN_MAX, Math.max(...frames.map(({ length }) => length)));
  return frames.map((frame, index) => `${frame.padEnd(width)}  ${sources[index] ?? ''}`.trimEnd());
}

const COLUMN_MAX = 40;

/** Who is in a group, bounded: `comm:pid, comm:pid, +12 more`. */
export function membersOf(group: StackGroup, max: number): string {
  // A task whose header was lost has no pid: then names and pids do not pair.
  const paired = group.pids.length === group.count;
  const shown = group.comms.slice(0, max).map((comm, index) => {
    const name = comm === '' ? 'unknown' : comm;
    return paired ? `${name}:${group.pids[index] ?? '?'}` : name;
  });
  return shown.join(', ') + (group.count > shown.length ? `, +${group.count - shown.length} more` : '');
}

/** Text for stacks.txt: each group with its members and frames, idle kernel threads a line a kind at the end. */
export function renderStacks(groups: readonly StackGroup[]): string {
  const busy = groups.filter(({ idle }) => !idle).map(renderGroup);
  const idle = groups
    .filter((group) => group.idle)
    .map((group) => `  ${group.count} × ${idleKind(group)}: ${membersOf(group, 6)}`);
  if (idle.length > 0) busy.push(`Idle kernel threads:\n${idle.join('\n')}\n`);
  return busy.join('\n');
}

function renderGroup(group: StackGroup): string {
  const head = `${counted(group.count, 'task')} in ${group.state}: ${membersOf(group, 20)}`;
  const frames = group.frames.length === 0 ? ['(no stack)'] : framesWithLines(group);
  return `${head}\n${frames.map((frame) => `    ${frame}`).join('\n')}\n`;
}

/** The thread's main function tells what kind it is. */
function idleKind(group: StackGroup): string {
  const at = group.frames.findIndex((frame) => frame === 'kthread' || frame.startsWith('ret_from_'));
  return `${group.state} ${group.frames[at - 1] ?? group.frames[0] ?? '(no stack)'}`;
}

/** Flame-graph lines: `root;…;leaf count`, offsets off, unreliable frames left out. */
export function renderFolded(tasks: readonly Task[]): string {
  const counts = new Map<string, number>();
  for (const task of tasks) {
    const stack = firmFrames(task.frames)
      .map(({ symbol }) => baseSymbol(symbol).replaceAll(';', ':'))
      .reverse()
      .join(';');
    if (stack !== '') counts.set(stack, (counts.get(stack) ?? 0) + 1);
  }
  return [...counts].map(([stack, count]) => `${stack} ${count}\n`).join('');
}
