/** Who waits for whom, as boxes and arrows: equal waiters are one box, rings are marked, the rest is counted. */
import { membersOf } from '../analysis/groups.js';
import type { Analysis, StackGroup, Wait } from '../model.js';
import { counted } from '../words.js';
import { ringsOf } from './graph-layout.js';

export interface Box {
  id: string;
  /** `comm:pid`, or how many. */
  title: string;
  /** What they do and wait for, a line each. */
  lines: string[];
  members: string;
  /** `outside` is what no task of the dump is: a server, a device, an owner without a stack. */
  kind: 'root' | 'task' | 'outside';
  /** Part of a ring of tasks that wait for each other. */
  ring: boolean;
  tasks: number;
}

export interface Arrow {
  from: string;
  to: string;
  /** The lock or the work. */
  label: string;
  guess: boolean;
  ring: boolean;
}

interface WaitGraph {
  boxes: Box[];
  arrows: Arrow[];
  /** Boxes that found no room, and their tasks. */
  left: { boxes: number; tasks: number };
}

type Input = Pick<Analysis, 'verdict' | 'groups' | 'waits'>;

const BOXES_MAX = 24;
const MEMBERS_SHOWN = 12;

/** Null where there is nothing to draw: no culprit, and nobody who waits. */
export function waitGraph({ verdict, groups, waits }: Input): WaitGraph | null {
  const { culprit } = verdict;
  if (verdict.class === 'none' || (culprit === null && waits.length === 0)) return null;
  const root = culprit && `${culprit.comm}:${culprit.pid ?? '?'}`;
  const drawing = new Drawing(groups, waits, root);
  if (root !== null) drawing.task(root, root, 'root');
  for (const wait of waits) drawing.wait(wait);
  const ends = root === null || waits.some(({ waiter }) => waiter === root);
  if (root !== null && !ends && typeof verdict.place === 'string') drawing.outside(root, verdict.place);
  for (const group of groups) if (!group.idle && group.state === 'D') drawing.alone(group);
  return bounded([...drawing.boxes.values()], [...drawing.arrows.values()], root);
}

const PLACE = 'place';

class Drawing {
  readonly boxes = new Map<string, Box>();
  readonly arrows = new Map<string, Arrow>();
  /** The box of each name. */
  private readonly placed = new Map<string, string>();
  /** The name that all tasks of a box have; null where they differ. */
  private readonly shared = new Map<string, string | null>();
  private readonly known: Map<string, StackGroup>;
  private readonly owners: Set<string>;
  private readonly rings: Map<string, number>;

  constructor(
    groups: readonly StackGroup[],
    waits: readonly Wait[],
    private readonly root: string | null,
  ) {
    this.known = new Map(groups.flatMap((group) => membersIn(group).map((name) => [name, group] as const)));
    this.owners = new Set(waits.map(({ owner }) => owner));
    this.rings = ringsOf(waits.map(({ waiter, owner }) => ({ from: waiter, to: owner })));
  }

  /** Puts a task into a box, once. */
  task(id: string, name: string, kind: Box['kind']): void {
    if (this.placed.has(name)) return;
    this.placed.set(name, id);
    const box = this.boxes.get(id) ?? newBox(id, kind, this.known.get(name), this.rings.has(id));
    this.boxes.set(id, box);
    box.tasks += 1;
    const comm = commOf(name);
    const alike = (this.shared.get(id) ?? (box.tasks === 1 ? comm : null)) === comm;
    this.shared.set(id, alike ? comm : null);
    if (box.tasks === 1) box.title = name;
    else box.title = alike ? `${box.tasks} × ${comm}` : counted(box.tasks, 'task');
    if (box.tasks <= MEMBERS_SHOWN) box.members += `${box.tasks === 1 ? '' : ', '}${name}`;
  }

  wait(wait: Wait): void {
    const { waiter, owner, through, confidence } = wait;
    this.task(this.boxOf(wait), waiter, 'task');
    const from = this.placed.get(waiter) ?? waiter;
    this.task(owner, owner, this.known.has(owner) ? 'task' : 'outside');
    const ring = this.rings.has(from) && this.rings.get(from) === this.rings.get(owner);
    const guess = confidence === 'low';
    this.arrows.set(`${from}\n\n${owner}`, { from, to: owner, label: through, guess, ring });
  }

  outside(waiter: string, where: string): void {
    this.boxes.set(PLACE, { ...newBox(PLACE, 'outside', undefined, false), title: where });
    this.arrows.set(PLACE, { from: waiter, to: PLACE, label: 'waits for', guess: false, ring: false });
  }

  /** A stuck stack that no wait leads from or to; those in the root's stack are named there. */
  alone(group: StackGroup): void {
    const placed = membersIn(group).filter((name) => this.placed.has(name));
    const box = placed.length === 0 ? undefined : this.boxes.get(this.root ?? '');
    if (box !== undefined && this.root !== null && placed.includes(this.root)) {
      const more = group.count - placed.length;
      if (more > 0) box.lines.push(`and ${counted(more, 'more task')} in this stack`);
      box.tasks += more;
    }
    if (placed.length > 0) return;
    const id = `alone ${stackOf(group)}`;
    const members = membersOf(group, MEMBERS_SHOWN);
    const [comm = ''] = group.comms;
    const alike = group.comms.every((other) => other === comm);
    const title =
      group.count === 1 ? members : alike ? `${group.count} × ${comm}` : counted(group.count, 'task');
    this.boxes.set(id, { ...newBox(id, 'task', group, false), title, members, tasks: group.count });
  }

  /** Those that nobody waits for share a box where stack, owner and lock are the same. */
  private boxOf({ waiter, owner, through }: Wait): string {
    if (waiter === this.root || this.owners.has(waiter)) return waiter;
    return `${stackOf(this.known.get(waiter))}\n${owner}\n${through}`;
  }
}

const stackOf = (group: StackGroup | undefined): string =>
  group === undefined ? 'no stack' : `${group.state} ${group.frames.join(' ')}`;

const commOf = (name: string): string => name.replace(/:[^:]*$/, '');

const membersIn = ({ comms, pids, count }: StackGroup): string[] =>
  pids.length === count ? comms.map((comm, index) => `${comm}:${pids[index] ?? '?'}`) : [];

function newBox(id: string, kind: Box['kind'], group: StackGroup | undefined, ring: boolean): Box {
  return { id, title: '', lines: group ? linesOf(group) : [], members: '', kind, ring, tasks: 0 };
}

function linesOf({ state, frames, annotation }: StackGroup): string[] {
  const { entry = null, operation = null, wait = null, subject = null } = annotation ?? {};
  return [
    `${state}${entry === null ? '' : ` in ${entry}`}`,
    operation ?? frames[0] ?? '(no stack)',
    [wait === null ? null : `wait: ${wait}`, subject].filter((text) => text !== null).join(' · '),
  ].filter((line) => line !== '');
}

/** Keeps what is nearest to the cause; the largest first where all is equally near. */
function bounded(boxes: readonly Box[], arrows: readonly Arrow[], root: string | null): WaitGraph {
  const near = distances(arrows, [
    ...(root === null ? [] : [root, ...arrows.flatMap(({ from, to }) => (from === root ? [to] : []))]),
    ...boxes.filter(({ ring }) => ring).map(({ id }) => id),
    PLACE,
  ]);
  const rank = ({ id }: Box): number => near.get(id) ?? Infinity;
  const sorted = [...boxes].sort((a, b) => (rank(a) === rank(b) ? b.tasks - a.tasks : rank(a) - rank(b)));
  const kept = sorted.slice(0, BOXES_MAX);
  const ids = new Set(kept.map(({ id }) => id));
  const lost = sorted.slice(BOXES_MAX);
  return {
    boxes: kept,
    arrows: arrows.filter(({ from, to }) => ids.has(from) && ids.has(to)),
    left: { boxes: lost.length, tasks: lost.reduce((sum, { tasks }) => sum + tasks, 0) },
  };
}

/** Steps from each box to the nearest of `ends`, along the arrows. */
function distances(arrows: readonly Arrow[], ends: readonly string[]): Map<string, number> {
  const waiters = new Map<string, string[]>();
  for (const { from, to } of arrows) waiters.set(to, [...(waiters.get(to) ?? []), from]);
  const steps = new Map(ends.map((id) => [id, 0]));
  const queue = [...steps.keys()];
  for (let at = queue.shift(); at !== undefined; at = queue.shift())
    for (const from of waiters.get(at) ?? [])
      if (!steps.has(from)) {
        steps.set(from, (steps.get(at) ?? 0) + 1);
        queue.push(from);
      }
  return steps;
}
