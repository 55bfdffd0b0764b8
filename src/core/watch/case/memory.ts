/** What the guest's memory says in a case: who has stood still, and for how long, by the scheduler's own clock. */
import { serverFault } from '../../host/share-server.js';
import type { Analysis, Share, Task, Verdict } from '../../model.js';
import type { DumpEvidence } from '../../report/incident.js';
import type { Mono } from '../../time.js';
import { standingIn, standingOf, type SnapshotEvent, type Standing, waitsForData } from '../memory-view.js';
import type { Context } from '../context.js';
import { backendIsDead } from '../looks.js';
import type { Case } from './case.js';

/** A snapshot for this case. Once keys are pressed the one before them stays. */
export function keepMemory(current: Case, seen: SnapshotEvent, at: Mono): void {
  const { name } = current.stage;
  const early = name === 'looking' || name === 'opening' || name === 'weighing' || name === 'holding';
  if (!early || !seen.ok || seen.dump === null) return;
  const hopeless = current.memory?.hopeless === true;
  current.memory = { at, dump: seen.dump, lines: seen.lines, hopeless };
}

/** What the incident says of it. */
export function memoryEvidence({ memory }: Case): DumpEvidence[] {
  if (memory === null) return [];
  const { dump, lines } = memory;
  return [{ name: 'memory', key: 'memory', complete: dump.complete, lines, endedBy: 'read' }];
}

/** All of it was read, and steadily. */
export const memoryIsWhole = ({ memory }: Case): boolean => memory?.dump.complete === true;

/** Tasks that have stood for as long as a console may be silent: since before the suspicion. */
export function stoodLong({ settings }: Context, { memory }: Case): Standing[] {
  return memory === null ? [] : standingIn(memory.dump.tasks, settings.detect.silence / 1000);
}

/** Whether the clock proves what a second look at the blocked tasks would. */
export function memoryProves(context: Context, current: Case): boolean {
  if (current.memory === null) return false;
  return current.memory.hopeless || stoodLong(context, current).length > 0;
}

const taskOf = ({ memory }: Case, { pid, comm }: { pid: number | null; comm: string }): Task | null =>
  memory?.dump.tasks.find((task) => pid !== null && task.pid === pid && task.comm === comm) ?? null;

/** For how long the culprit had stood when memory was read, in milliseconds; null where that does not tell. */
export function culpritStood(current: Case, { culprit }: Pick<Verdict, 'culprit'>): number | null {
  const task = culprit === null ? null : taskOf(current, culprit);
  const standing = task === null ? null : standingOf(task);
  return standing === null ? null : standing.seconds * 1000;
}

/** An incident was about the task, or showed it standing where it stands yet. */
export function culpritWasFiled(
  { state }: Context,
  current: Case,
  { culprit }: Pick<Verdict, 'culprit'>,
): boolean {
  const task = culprit === null ? null : taskOf(current, culprit);
  const standing = task === null ? null : standingOf(task);
  return standing !== null && state.memory.filed.includes(standing.key);
}

/** A whole dump of the tasks that are blocked, or of all, does not show the culprit as he was in memory. */
export const isAway = (dumps: Analysis['dumps'], culprit: Verdict['culprit']): boolean =>
  culprit === null ||
  dumps.some(
    ({ key, complete, tasks }) =>
      complete &&
      (key === 't' || (key === 'w' && culprit.state === 'D')) &&
      !tasks.some(({ pid, state }) => pid === culprit.pid && state === culprit.state),
  );

/** The share that the culprit waits for, where memory shows what its filesystem was mounted from. */
function shareOf(current: Case, { culprit }: Pick<Verdict, 'culprit'>): Share | null {
  const task = culprit === null ? null : taskOf(current, culprit);
  const source = task === null ? null : (standingOf(task)?.source ?? null);
  const seen = current.looks.findLast(({ shares }) => shares.length > 0)?.shares ?? [];
  return seen.find(({ tag }) => tag === source) ?? null;
}

/** The culprit waits for a server of files on the host: memory shows which, or it was inferred. */
export const waitsOnShare = (current: Case, verdict: Verdict): boolean =>
  verdict.inferred.length > 0 || shareOf(current, verdict) !== null;

/** A disk that completes requests comes to the culprit's too: under a heavy load, after minutes. */
export const DISK_PROOF_MS = 180_000;

/** Memory shows that the culprit waits for a disk of the guest's own, or for swap. */
export function waitsOnDisk(current: Case, { culprit }: Pick<Verdict, 'culprit'>): boolean {
  const task = culprit === null ? null : taskOf(current, culprit);
  const standing = task === null ? null : standingOf(task);
  return standing !== null && waitsForData(standing) && (standing.source?.startsWith('/') ?? true);
}

/** No wait for that server can end; where memory shows which it is, no other one counts. */
export function itsServerIsDead(current: Case, verdict: Verdict): boolean {
  const share = shareOf(current, verdict);
  return share === null ? backendIsDead(current.looks) : serverFault(share) !== null;
}

/** Every CPU runs something. */
export const memoryIsBusy = ({ memory }: Case): boolean => {
  const cpus = memory?.dump.cpus ?? [];
  return cpus.length > 0 && cpus.every(({ idle }) => !idle);
};
