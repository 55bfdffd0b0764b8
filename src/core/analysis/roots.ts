import type { Dump, Task } from '../model.js';
import type { Candidate } from './candidates.js';
import { type Edge, isSame } from './edges.js';
import { entryOf } from './frames.js';
import { frameName } from './phrases.js';
import { subjectOf, subjectRank } from './subjects.js';
import { lockWaited } from './wait-kinds.js';

/** Where chains of waits end: one task, a cycle of them, or an owner without a stack. */
export interface Root {
  task: Task;
  /** The stuck task it is itself, null for an owner that only the chain led to. */
  candidate: Candidate | null;
  /** Stuck tasks whose chain ends here, itself included. */
  members: Candidate[];
  /** Edges on the chains that end here. */
  edges: Edge[];
  /** Names of tasks that wait for each other, null if there is no such ring. */
  cycle: Task[] | null;
  /** Whom hung_task reported first, where only a conclusion of ours leads from it to `task`. */
  reported?: Candidate;
}

interface End {
  task: Task;
  cycle: Task[] | null;
}

/** Follows each stuck task's waits to their end, and ranks the ends: the likeliest reason of the hang first. */
export function findRoots(stuck: readonly Candidate[], edges: readonly Edge[]): Root[] {
  const next = new Map(edges.map((edge) => [keyOf(edge.waiter), edge]));
  const own = new Map(stuck.map((candidate) => [candidate.task, candidate]));
  const byPid = new Map(stuck.map((candidate) => [candidate.task.pid, candidate]));
  const ends = new Map<Task, End>();
  const roots = new Map<Task, Root>();
  for (const candidate of stuck) {
    const end = follow(candidate.task, next, ends);
    const self = own.get(end.task) ?? (end.task.pid === null ? null : (byPid.get(end.task.pid) ?? null));
    const root = roots.get(end.task) ?? {
      task: end.task,
      candidate: self,
      members: [],
      edges: [],
      cycle: end.cycle,
    };
    roots.set(end.task, root);
    root.members.push(candidate);
    const edge = next.get(keyOf(candidate.task));
    if (edge) root.edges.push(edge);
  }
  return samePlace(byLikelihood([...roots.values()]));
}

/** Tasks that wait in the same function, each for itself, are one finding: the likeliest speaks for all. */
function samePlace(roots: readonly Root[]): Root[] {
  const places = new Map<string, Root>();
  for (const root of roots) {
    const place = root.cycle
      ? `ring ${places.size}`
      : `${root.task.state} ${frameName(root.task.frames) ?? `no stack ${places.size}`}`;
    const known = places.get(place);
    if (known) {
      known.members.push(...root.members);
      known.edges.push(...root.edges);
    } else places.set(place, root);
  }
  return byLikelihood([...places.values()]);
}

/**
 * Where hung_task's reports are all there is, they show a few victims and not the whole guest. Then the first of them is
 * the finding, under whose function such reports are known and searched for, and its chain says who holds it up. Only a
 * ring, or what the kernel itself says of owners, leads away from it. Otherwise the likeliest root.
 */
export function chooseRoot(
  roots: readonly Root[],
  stuck: readonly Candidate[],
  edges: readonly Edge[],
  dumps: readonly Dump[],
): Root | undefined {
  const likeliest = roots.find((one) => standingOf(one) !== 'passing');
  // The first report may have lost its stack, at the end of a paste or its beginning.
  const told = ({ task }: Candidate): boolean =>
    task.frames.length > 0 || edges.some(({ waiter }) => isSame(waiter, task));
  const first = stuck.find(told) ?? stuck[0];
  const only = dumps.every(({ key, tasks }) => key === 'hung_task' || tasks.length === 0);
  if (!only || !first || first.hungSeconds === null || likeliest?.cycle) return likeliest;
  const own = roots.find(({ members }) => members.includes(first));
  if (!own) return likeliest;
  const works = atWork(own, roots);
  if (works) return works;
  const frame = frameName(first.task.frames);
  const there = frame === null || frame === frameName(own.task.frames);
  return there || kernelLeads(first.task, edges) ? own : { ...own, reported: first };
}

/**
 * Where the one that was reported first waits for a lock whose holder nobody tells, whoever is amid an operation of the
 * very same part of the kernel, or serves it: locks are held by those who work, and by threads for all others.
 */
function atWork(own: Root, roots: readonly Root[]): Root | undefined {
  const subject = subjectOf(own.task.frames);
  if (explainsItself(own) || own.edges.length > 0 || subject === null || subject.general === true)
    return undefined;
  const kin = roots.filter(
    (root) =>
      root !== own &&
      root.candidate?.standing === 'proven' &&
      subjectOf(root.task.frames)?.name === subject.name,
  );
  return kin.find(explainsItself) ?? (asks(own.task) ? kin.find(({ task }) => serves(task)) : undefined);
}

const asks = (task: Task): boolean => entryOf(task)?.kind === 'syscall';
const serves = (task: Task): boolean => entryOf(task)?.kind === 'kthread';

/** Whether each step from here to the end of the chain is the kernel's own word. */
function kernelLeads(start: Task, edges: readonly Edge[]): boolean {
  const seen = new Set<Task>();
  let task: Task | null = start;
  while (task && !seen.has(task)) {
    seen.add(task);
    const at: Task = task;
    const edge = edges.find(({ waiter }) => isSame(waiter, at));
    if (!edge) return true;
    if (edge.source !== 'hung_task' && edge.source !== 'memory') return false;
    task = edge.owner.task;
  }
  return true;
}

/** One task may have been seen in several dumps; one without a pid is itself alone. */
const keyOf = (task: Task): number | Task => task.pid ?? task;

/** The end of one chain; what is found is kept for all tasks on the way, so that long chains stay cheap. */
function follow(start: Task, next: ReadonlyMap<number | Task, Edge>, ends: Map<Task, End>): End {
  const path: Task[] = [];
  const onPath = new Set<Task>();
  let task = start;
  let end = ends.get(task);
  while (!end) {
    path.push(task);
    onPath.add(task);
    const owner: Task | null = next.get(keyOf(task))?.owner.task ?? null;
    if (owner === null) end = { task, cycle: null };
    else if (onPath.has(owner)) end = { task: owner, cycle: path.slice(path.indexOf(owner)) };
    else {
      task = owner;
      end = ends.get(task);
    }
  }
  for (const step of path) ends.set(step, end);
  return end;
}

const STANDING = { proven: 2, single: 1, passing: 0 };

/** The best standing of a root's members: an owner is as stuck as those who wait for it. */
export function standingOf(root: Root): Candidate['standing'] {
  return root.members.reduce<Candidate['standing']>(
    (best, { standing }) => (STANDING[standing] > STANDING[best] ? standing : best),
    'passing',
  );
}

/** Whether the end explains itself: a ring, or a wait that is not for somebody's lock. */
const explainsItself = (root: Root): boolean => root.cycle !== null || lockWaited(root.task) === null;

function byLikelihood(roots: readonly Root[]): Root[] {
  const ranked = roots.map((root) => ({
    root,
    rank: [
      // Of a report that lost its stack, and whose lock's owner nobody tells, there is nothing to say.
      Number(root.task.frames.length > 0 || root.members.length > 1 || root.edges.length > 0),
      STANDING[standingOf(root)],
      Number(explainsItself(root)),
      Number(root.task.frames.length > 0),
      // Who sleeps for the same server in S may be killed, and often only came to ask what hangs.
      Number(root.task.state === 'D'),
      root.members.length,
      subjectRank(root.task.frames),
      root.candidate?.ageSeconds ?? 0,
    ],
  }));
  return ranked.sort((a, b) => compare(b.rank, a.rank)).map(({ root }) => root);
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
