import type { Dump, ListedLock, Task } from '../model.js';
import { byOwner } from './lock-owners.js';
import type { Candidate } from './candidates.js';
import { type Edge, edgeTo, type Finder, isSame, toTask } from './edges.js';
import { entryOf, firmSymbols } from './frames.js';
import { byOwnStack } from './own-lock.js';
import { byInode, byMmap, bySameFunction, bySameModule } from './same-code.js';
import { bySync } from './sync.js';
import { frameName } from './phrases.js';
import { rcuOwner } from './rcu-owner.js';
import { ringEdges } from './rings.js';
import { lockWaited, waitOf } from './wait-kinds.js';
import { doesWork, EDGE_ROWS } from './wait-rows.js';

/**
 * The edges of the wait-for graph, at most one a waiter, by falling trust. Where a server outside the guest is known to be
 * dead, none inside is suspected.
 */
export function findEdges(stuck: readonly Candidate[], dumps: readonly Dump[], serverDead: boolean): Edge[] {
  const tasks = tasksByPid(dumps);
  const finders = [
    byOwner(tasks),
    byKernel(tasks, dumps),
    byLockdep(tasks, stuck, dumps),
    byOwnStack,
    byWorkqueue(tasks, stuck, dumps),
    byRow(stuck),
    byThread(stuck),
    bySync(stuck),
    byGracePeriod(dumps),
    byInode(stuck),
    byMmap(stuck),
    bySameFunction(stuck, dumps),
    bySameModule(stuck),
  ];
  const edges = stuck.flatMap(({ task }): Edge[] => {
    const lock = lockWaited(task);
    for (const find of finders) {
      const found = find(task, lock);
      if (found) return [found];
    }
    return [];
  });
  return [...edges, ...ringEdges(edges, stuck, serverDead), ...parents(stuck, tasks)];
}

type Tasks = ReadonlyMap<number, Task>;

function tasksByPid(dumps: readonly Dump[]): Tasks {
  const tasks = new Map<number, Task>();
  for (const dump of dumps) for (const task of dump.tasks) if (task.pid !== null) tasks.set(task.pid, task);
  return tasks;
}

/** `… is blocked on a mutex likely owned by task …` */
function byKernel(tasks: Tasks, dumps: readonly Dump[]): Finder {
  const blockers = new Map(
    dumps.flatMap((dump) => dump.blockers ?? []).map((blocker) => [blocker.waiter.pid, blocker]),
  );
  return (waiter) => {
    const said = waiter.pid === null ? undefined : blockers.get(waiter.pid);
    return said
      ? {
          waiter,
          owner: { ...said.owner, task: tasks.get(said.owner.pid) ?? null },
          through: `a ${said.lock}`,
          confidence: 'high',
          reason: 'hung_task says so',
          source: 'hung_task',
        }
      : null;
  };
}

/** Lockdep's table: a blocked task's last lock is the one it wants; its owner lists it too, and not as its wish. */
function byLockdep(tasks: Tasks, stuck: readonly Candidate[], dumps: readonly Dump[]): Finder {
  const rows = dumps.findLast((dump) => dump.locks.length > 0)?.locks;
  if (!rows) return () => null;
  const last = new Map<number, ListedLock>();
  for (const row of rows) last.set(row.pid, row);
  const stuckPids = new Set(stuck.map(({ task }) => task.pid));
  const wishing = new Set(
    [...tasks.values()].filter((task) => lockWaited(task) !== null).map(({ pid }) => pid),
  );
  const wishes = (row: ListedLock): boolean =>
    row.wanted ?? (last.get(row.pid) === row && (wishing.has(row.pid) || WANTS_AT.test(row.at ?? '')));
  const owners = new Map<string, ListedLock>();
  for (const row of rows) {
    if (row.address === '' || wishes(row)) continue;
    // Several may read-hold one lock: one that is stuck itself explains the most.
    if (!owners.has(row.address) || stuckPids.has(row.pid)) owners.set(row.address, row);
  }
  return (waiter, lock) => {
    const wish = waiter.pid === null || lock === null ? undefined : last.get(waiter.pid);
    const owner = wish && owners.get(wish.address);
    if (!wish || !owner) return null;
    const says = { through: wish.name, confidence: 'high', source: 'lockdep' } as const;
    if (owner.pid === waiter.pid)
      return edgeTo(waiter, waiter, { ...says, reason: "lockdep's table says that it holds it itself" });
    const task = tasks.get(owner.pid) ?? null;
    // This one is taken around the search for memory.
    const reclaims =
      task === null && rows.some(({ pid, name }) => pid === owner.pid && name === 'fs_reclaim');
    return {
      waiter,
      owner: { comm: owner.comm, pid: owner.pid, task, ...(reclaims ? { doing: 'in memory reclaim' } : {}) },
      ...says,
      reason: "lockdep's table lists it as held",
    };
  };
}

/** Where a task that no dump shows lists a lock at its taking, it may as well wait for it. */
const WANTS_AT = /^_*(?:rtnl_lock|inode_lock\w*|lock_\w+)$/;

/** A wait for a work item leads to the worker that runs it. */
function byWorkqueue(tasks: Tasks, stuck: readonly Candidate[], dumps: readonly Dump[]): Finder {
  const items = dumps.flatMap(({ workqueues }) => workqueues.flatMap((row) => row.items ?? []));
  const workers = stuck.filter(({ task }) => firmSymbols(task.frames).includes('process_one_work'));
  return (waiter) => {
    if (waitOf(waiter)?.kind !== 'work') return null;
    const { pid } = waiter;
    const item =
      pid === null
        ? undefined
        : items.find(({ flushers, pid: worker }) => worker !== null && flushers.includes(pid));
    if (item && item.pid !== null) {
      const task = tasks.get(item.pid) ?? null;
      return {
        waiter,
        owner: { comm: task?.comm ?? 'kworker', pid: item.pid, task },
        through: `work ${item.func}`,
        confidence: 'high',
        reason: 'the table of busy workqueues says who runs it',
        source: 'workqueues',
      };
    }
    // Those who run the same work and wait like it are victims of the same.
    const own = workOf(waiter);
    return byFlush(
      waiter,
      workers.filter(({ task }) => !isSame(task, waiter) && (own === null || workOf(task) !== own)),
    );
  };
}

function workOf(task: Task): string | null {
  const entry = entryOf(task);
  return entry?.kind === 'work' ? entry.func : null;
}

/** Which work is flushed stands in no frame: only where its module, or that no other is stuck, leaves no choice. */
function byFlush(waiter: Task, others: readonly Candidate[]): Edge | null {
  const modules = new Set(modulesIn(waiter));
  const alike = others.filter(({ task }) => modulesIn(task).some((module) => modules.has(module)));
  const says = { through: 'a work item', source: 'rule' } as const;
  const one = oneOf(alike);
  if (one)
    return toTask(waiter, one, {
      ...says,
      confidence: 'medium',
      reason: 'of the stuck workers it alone runs code of the same module',
    });
  return others.length === 1
    ? toTask(waiter, others[0]?.task, { ...says, confidence: 'low', reason: 'no other worker is stuck' })
    : null;
}

const modulesIn = ({ frames }: Task): string[] => frames.flatMap(({ module }) => module ?? []);

/** Who stops a kernel thread waits for it to end: the stuck one of the same module, by the likeness of their names. */
function byThread(stuck: readonly Candidate[]): Finder {
  const threads = stuck.filter(
    ({ task }) => entryOf(task)?.kind === 'kthread' && waitOf(task)?.kind !== 'kthread',
  );
  return (waiter) => {
    if (waitOf(waiter)?.kind !== 'kthread') return null;
    const modules = new Set(modulesIn(waiter));
    const alike = threads.filter(({ task }) => modulesIn(task).some((module) => modules.has(module)));
    const named = alike.map(({ task }) => ({ task, common: commonStart(task.comm, waiter.comm) }));
    const most = Math.max(...named.map(({ common }) => common));
    const [likely, ...more] = named.filter(({ common }) => common === most);
    const says = { through: 'a kernel thread', confidence: 'low', source: 'rule' } as const;
    const reason = 'of the stuck threads of the same module its name is the most alike';
    return more.length > 0 ? null : toTask(waiter, likely?.task, { ...says, reason });
  };
}

function commonStart(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}

function byRow(stuck: readonly Candidate[]): Finder {
  const rowOwners = EDGE_ROWS.map((row) => stuck.filter(({ task }) => doesWork(row, task)));
  return (waiter, lock) => {
    const names = firmSymbols(waiter.frames);
    if (isVfork(names, waiter)) {
      const child = stuck.find((other) => other.task.ppid === waiter.pid)?.task;
      const says = { through: 'its vfork child', confidence: 'medium', reason: 'it is its child' } as const;
      return toTask(waiter, child, { ...says, source: 'rule' });
    }
    for (const [index, row] of EDGE_ROWS.entries()) {
      if (doesWork(row, waiter) || !waitsBy(row, waiter)) continue;
      if (row.lock !== undefined && lock?.kind !== row.lock) continue;
      const owners = rowOwners[index]?.filter((other) => !isSame(other.task, waiter)) ?? [];
      const { through, confidence, reason } = row;
      const owner = oneOf(owners);
      if (owner) return toTask(waiter, owner, { through, confidence, reason, source: 'rule' });
    }
    return null;
  };
}

/** Two tasks inside the same code: which of them is waited for would be a guess, unless both wait in the same place. */
function oneOf(owners: readonly Candidate[]): Task | undefined {
  const places = new Set(owners.map(({ task }) => frameName(task.frames)));
  return places.size === 1 ? owners[0]?.task : undefined;
}

function waitsBy({ waiter, itself, waits }: (typeof EDGE_ROWS)[number], { frames }: Task): boolean {
  if (waits !== undefined && waitOf({ frames })?.kind !== waits) return false;
  return itself
    ? waiter.test(frameName(frames) ?? '')
    : firmSymbols(frames).some((name) => waiter.test(name));
}

/** The wait for a child that shares the memory is often inlined. */
const isVfork = (names: readonly string[], task: Task): boolean =>
  names.includes('wait_for_vfork_done') ||
  (isSyscall(task, 'vfork') && names.some((name) => /^wait_for_completion|^__wait_for_common$/.test(name)));

function isSyscall(task: Task, name: string): boolean {
  const entry = entryOf(task);
  return entry?.kind === 'syscall' && entry.name === name;
}

/** A grace period ends when every CPU was seen outside of RCU: whoever hinders that is waited for. */
function byGracePeriod(dumps: readonly Dump[]): Finder {
  const found = rcuOwner(dumps);
  return (waiter) => {
    if (!found || waitOf(waiter)?.kind !== 'rcu') return null;
    const { task, confidence, reason } = found;
    return toTask(waiter, task, { through: 'an RCU grace period', confidence, reason, source: 'rule' });
  };
}

/** Parents that sleep until a stuck child ends or writes into their pipe: they lead nowhere, but show who suffers. */
function parents(stuck: readonly Candidate[], all: Tasks): Edge[] {
  const isStuck = new Set(stuck.map(({ task }) => task.pid));
  return stuck.flatMap(({ task }) => {
    const parent = task.ppid === null || isStuck.has(task.ppid) ? undefined : all.get(task.ppid);
    const kind = parent && waitOf(parent)?.kind;
    if (!parent || (kind !== 'child' && kind !== 'pipe')) return [];
    const child = kind === 'child';
    const found = toTask(parent, task, {
      through: child ? 'the end of its child' : 'a pipe',
      confidence: child ? 'medium' : 'low',
      reason: 'it is its child',
      source: 'rule',
    });
    return found ? [found] : [];
  });
}
