/** Stuck tasks that a title names beside the one it is about. */
import type { Task } from '../model.js';
import { type Candidate, nameOf } from './candidates.js';
import { counted } from '../words.js';
import { frameName, whatOf } from './phrases.js';
import { lockWaited } from './wait-kinds.js';

/**
 * Where few tasks are stuck, each at another place, one of the others may be the reason; where many wait for locks as
 * `told` does, those few that wait for none.
 */
export function besideOf(others: readonly Candidate[], told: Task): Candidate[] {
  if (others.length <= BESIDE_MAX) return elsewhereThan(told, others);
  if (lockWaited(told) === null) return [];
  const few = elsewhereThan(
    told,
    others.filter(({ task }) => lockWaited(task) === null),
  );
  return few.length > FREE_MAX ? [] : few;
}

/** One of each other place. */
function elsewhereThan(told: Task, others: readonly Candidate[]): Candidate[] {
  const seen = new Set([frameName(told.frames)]);
  return others.filter(({ task }) => {
    const frame = frameName(task.frames);
    if (frame === null || seen.has(frame)) return false;
    seen.add(frame);
    return true;
  });
}

const BESIDE_MAX = 3;
const FREE_MAX = 2;

/** The end of a title. */
export const besides = (shown: readonly Candidate[]): string =>
  shown.length === 0
    ? ''
    : `, beside ${shown.map(({ task }) => `${called(task)} in ${frameName(task.frames) ?? '?'}`).join(' and ')}`;

/** Of a stack without a header nothing is known but that it is another. */
const called = (task: Task): string => (task.comm === '' && task.pid === null ? 'another' : nameOf(task));

/** What the other stuck tasks wait for, as far as their stacks tell. */
export function elsewhere(others: readonly Candidate[]): string {
  const shown = others.slice(0, ELSEWHERE_MAX).map(({ task }) => {
    const frame = frameName(task.frames);
    return frame === null ? `${nameOf(task)} (no stack)` : `${nameOf(task)} (${whatOf(task)}, ${frame})`;
  });
  const more = others.length > shown.length ? ' …' : '';
  return `${counted(others.length, 'more stuck task')} ${others.length === 1 ? 'does' : 'do'} not lead here: ${shown.join(', ')}${more}.`;
}

const ELSEWHERE_MAX = 3;
