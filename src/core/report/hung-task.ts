/** When the kernel's own detector would have spoken of this hang. */
import { firmSymbols } from '../analysis/frames.js';
import type { Incident } from './incident.js';

/** `between` are ISO times; null where it stays silent for ever, or has spoken. */
interface HungTask {
  between: [string, string] | null;
  says: string;
}

/** The kernel's default: it looks every so often, at who has not run for as long. */
const TIMEOUT_MS = 120_000;
/** mm/filemap.c and fs/fuse/dev.c wait killably there, without saying so in their names. */
const KILLABLE =
  /killable|^(?:filemap_update_page|filemap_read_folio|lock_folio_maybe_drop_mmap|filemap_fault)$/;
/** Further out, what was entered killably waits for something else. */
const SLEEPS_WITHIN = 6;

/**
 * kernel/hung_task.c, check_hung_uninterruptible_tasks(): who is in D, and neither killable nor idle, and was not
 * switched for hung_task_timeout_secs. Null where no task is accused.
 */
export function hungTask({ verdict, wedgedSince, startedAt, dumps }: Incident): HungTask | null {
  const { culprit } = verdict;
  if (dumps.some(({ key }) => key === 'hung_task'))
    return { between: null, says: 'has spoken: see its report' };
  if (culprit === null) return null;
  if (culprit.state === 'S') return { between: null, says: 'never: it passes over a task that sleeps in S' };
  if (culprit.state !== 'D')
    return { between: null, says: `never: it passes over a task in ${culprit.state}` };
  const task = dumps.flatMap(({ tasks }) => tasks).findLast(({ pid }) => pid === culprit.pid);
  const killable = firmSymbols(task?.frames ?? [])
    .slice(0, SLEEPS_WITHIN)
    .find((name) => KILLABLE.test(name));
  if (killable !== undefined)
    return { between: null, says: `never: the task waits killably, in ${killable}` };
  const since = Date.parse(wedgedSince ?? startedAt);
  if (!Number.isFinite(since)) return null;
  const at = (ms: number) => new Date(since + ms).toISOString();
  return { between: [at(TIMEOUT_MS), at(2 * TIMEOUT_MS)], says: '120 to 240 s after the guest stood still' };
}
