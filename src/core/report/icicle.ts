/** All stacks of a dump as one picture: how the kernel was entered on top, where a task sleeps at the bottom. */
import { annotate } from '../analysis/annotate.js';
import { isIdleThread } from '../analysis/benign.js';
import { entryOf, entryText, firmSymbols } from '../analysis/frames.js';
import { layerOf } from '../analysis/layers.js';
import { standstillKey } from '../analysis/unchanged.js';
import type { Dump, Task } from '../model.js';
import { type Family, familyOf } from './wait-family.js';

export interface Bar {
  label: string;
  /** From 0 to 1. */
  left: number;
  width: number;
  /** 0 is the entry. */
  depth: number;
  tasks: number;
  /** Tasks with exactly this stack in another dump too. */
  unchanged: number;
  /** What all of them wait for, null where they differ. */
  family: Family | null;
  /** The first few of them. */
  members: string[];
}

export interface Icicle {
  bars: Bar[];
  depth: number;
  tasks: number;
  families: Map<Family, number>;
  /** Idle kernel threads, which are not among the bars. */
  idle: number;
}

interface Node {
  label: string;
  children: Map<string, Node>;
  tasks: number;
  stuck: number;
  unchanged: number;
  families: Set<Family>;
  members: string[];
}

const MEMBERS_KEPT = 6;
const DEPTH_MAX = 26;
const BARS_MAX = 1200;
/** Bars narrower than this share are folded with their neighbours. */
const LEAST_SHARE = 0.004;
const SLEEP =
  /^(?:__schedule|schedule|io_schedule|schedule_timeout\w*|schedule_preempt_disabled|schedule_hrtimeout\w*)$/;
/** Above these every stack is the same. */
const ARRIVAL =
  /^(?:do_syscall_\w+|x64_sys_call|invoke_syscall\w*|do_el0_svc|kthread|ret_from_\w+|worker_thread|process_one_work|process_scheduled_works|asm_\w+|exc_page_fault|handle_page_fault)$/;

/** The picture of `shown`; the other dumps tell what did not move. Bounded, however many tasks there are. */
export function icicle(shown: Dump, dumps: readonly Dump[]): Icicle {
  const before = new Set(
    dumps
      .flatMap((dump) => (dump === shown ? [] : dump.tasks.map(standstillKey)))
      .filter((key) => key !== null),
  );
  const root = node('');
  const families = new Map<Family, number>();
  let idle = 0;
  const seen = new Map<string, Kind | null>();
  for (const task of shown.tasks) {
    const key = `${task.state} ${task.workqueue?.func ?? ''} ${firmSymbols(task.frames).join(' ')}`;
    const known = seen.get(key);
    const kind = known === undefined ? kindOf(task) : known;
    if (known === undefined) seen.set(key, kind);
    if (kind === null) {
      idle += 1;
      continue;
    }
    families.set(kind.family, (families.get(kind.family) ?? 0) + 1);
    add(root, task, kind, before.has(standstillKey(task) ?? ''));
  }
  let share = LEAST_SHARE;
  let bars = drawn(root, share);
  while (bars.length > BARS_MAX) bars = drawn(root, (share *= 2));
  const depth = bars.reduce((most, bar) => Math.max(most, bar.depth + 1), 0);
  return { bars, depth, tasks: root.tasks, families, idle };
}

const node = (label: string): Node => ({
  label,
  children: new Map(),
  tasks: 0,
  stuck: 0,
  unchanged: 0,
  families: new Set(),
  members: [],
});

/** What equal stacks share. */
interface Kind {
  family: Family;
  path: string[];
}

/** Null for an idle kernel thread. */
function kindOf(task: Task): Kind | null {
  return isIdleThread(task) ? null : { family: familyOf(annotate(task).wait), path: pathOf(task) };
}

function add(root: Node, task: Task, { family, path }: Kind, unchanged: boolean): void {
  let at = root;
  for (const label of [null, ...path]) {
    if (label !== null) {
      const child = at.children.get(label) ?? node(label);
      at.children.set(label, child);
      at = child;
    }
    at.tasks += 1;
    at.stuck += Number(task.state === 'D' || family === 'server');
    at.unchanged += Number(unchanged);
    at.families.add(family);
    if (at.members.length < MEMBERS_KEPT) at.members.push(`${task.comm}:${task.pid ?? '?'} ${task.state}`);
  }
}

/** From the entry to the function that sleeps; what all stacks share at both ends is left out. */
function pathOf(task: Task): string[] {
  const outwards = firmSymbols(task.frames);
  if (outwards.length === 0) return ['(no stack)'];
  const asleep = outwards.findIndex((name) => !SLEEP.test(name));
  const inwards = outwards.slice(Math.max(0, asleep)).reverse();
  const first = inwards.findIndex((name) => layerOf(name) !== 'entry' && !ARRIVAL.test(name));
  const entry = entryOf(task);
  const rest = first < 0 ? [] : inwards.slice(first);
  // A worker's function, or a thread's, is in its entry's name already.
  if (entry !== null && 'func' in entry && entry.func === rest[0]) rest.shift();
  const sleeps = rest.findIndex((name) => layerOf(name) === 'primitive');
  const path = [
    entry ? entryText(entry) : (inwards[0] ?? ''),
    ...(sleeps < 0 ? rest : rest.slice(0, sleeps + 1)),
  ];
  if (path.length <= DEPTH_MAX) return path;
  return [...path.slice(0, DEPTH_MAX / 2 - 1), '…', ...path.slice(-DEPTH_MAX / 2)];
}

interface Datum {
  node: Node;
  children: Datum[];
}

/** Children stand side by side below their parent, from its left edge; tasks that end in it have the rest. */
function drawn(root: Node, share: number): Bar[] {
  const width = (tasks: number) => tasks / root.tasks;
  const bars: Bar[] = [];
  let row = [{ left: 0, of: folded(root, Math.max(1, root.tasks * share)) }];
  for (let depth = 0; row.length > 0; depth += 1) {
    row = row.flatMap(({ left, of }) => {
      let at = left;
      return of.children.map((child) => {
        const { label, tasks, unchanged, families, members } = child.node;
        const [family = null] = families.size === 1 ? families : [];
        const bar = { label, left: at, width: width(tasks), depth, tasks, unchanged, family, members };
        bars.push(bar);
        at += bar.width;
        return { left: bar.left, of: child };
      });
    });
  }
  return bars;
}

/** The stuck ones first, then the widest; the narrow ones are one bar. */
function folded(of: Node, least: number): Datum {
  const children = [...of.children.values()].sort((a, b) => b.stuck - a.stuck || b.tasks - a.tasks);
  const wide = children.filter(({ tasks }) => tasks >= least);
  const narrow = children.filter(({ tasks }) => tasks < least);
  const rest = narrow.length < 2 ? narrow : [together(narrow)];
  return { node: of, children: [...wide, ...rest].map((child) => folded(child, least)) };
}

function together(nodes: readonly Node[]): Node {
  const one = node(`${nodes.length} others`);
  for (const { tasks, stuck, unchanged, families, members } of nodes) {
    one.tasks += tasks;
    one.stuck += stuck;
    one.unchanged += unchanged;
    for (const family of families) one.families.add(family);
    if (one.members.length < MEMBERS_KEPT) one.members.push(...members.slice(0, 1));
  }
  return one;
}
