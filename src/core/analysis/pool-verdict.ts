/** Verdicts on pools of workers that do nothing new: who runs on their CPU, what they run, what waits for them. */
import type { Dump, Task, Verdict, WorkItem } from '../model.js';
import type { Accused, Shown } from './accused.js';
import { nameOf } from './candidates.js';
import { entryTextOf } from './frames.js';
import { frameName } from './phrases.js';
import { showsLoop, stallPlace } from './stall-frame.js';
import { caughtAt, cpusText, since, type StallFinding, titled } from './stall-words.js';

const WORKQUEUE = /^(?:BUG: workqueue lockup|Showing backtraces of \w+ workers in stalled)/;
const RANKS = { cpu: 4, worker: 4, item: 3, pending: 0.5, nothing: 0 };
const MOST_PENDING = 4;

export const isPool = ({ headline }: Dump): boolean => WORKQUEUE.test(headline ?? '');

/** Of several pools that are reported at once, the last report has the table of all. */
export const isLastOfPools = (dump: Dump, next: Dump | undefined): boolean =>
  next === undefined || !isPool(next) || next.stall?.seconds !== dump.stall?.seconds;

type Said = Omit<Verdict, 'inferred' | 'reasons'>;

/** What a report of a stuck pool comes to. */
export function poolFinding(dump: Dump, dumps: readonly Dump[], shown: Shown): StallFinding {
  const { seconds = null } = dump.stall ?? {};
  const pools = dumps.filter((one) => isPool(one) && one.stall?.seconds === seconds);
  const cpus = [...new Set((pools.length > 1 ? pools : [dump]).flatMap((one) => one.stall?.cpus ?? []))];
  const own = dump.stall?.cpus ?? [];
  const where = own.length === 1 ? `of ${cpusText(cpus)}` : 'of one pool';
  const stuck = `the workers ${where} do nothing new${since(seconds)}`;
  const items = itemsOf(dump, pools, seconds ?? 0);
  const reasons = pendingReasons(items);
  const found = findingOf(dump, shown, stuck, items);
  return { rank: found.rank, about: 'pool', said: { ...found.said, reasons } };
}

interface PoolItems {
  running: WorkItem | undefined;
  pending: WorkItem[];
}

function findingOf(
  dump: Dump,
  shown: Shown,
  stuck: string,
  { running, pending }: PoolItems,
): { rank: number; said: Said } {
  const worker = workerIn(dump, shown, running);
  if (worker) {
    const func = running?.func ?? worker.workqueue?.func ?? null;
    return { rank: RANKS.worker, said: atWork(stuck, worker, func) };
  }
  const [cpu, ...others] = dump.stall?.cpus ?? [];
  const onCpu = cpu === undefined || others.length > 0 ? undefined : shown.cpus.get(cpu);
  if (onCpu && !onCpu.idle && showsLoop(onCpu.frames)) return { rank: RANKS.cpu, said: held(stuck, onCpu) };
  return running ? { rank: RANKS.item, said: byTable(stuck, running) } : waitingOnly(stuck, pending);
}

/** The worker with the item that runs, by the newest dump that shows it; else one that the report shows running. */
function workerIn({ tasks }: Dump, shown: Shown, running: WorkItem | undefined): Task | undefined {
  if (!running) return tasks.find(({ state, frames }) => state === 'R' && frames.length > 0);
  const worker = running.pid === null ? undefined : shown.tasks.get(running.pid);
  return worker && worker.frames.length > 0 ? worker : undefined;
}

function waitingOnly(stuck: string, pending: readonly WorkItem[]): { rank: number; said: Said } {
  const plain = { class: 'spinning', frame: null, confidence: 'low', culprit: null } as const;
  const [first] = pending;
  if (!first) return { rank: RANKS.nothing, said: { ...plain, title: stuck } };
  const more = pending.length === 1 ? ' waits' : ` and ${pending.length - 1} more wait`;
  return {
    rank: RANKS.pending,
    said: {
      ...plain,
      // Nothing spins where nobody runs.
      class: 'blocked',
      title: titled(stuck, `: ${first.func}${more}, and no worker runs`),
    },
  };
}

/** Another task keeps the CPU from all workers. */
function held(stuck: string, one: Omit<Accused, 'proof'>): Said {
  const { comm, pid, state, frames } = one;
  const place = stallPlace(frames);
  const frame = place?.frame ?? frameName(frames) ?? '';
  const entered = entryTextOf(one);
  // An initcall that is its own place.
  const entry = entered?.endsWith(` ${frame}`) === true ? null : entered;
  const caught = place ? caughtAt(place) : '';
  return {
    title: titled(
      `${stuck}: ${nameOf(one)} runs there${entry === null ? '' : ` in ${entry}`}`,
      ` → ${frame}`,
      caught,
    ),
    class: 'spinning',
    frame,
    confidence: 'medium',
    culprit: { comm, pid, state, frame },
  };
}

function byTable(stuck: string, { pid, func: frame }: WorkItem): Said {
  return {
    title: titled(stuck, `: kworker:${pid ?? '?'} runs work ${frame}`),
    class: 'spinning',
    frame,
    confidence: 'low',
    culprit: { comm: 'kworker', pid, state: '?', frame },
  };
}

function atWork(stuck: string, { comm, pid, state, frames }: Task, func: string | null): Said {
  const place = stallPlace(frames);
  const frame = place?.frame ?? func ?? frameName(frames);
  const work = func === null ? 'runs' : `runs work ${func}`;
  const further = frame === null || frame === func ? '' : ` → ${frame}`;
  const caught = place ? caughtAt(place) : '';
  return {
    title: titled(`${stuck}: ${comm}:${pid ?? '?'} ${work}${further}`, caught),
    class: 'spinning',
    frame,
    confidence: 'medium',
    culprit: frame === null ? null : { comm, pid, state, frame },
  };
}

/** What the workers of the stuck pools run, and what waits for them. */
function itemsOf(dump: Dump, pools: readonly Dump[], seconds: number): PoolItems {
  // Of several reports at once the last has the table.
  const { workqueues } = pools.at(-1) ?? dump;
  const hung = workqueues.flatMap(({ name, hungSeconds = 0 }) =>
    hungSeconds > 0 && hungSeconds >= seconds ? [Number(name.replace('pool ', ''))] : [],
  );
  const named = new Set(pools.map(({ headline }) => poolIn(headline ?? '')));
  const alike = workqueues.flatMap(({ lines }) =>
    lines.flatMap((line) => (isOf(named, line) ? [numberOf(line)] : [])),
  );
  const own = new Set([...hung, ...alike]);
  const items = workqueues.flatMap((row) => row.items ?? []);
  const here = items.filter(({ pool }) => pool === null || own.size === 0 || own.has(pool));
  return {
    running: here.find(({ state, pid }) => state === 'in-flight' && pid !== null),
    pending: here.filter(({ state }) => state === 'pending'),
  };
}

/** `cpus=1 node=0 flags=0x0 nice=0`, as it stands in the headline and in the table; since workers come and go, without flags. */
const POOL = /\bcpus=(\S{1,200}) (?:node=(-?\d{1,5}) )?flags=\S{1,20} nice=(-?\d{1,3})/;

const poolIn = (line: string): string => POOL.exec(line)?.slice(1).join(' ') ?? '';

const isOf = (pools: ReadonlySet<string>, line: string): boolean =>
  line.startsWith('pwq ') && poolIn(line) !== '' && pools.has(poolIn(line));

const numberOf = (line: string): number => Number(/^pwq (\d{1,10}):/.exec(line)?.[1]);

function pendingReasons({ pending }: PoolItems): string[] {
  const names = [...new Set(pending.map(({ func }) => func))];
  if (names.length === 0) return [];
  const more = names.length > MOST_PENDING ? ' …' : '';
  return [`Work that waits there: ${names.slice(0, MOST_PENDING).join(', ')}${more}.`];
}
