/** Verdicts on what the kernel's own watchdogs report: soft and hard lockups, RCU stalls, stuck worker pools. */
import type { Confidence, Dump, Frame, Stall, Task, Verdict, WorkItem } from '../model.js';
import { nameDump } from './dump-names.js';
import { entryOf, entryText } from './frames.js';
import { atLeastSeconds, jiffiesPerSecond } from './jiffies.js';
import { frameName } from './phrases.js';
import { type StallPlace, stallPlace } from './stall-frame.js';

interface Accused {
  comm: string;
  pid: number | null;
  state: string;
  /** Null where the report does not say. */
  cpu: number | null;
  frames: Frame[];
  workqueue: Task['workqueue'];
}

const WORKQUEUE = /^BUG: workqueue lockup/;
const IDLE =
  /^(?:do_idle|cpu_startup_entry|start_secondary|rest_init|start_kernel|\w*idle\w*|smp_call_function)$/;

/** A CPU, or the workers of one, that do not come back. Null if the kernel reported none. */
export function spinVerdict(dumps: readonly Dump[]): Verdict | null {
  const reports = dumps.flatMap((dump, index) =>
    dump.key === 'lockup' || dump.key === 'rcu_stall' ? [{ dump, index }] : [],
  );
  // A pool of workers is as often the victim of a CPU that is reported as well.
  const last = reports.findLast(({ dump }) => !isPool(dump)) ?? reports.at(-1);
  if (!last) return null;
  const { dump, index } = last;
  const said = { reasons: [`${nameDump(dumps, index)}: ${dump.headline ?? ''}.`], inferred: [] };
  if (isPool(dump)) return { ...said, ...poolVerdict(dump, dumps) };
  const hz = jiffiesPerSecond(dumps);
  const accused = accusedIn(dump);
  if (accused) return { ...said, ...cpuVerdict(dump, accused, hz) };
  const starved = starvedThread(dump, hz);
  if (!starved) return { ...said, ...nobody(dump, hz) };
  return { ...starved, reasons: [...said.reasons, ...starved.reasons], inferred: [] };
}

const isPool = ({ headline }: Dump): boolean => WORKQUEUE.test(headline ?? '');

type Finding = Omit<Verdict, 'reasons' | 'inferred'>;

/** Whose stack the report is about: whoever runs on an accused CPU, else an accused task, else whoever runs. */
function accusedIn(dump: Dump): Accused | null {
  const { cpus = [], pids = [] } = dump.stall ?? {};
  // khungtaskd reports others; its own stack is that of the report.
  const onCpu = dump.cpus.flatMap((one): Accused[] =>
    one.comm === null || one.comm === 'khungtaskd' || one.frames.length === 0 || isIdle(one)
      ? []
      : [{ ...one, comm: one.comm, state: 'R', workqueue: null }],
  );
  // The thread that ends grace periods is shown where it starves, whoever starves it.
  const tasks = dump.tasks
    .filter(({ frames, comm }) => frames.length > 0 && comm !== dump.stall?.starved?.comm)
    .map((task): Accused => ({ ...task, cpu: null }));
  return (
    onCpu.find(({ cpu }) => cpu !== null && cpus.includes(cpu)) ??
    tasks.find(({ pid }) => pid !== null && pids.includes(pid)) ??
    onCpu[0] ??
    tasks.find(({ state }) => state === 'R') ??
    null
  );
}

/** The idle task of a CPU, but for an interrupt that loops on it. */
function isIdle({ idle, frames }: Dump['cpus'][number]): boolean {
  return idle && IDLE.test(stallPlace(frames)?.frame ?? 'idle');
}

function cpuVerdict({ key, stall }: Dump, accused: Accused, hz: number | null): Finding {
  const { comm, pid, state } = accused;
  const place = stallPlace(accused.frames);
  const frame = place?.frame ?? frameName(accused.frames);
  const confidence: Confidence = key === 'lockup' ? 'high' : 'medium';
  return {
    title: `${comm === '' ? 'unknown task' : comm}:${pid ?? '?'} spinning${lasted(stall, hz)}${onCpu(accused.cpu)}${placed(accused, frame, place)}`,
    class: 'spinning',
    frame,
    confidence: frame === null ? 'low' : confidence,
    culprit: frame === null ? null : { comm, pid, state, frame },
  };
}

const since = (seconds: number | null | undefined): string =>
  typeof seconds === 'number' ? ` ≥${seconds} s` : '';

/** The age of a grace period counts from when the CPU was first waited for. */
function lasted(stall: Stall | undefined, hz: number | null): string {
  if (typeof stall?.seconds === 'number') return since(stall.seconds);
  const jiffies = stall?.jiffies ?? stall?.starved?.jiffies;
  if (jiffies === undefined) return '';
  return since(atLeastSeconds(jiffies, hz));
}

const onCpu = (cpu: number | null): string => (cpu === null ? '' : ` on CPU ${cpu}`);

/** ` in write → the_place (at where_it_was_caught)`. */
function placed(accused: Accused, frame: string | null, place: StallPlace | null): string {
  if (frame === null) return '';
  const entry = frame.startsWith('sys_') ? null : (place?.interrupt ?? enteredBy(accused, frame));
  const caught = !place || place.at === frame ? '' : ` (at ${place.at})`;
  const by = entry === null ? '' : ` in ${entry}`;
  return `${by} → ${frame}${caught}`;
}

/** How it came there, without a function that is named as the place. */
function enteredBy(accused: Accused, frame: string): string | null {
  const entry = entryOf(accused);
  if (entry === null) return null;
  return 'func' in entry && entry.func === frame ? entry.kind : entryText(entry);
}

/**
 * Nobody loops, and still a grace period does not end: its thread does not get to run, or a CPU takes no timer ticks.
 * In a guest both are the host's or the virtual timer's doing as often as the kernel's.
 */
function starvedThread({ stall, cpus }: Dump, hz: number | null): Verdict | null {
  const { starved, tickless = [] } = stall ?? {};
  const [cpu] = tickless;
  const idle = cpu !== undefined && cpus.every((one) => one.cpu !== cpu || one.idle);
  if (!starved && !idle) return null;
  const age = lasted(stall, hz);
  const where = starved?.cpu ?? cpu ?? null;
  const on = where === null ? '' : ` on CPU ${where}`;
  const told = starved
    ? `${starved.comm}, the thread that ends grace periods, does not get to run${age}${on}`
    : `CPU ${cpu ?? '?'} takes no timer ticks${age}`;
  return {
    title: `${told}: no loop shows there, suspect its timer or the host`,
    class: 'starved',
    frame: null,
    confidence: 'low',
    culprit: null,
    reasons: [
      ...(idle ? [`CPU ${cpu} is idle, and took no timer tick since the grace period began.`] : []),
      ...(starved
        ? [`The kernel says that ${starved.comm} was starved for ${starved.jiffies} jiffies.`]
        : []),
      'A vCPU that the host does not run, or whose timer interrupt was lost, looks like this.',
    ],
    inferred: [],
  };
}

function nobody({ stall }: Dump, hz: number | null): Finding {
  const [cpu] = stall?.cpus ?? [];
  const which = stall?.cpus.length === 1 && cpu !== undefined ? `CPU ${cpu}` : 'a CPU';
  const title = `${which} does not come back${lasted(stall, hz)}: no stack shows what it does`;
  return { title, class: 'spinning', frame: null, confidence: 'low', culprit: null };
}

/** A worker that runs without end keeps its pool from all other work: the table of busy workqueues names it. */
function poolVerdict(dump: Dump, dumps: readonly Dump[]): Finding {
  const { cpus = [], seconds = null } = dump.stall ?? {};
  const [cpu] = cpus;
  const where = cpus.length === 1 && cpu !== undefined ? `of CPU ${cpu}` : 'of one pool';
  const stuck = `the workers ${where} do nothing new${since(seconds)}`;
  const item = runningItem(dump, seconds ?? 0);
  const tasks = dumps.flatMap((one) => one.tasks).filter(({ frames }) => frames.length > 0);
  const worker = item
    ? tasks.findLast(({ pid }) => pid === item.pid)
    : dump.tasks.find(({ state, frames }) => state === 'R' && frames.length > 0);
  if (worker) return atWork(stuck, worker, item?.func ?? worker.workqueue?.func ?? null);
  if (!item) return { title: stuck, class: 'spinning', frame: null, confidence: 'low', culprit: null };
  const { pid, func: frame } = item;
  return {
    title: `${stuck}: kworker:${pid ?? '?'} runs work ${frame}`,
    class: 'spinning',
    frame,
    confidence: 'low',
    culprit: { comm: 'kworker', pid, state: '?', frame },
  };
}

function atWork(stuck: string, { comm, pid, state, frames }: Task, func: string | null): Finding {
  const place = stallPlace(frames);
  const frame = place?.frame ?? func ?? frameName(frames);
  const work = func === null ? 'runs' : `runs work ${func}`;
  const further = frame === null || frame === func ? '' : ` → ${frame}`;
  const caught = place === null || place.at === frame ? '' : ` (at ${place.at})`;
  return {
    title: `${stuck}: ${comm}:${pid ?? '?'} ${work}${further}${caught}`,
    class: 'spinning',
    frame,
    confidence: 'medium',
    culprit: frame === null ? null : { comm, pid, state, frame },
  };
}

/** What a worker of the stuck pool runs. */
function runningItem({ workqueues }: Dump, seconds: number): WorkItem | undefined {
  const hung = new Set(
    workqueues.flatMap(({ name, hungSeconds = 0 }) =>
      hungSeconds > 0 && hungSeconds >= seconds ? [Number(name.replace('pool ', ''))] : [],
    ),
  );
  return workqueues
    .flatMap(({ items = [] }) => items)
    .find(
      ({ state, pid, pool }) =>
        state === 'in-flight' && pid !== null && (pool === null || hung.size === 0 || hung.has(pool)),
    );
}
