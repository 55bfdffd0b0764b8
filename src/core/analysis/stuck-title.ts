/** The title of a verdict on stuck tasks: who, since when, what for, where; as much of it as fits. */
import type { Task, VerdictClass } from '../model.js';
import { counted } from '../words.js';
import { besideOf, besides } from './beside.js';
import { callersOfPlace } from './callers.js';
import { type Candidate, nameOf } from './candidates.js';
import { entryOf, entryTextOf } from './frames.js';
import { frameName, whatOf } from './phrases.js';
import type { Root } from './roots.js';

/** A title fits into two lines of a terminal. */
export const TITLE_MAX = 160;

const VERBS: Partial<Record<VerdictClass, string>> = { waiting: 'waiting', spinning: 'running' };

export function titleOf(
  root: Root,
  verdict: VerdictClass,
  ends: string | null,
  others: readonly Candidate[],
): string {
  const told = root.reported?.task ?? root.task;
  const age = (root.reported ?? root.candidate)?.ageSeconds ?? null;
  const frame = frameName(told.frames);
  const entry = entryTextOf(told);
  const named = new Set([told, root.task, ...(root.cycle ?? [])]);
  const unnamed = root.members.filter(({ task }) => !named.has(task));
  const beside = besideOf([...unnamed, ...others], told);
  const who = `${nameOf(told)} ${age === null ? (VERBS[verdict] ?? 'blocked') : `stuck ≥${age} s`}`;
  const title = (entered: string, callers = 0, besideMax = 0, helper: Helper = null): string => {
    const parts = [who + entered, frame === null ? null : doing(told, frame, callers, helper), ends];
    const shown = beside.slice(0, besideMax);
    const left = unnamed.filter(({ task }) => !shown.some((one) => one.task === task)).length;
    const more = left > 0 ? ` (+${counted(left, 'other')})` : '';
    return `${parts.filter((part) => part !== null).join(' → ')}${more}${besides(shown)}`;
  };
  const entered = entry === null ? '' : ` in ${entry}`;
  const bare = saysLittle(told, frame) ? '' : entered;
  const withHelper = (rows: Told, short: string): string[] =>
    HELPERS.flatMap((helper) =>
      rows.map(([callers, most, whole]) => title(whole ? entered : short, callers, most, helper)),
    );
  const forms = [...withHelper(beside.length > 0 ? BESIDE : [], ''), ...withHelper(ALONE, bare), title('')];
  return forms.find((form) => form.length <= TITLE_MAX) ?? title('').replace(/, inside \w+/, '');
}

/** How it came into the kernel is what is missed least, where the rest says it too; and a syscall less than a function. */
function saysLittle(task: Task, frame: string | null): boolean {
  const way = entryOf(task);
  if (way?.kind === 'work') return way.func === frame;
  return way?.kind === 'syscall' || way?.kind === 'kthread';
}

type Helper = Parameters<typeof whatOf>[1] | null;
const HELPERS: readonly Helper[] = ['with its helper', null];

/** Callers of the place, stuck tasks elsewhere, and whether the syscall, that a title has, as many as fit. */
type Told = readonly (readonly [callers: number, beside: number, whole: boolean])[];
const BESIDE: Told = [
  [2, 2, true],
  [1, 2, true],
  [1, 1, true],
  [1, 1, false],
  [0, 1, true],
  [0, 1, false],
];
const ALONE: Told = [
  [2, 0, true],
  [1, 0, true],
  [1, 0, false],
  [0, 0, true],
  [0, 0, false],
];

/** A task that runs waits for nothing. */
const doing = (task: Task, frame: string, callers: number, helper: Helper): string =>
  task.state === 'R'
    ? frame
    : `${whatOf(task, helper)} (${[frame, ...callersOfPlace(task.frames).slice(0, callers)].join(' ← ')})`;
