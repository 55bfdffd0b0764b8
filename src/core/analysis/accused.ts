/** Whom a report of a stall or a lockup is about. */
import { isIdleTask } from '../dump/cpu-lines.js';
import type { Dump, Frame, Task } from '../model.js';
import { isCrossCall, showsLoop, stallPlace, waitsForOther } from './stall-frame.js';
import { lockWaited } from './wait-kinds.js';

export interface Accused {
  /** Empty where no line names it. */
  comm: string;
  pid: number | null;
  state: string;
  /** Null where the report does not say. */
  cpu: number | null;
  frames: Frame[];
  workqueue: Task['workqueue'];
  /** The idle task of its CPU, on top of which an interrupt does something. */
  idle: boolean;
  /**
   * How much the report proves: the accused itself is seen to loop, or to wait for another CPU; another one that runs
   * is seen; or the accused is only named.
   */
  proof: 'loops' | 'waits' | 'other' | 'named';
}

type Found = Omit<Accused, 'proof'>;

/** What the dumps of the same boot show of tasks and CPUs. */
export interface Shown {
  /** By pid, the newest with a stack. */
  tasks: ReadonlyMap<number, Task>;
  /** By number, not of idle ones. */
  cpus: ReadonlyMap<number, Found>;
}

/** What can be looked up for a report that names a task or a CPU, and shows none. */
export function shownIn(dumps: readonly Dump[]): Shown {
  const tasks = new Map<number, Task>();
  const cpus = new Map<number, Found>();
  for (const dump of dumps) {
    if (showsDetector(dump)) continue;
    for (const task of dump.tasks)
      if (task.pid !== null && (task.frames.length > 0 || !tasks.has(task.pid))) tasks.set(task.pid, task);
    for (const found of cpusOf(dump)) if (found.cpu !== null) cpus.set(found.cpu, found);
  }
  return { tasks, cpus };
}

/** Whoever finds a stall or a hung task panics, and is none of those that stand still. */
const showsDetector = ({ key, headline = '' }: Dump): boolean =>
  key === 'panic' && /: (?:RCU Stall|hung_task)/.test(headline);

/** Of such a report the first CPU is the one that stalls, whatever line of it is missing. */
const SELF_DETECTED = /\bself-detected stall\b/;

const selfDetected = ({ stall, headline = '' }: Dump): boolean =>
  (stall?.cpus.length ?? 0) + (stall?.pids.length ?? 0) === 0 && SELF_DETECTED.test(headline);

/** Null where the report and the dumps around it show nobody. */
export function accusedIn(dump: Dump, shown: Shown): Accused | null {
  const { cpus = [], pids = [], allSeen } = dump.stall ?? {};
  const onCpus = cpusOf(dump);
  const tasks = tasksOf(dump);
  const [ones, others] = [new Set(cpus), new Set(pids)];
  const self = selfDetected(dump) ? onCpus[0] : null;
  const isMeant = (one: Found): boolean =>
    one === self || (one.cpu !== null && ones.has(one.cpu)) || (one.pid !== null && others.has(one.pid));
  const meant = [
    ...onCpus.filter(isMeant),
    ...tasks.filter(isMeant),
    ...cpus.flatMap((cpu) => shown.cpus.get(cpu) ?? []),
    ...pids.flatMap((pid) => toFound(shown.tasks.get(pid))),
  ];
  const runs = [...onCpus, ...tasks.filter(({ state }) => state === 'R')];
  const loops = (one: Found): boolean => showsLoop(one.frames);
  const busy = meant.filter(loops);
  const free = busy.filter(({ frames }) => !waitsForOther(frames));
  const first = fullest(free.find(({ frames }) => stallPlace(frames)?.cut === false) ?? free[0], free);
  if (first) return proven(first, 'loops');
  const [waits] = busy;
  if (waits) return onlyOther(onCpus, waits) ?? proven(waits, 'waits');
  const other = inTheWay(dump, tasks) ?? runs.find((one) => !noticed(dump, one) && loops(one));
  if (other) return proven(other, 'other');
  // The task of the CPU that noticed is shown if nothing else is left to wait for.
  const named = meant[0] ?? (allSeen ? runs[0] : undefined);
  return named && !named.idle ? proven(named, 'named') : null;
}

/** Of several stacks of one CPU in a report only one is whole. */
const fullest = (first: Found | undefined, found: readonly Found[]): Found | undefined =>
  first &&
  found.reduce(
    (best, one) => (one.cpu === first.cpu && one.frames.length > best.frames.length ? one : best),
    first,
  );

const proven = (found: Found, proof: Accused['proof']): Accused => ({ ...found, proof });

/** The CPU that noticed is shown for that, unless the report means it as well. */
const noticed = ({ stall }: Dump, { cpu }: Found): boolean =>
  cpu !== null && cpu === stall?.detectedBy && !stall.cpus.includes(cpu);

/** The task of the CPU that noticed, where the thread that ends grace periods wants to run on that very CPU. */
function inTheWay({ stall }: Dump, tasks: readonly Found[]): Found | undefined {
  const { allSeen, starved, detectedBy } = stall ?? {};
  if (!allSeen || starved?.runnable !== true || starved.cpu !== detectedBy) return undefined;
  const [current] = tasks;
  return current && !current.idle && showsLoop(current.frames) ? { ...current, cpu: starved.cpu } : undefined;
}

/** Who alone does not answer, where the accused waits for an answer. */
function onlyOther(onCpus: readonly Found[], waits: Found): Accused | null {
  const asks = (frames: Frame[]): boolean => {
    const place = stallPlace(frames);
    return place !== null && isCrossCall(place);
  };
  if (!asks(waits.frames)) return null;
  const others = onCpus.filter(({ cpu, frames }) => cpu !== waits.cpu && !asks(frames));
  const [other] = others;
  return other && others.length === 1 && showsLoop(other.frames) ? proven(other, 'other') : null;
}

/** CPUs with a stack, but for those that idle, and for khungtaskd, which reports others. */
function cpusOf(dump: Dump): Found[] {
  // Whoever the checker of spinlocks stops was not at rest.
  const checked = dump.headline?.startsWith('BUG: spinlock ') === true;
  return dump.cpus.flatMap((one): Found[] =>
    one.comm === 'khungtaskd' || one.frames.length === 0 || (rests(one) && !checked)
      ? []
      : [{ ...one, comm: one.comm ?? '', state: 'R', workqueue: one.workqueue ?? null }],
  );
}

/** Tasks of the report, but for the thread that ends grace periods: it is shown where it starves, whoever starves it. */
function tasksOf({ tasks, stall }: Dump): Found[] {
  const thread = stall?.starved?.comm ?? stall?.allSeen?.comm;
  return tasks.filter(({ comm, frames }) => comm !== thread || waitsForOther(frames)).flatMap(toFound);
}

function toFound(task: Task | undefined): Found[] {
  if (!task) return [];
  const idle = isIdleTask(task.comm, task.pid);
  return rests({ ...task, idle }) || sleeps(task) ? [] : [{ ...task, cpu: task.cpu ?? null, idle }];
}

/** A reader of RCU may sleep at a lock, with PREEMPT_RT at a spinlock: it runs no loop. */
export const sleepsAtLock = ({ state, frames }: Pick<Task, 'state' | 'frames'>): boolean =>
  state === 'D' && lockWaited({ frames }) !== null;

/** Only what an interrupt came into tells of such a one. */
const sleeps = (task: Task): boolean =>
  sleepsAtLock(task) && (stallPlace(task.frames)?.interrupt ?? null) === null;

/** The idle task of a CPU does nothing, unless an interrupt on top of it does. */
const rests = ({ idle, frames }: { idle: boolean; frames: Frame[] }): boolean =>
  idle && (stallPlace(frames)?.interrupt ?? null) === null;
