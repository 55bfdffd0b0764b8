/** Edges that close rings: waits for each other, of which only one half, or none, is known by itself. */
import type { Task } from '../model.js';
import { backendOf } from './backends.js';
import type { Candidate } from './candidates.js';
import { codesOf } from './codes.js';
import { type Edge, isSame, toTask } from './edges.js';
import { firmFrames, firmSymbols, operationFrame } from './frames.js';
import { layerOf } from './layers.js';
import { frameName } from './phrases.js';
import { mayServe } from './server-programs.js';
import { subjectOf, subjectOfSymbol } from './subjects.js';
import { lockWaited, waitOf } from './wait-kinds.js';
import { PAGE_LOCK } from './wait-rows.js';

/** What closes rings with the edges that were found. Where a server is dead outside the guest, none inside is suspected. */
export function ringEdges(edges: readonly Edge[], stuck: readonly Candidate[], serverDead: boolean): Edge[] {
  const known = [
    ...pageLockEdges(edges),
    ...(serverDead ? [] : serverEdges(edges)),
    ...lockRings(edges, stuck),
  ];
  return [...known, ...crossedEdges([...edges, ...known], stuck)];
}

/**
 * Closes rings: a task waits for a page's lock, and one that waits for it in turn, on the kernel's word, is inside
 * the same function. Then the latter likely holds the page.
 */
function pageLockEdges(edges: readonly Edge[]): Edge[] {
  const waiters = new Set(edges.map(({ waiter }) => waiter));
  return edges.flatMap(({ waiter, owner: { task }, confidence }) => {
    if (confidence !== 'high' || !task || waiters.has(task)) return [];
    const names = firmSymbols(task.frames);
    const wanted = names.findLastIndex((name) => PAGE_LOCK.test(name));
    const caller = wanted < 0 ? undefined : names[wanted + 1];
    if (caller === undefined || !firmSymbols(waiter.frames).includes(caller)) return [];
    waiters.add(task);
    const found = toTask(task, waiter, {
      through: 'a page lock',
      confidence: 'low',
      reason: 'it is inside the same function',
      source: 'rule',
    });
    return found ? [found] : [];
  });
}

/**
 * Closes rings: of two tasks in the same code, and no third stuck there, one waits for a lock of the other, and that one
 * for a lock in turn.
 */
function lockRings(edges: readonly Edge[], stuck: readonly Candidate[]): Edge[] {
  const waiters = new Set(edges.map(({ waiter }) => waiter));
  return edges.flatMap(({ waiter, owner: { task }, confidence }) => {
    if (confidence === 'low' || !task || waiters.has(task) || isSame(task, waiter)) return [];
    const wanted = lockOf(task);
    const code = subjectOf(task.frames);
    if (!wanted || !code || code.general === true) return [];
    // Such a lock is let go of before its code waits for others.
    if (lockWaited(task) === null && subjectOfSymbol(frameName(waiter.frames) ?? '')?.name !== code.name)
      return [];
    const inside = stuck.filter((one) => isIn(one.task, code.name) && !isSame(one.task, task));
    if (inside.length !== 1 || inside[0]?.task !== waiter) return [];
    waiters.add(task);
    const reason = 'no other stuck task is in the same code';
    const found = toTask(task, waiter, { through: wanted, confidence: 'low', reason, source: 'rule' });
    return found ? [found] : [];
  });
}

const isIn = ({ frames }: Task, code: string): boolean =>
  firmFrames(frames).some(
    ({ symbol, module }) => subjectOfSymbol(symbol)?.name === code || code === `module ${module ?? ''}`,
  );

/** Closes rings: a FUSE server wants a lock, and whoever holds that waits for a FUSE server's answer. */
function serverEdges(edges: readonly Edge[]): Edge[] {
  const waiters = new Set(edges.map(({ waiter }) => waiter));
  return edges.flatMap(({ waiter: server, owner: { task } }) => {
    if (!task || waiters.has(task) || backendOf(task.frames)?.kind !== 'fuse') return [];
    const wants =
      lockWaited(server) !== null && firmSymbols(server.frames).some((name) => /^_*fuse_/.test(name));
    if (!wants || !mayServe(server, 'fuse')) return [];
    waiters.add(task);
    const found = toTask(task, server, {
      through: 'a FUSE request',
      confidence: 'low',
      reason: 'it is a FUSE server, and is inside a FUSE filesystem itself',
      source: 'rule',
    });
    return found ? [found] : [];
  });
}

/** Locks that are no primitives of the kernel. */
const OTHER_LOCK = /^(?:btrfs_tree_(?:read_)?lock\w*|btrfs_(?:read_)?lock_root_node|_*lock_extent\w*)$/;

/** The lock a stack waits for, in words. */
function lockOf(task: Task): string | null {
  const lock = lockWaited(task);
  if (lock) return lock.what;
  const names = firmSymbols(task.frames);
  const place = frameName(task.frames);
  const inside = names.slice(0, names.indexOf(place ?? '') + 1);
  return inside.some((name) => OTHER_LOCK.test(name)) ? 'a lock' : null;
}

/**
 * Two tasks, each of which waits inside code that the other came through: whoever is inside a part of the kernel likely
 * holds its lock. Tasks in one place count once; where a third is inside the same code, nothing is concluded.
 */
function crossedEdges(edges: readonly Edge[], stuck: readonly Candidate[]): Edge[] {
  const waiters = new Set(edges.map(({ waiter }) => waiter));
  const places = new Map<string, Crossing>();
  for (const { task, standing } of stuck) {
    const place = placeOf(task);
    if (place === null || places.has(place)) continue;
    const free = standing !== 'passing' && !waiters.has(task) && endsByOthers(task);
    places.set(place, { task, place, free, wants: codesAt(task), came: codesBehind(task) });
  }
  if (places.size > CROSSED_MAX) return [];
  const all = [...places.values()];
  return all.flatMap((one): Edge[] => {
    const meets = (a: Crossing, b: Crossing): boolean =>
      crosses(a, b) || (all.length === 2 && twoBuffers(a, b));
    const others = all.filter((other) => meets(one, other));
    const [other] = others;
    if (!other || others.length > 1 || all.filter((third) => meets(other, third)).length > 1) return [];
    const found = toTask(one.task, other.task, {
      through: lockOf(one.task) ?? waitOf(one.task)?.what ?? 'a wait',
      confidence: 'low',
      reason: twoBuffers(one, other)
        ? 'no other task is stuck, and each waits for another buffer'
        : 'each of them came through the code that the other waits in',
      source: 'rule',
    });
    return found ? [found] : [];
  });
}

interface Crossing {
  task: Task;
  place: string;
  /** Whom it waits for is not known, and may be another task. */
  free: boolean;
  wants: ReadonlySet<string>;
  came: ReadonlySet<string>;
}

const CROSSED_MAX = 12;

function crosses(one: Crossing, other: Crossing): boolean {
  if (one === other || !one.free || !other.free) return false;
  if (lockOf(one.task) === null && lockOf(other.task) === null) return false;
  const share = (a: ReadonlySet<string>, b: ReadonlySet<string>): boolean =>
    [...a].some((code) => b.has(code));
  return !share(one.wants, other.wants) && share(one.wants, other.came) && share(other.wants, one.came);
}

/** Transactions of XFS keep all buffers that they have locked. */
const twoBuffers = (one: Crossing, other: Crossing): boolean =>
  one !== other && one.free && other.free && BUFFER.test(one.place) && BUFFER.test(other.place);

const BUFFER = /^xfs_buf_(?:lock|find\w*) /;

/** The place; of a buffer, who wants it as well. */
function placeOf({ frames }: Task): string | null {
  const place = frameName(frames);
  if (place === null || !BUFFER.test(`${place} `)) return place;
  return `${place} ${firmSymbols(frames).find((name) => /^xfs_(?!buf_|trans_)/.test(name)) ?? ''}`;
}

/** Locks, and what a task does that may need one. */
function endsByOthers(task: Task): boolean {
  if (lockOf(task) !== null) return true;
  const wait = waitOf(task);
  return wait === null || wait.kind === 'work' || wait.kind === 'kthread' || wait.kind === 'completion';
}

function codesAt({ frames }: Task): Set<string> {
  const place = operationFrame(frames);
  return new Set(place ? codesOf(place) : []);
}

function codesBehind({ frames }: Task): Set<string> {
  const firm = firmFrames(frames);
  const place = operationFrame(frames);
  const from = place ? firm.indexOf(place) + 1 : firm.length;
  return new Set(
    firm
      .slice(from)
      .filter(({ symbol }) => layerOf(symbol) === 'operation')
      .flatMap(codesOf),
  );
}
