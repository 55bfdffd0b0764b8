/** sync(2) visits all filesystems: where one task is stuck in one of them, that one is the finding. */
import type { Candidate } from './candidates.js';
import { type Finder, isSame, toTask } from './edges.js';
import { firmSymbols } from './frames.js';
import { subjectOf } from './subjects.js';
import { waitOf } from './wait-kinds.js';

const VISITS_ALL = /^(?:iterate_supers\w*|ksys_sync|sys_sync|_*(?:x64|arm64|do|se)_sys_sync)$/;

export function bySync(stuck: readonly Candidate[]): Finder {
  const visits = (candidate: Candidate) =>
    firmSymbols(candidate.task.frames).some((name) => VISITS_ALL.test(name));
  const inOne = stuck.flatMap((candidate) => {
    const subject = subjectOf(candidate.task.frames);
    const own = subject?.layer === 'filesystem' && subject.general !== true && subject.name !== 'writeback';
    return own && !visits(candidate) ? [{ candidate, name: subject.name }] : [];
  });
  const [first] = inOne;
  return (waiter, lock) => {
    if (!first || inOne.some(({ name }) => name !== first.name)) return null;
    const syncs = stuck.find(({ task }) => isSame(task, waiter));
    const wait = waitOf(waiter)?.kind ?? null;
    if (!syncs || !visits(syncs) || (lock === null && wait !== 'writeback')) return null;
    return toTask(waiter, first.candidate.task, {
      through: first.name,
      confidence: 'low',
      reason: 'sync waits for all filesystems, and this is the only one that another stuck task is in',
      source: 'rule',
    });
  };
}
