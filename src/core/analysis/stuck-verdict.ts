import type { Dump, Task, Verdict, VerdictClass, WaitKind } from '../model.js';
import { type Candidate, nameOf } from './candidates.js';
import { confidenceOf } from './confidence.js';
import { nameDump } from './dump-names.js';
import { elsewhere } from './beside.js';
import { firmSymbols } from './frames.js';
import { ownLock } from './own-lock.js';
import { ownWork, ownWorkEnd } from './own-work.js';
import { frameName } from './phrases.js';
import { type AnalysisContext, type Place, placeOf } from './places.js';
import { memoryReasons } from './proven-place.js';
import { reclaimRecursion } from './reclaim.js';
import type { Root } from './roots.js';
import { mayServe, servesDisks } from './server-programs.js';
import { titleOf } from './stuck-title.js';
import { subjectOf, subjectOfSymbol } from './subjects.js';
import { SERVER_KINDS } from '../subsystems.js';
import { takenTwice } from './taken-twice.js';
import { lockWaited, waitOf } from './wait-kinds.js';
import { DISPATCHES } from './wait-rows.js';
import { wholeDump } from './whole-dump.js';

/** The verdict on the end of a chain of waits that stuck tasks lead to; `others` do not lead there. */
export function stuckVerdict(
  root: Root,
  others: readonly Candidate[],
  dumps: readonly Dump[],
  context: AnalysisContext,
): Verdict {
  const { task, reported } = root;
  const place = served(root, placeOf(reported?.task ?? task, context, firstShown(root)), dumps);
  const kind = classOf(root);
  const frame = frameName(task.frames);
  const ends = endOf(root, place, others, context);
  return {
    title: titleOf(root, kind, ends, others),
    place: ends,
    class: kind,
    frame: reported ? frameName(reported.task.frames) : frame,
    confidence: confidenceOf(root, place, dumps),
    culprit: frame === null ? null : { comm: task.comm, pid: task.pid, state: task.state, frame },
    reasons: reasonsFor(root, others, dumps),
    inferred: place.inferred,
  };
}

/** The first dump that shows any of them, by index. */
const firstShown = ({ members }: Root): number =>
  Math.min(...members.map(({ still, dump }) => still[0] ?? dump));

/** Adds what the whole dump tells of the other end of the wait: a server of this guest that is stopped. */
function served(root: Root, place: Place, dumps: readonly Dump[]): Place {
  const { task } = root;
  const waits = waitOf(task)?.kind ?? null;
  if (place.outside === 'dead' || waits === null || !AWAITS_OTHERS.has(waits)) return place;
  if (servesItself(task, waits))
    return {
      ...place,
      where: `${SERVED_BY_ITSELF} (inferred)`,
      inferred: [
        ...place.inferred,
        `That it waits for itself is inferred: by its name or its stack ${nameOf(task)} is such a server.`,
      ],
    };
  const ours = waits === 'nfs' ? servesBehind(root) : undefined;
  if (ours)
    return {
      ...place,
      where: `perhaps served by ${nameOf(ours)}, behind it (inferred)`,
      inferred: [
        ...place.inferred,
        `That it waits for itself is inferred: ${nameOf(ours)}, which serves NFS here, is held up by it.`,
      ],
    };
  const all = wholeDump(dumps, () => true)?.tasks ?? [];
  const stopped = all.filter((other) => other.state === 'T' && mayServe(other, waits));
  const [server] = stopped;
  // Threads of one server are stopped together.
  if (!server || stopped.some(({ comm }) => comm !== server.comm)) return place;
  // A server on the host that runs is then the worse guess.
  const where = place.where === null || place.outside === 'doubtful' ? '' : `${place.brief ?? place.where}, `;
  return {
    ...place,
    where: `${where}perhaps served by ${nameOf(server)}, stopped (inferred)`,
    inferred: [
      ...place.inferred,
      `That ${nameOf(server)} should answer is inferred: it is a server, and in T, stopped by a signal or a debugger.`,
    ],
  };
}

/** A thread of this machine's NFS server that waits for whoever waits for an NFS server. */
const servesBehind = ({ members, task }: Root): Task | undefined =>
  members.find((one) => one.task !== task && firmSymbols(one.task.frames).some(isOfServer))?.task;

const isOfServer = (symbol: string): boolean => subjectOfSymbol(symbol)?.name === 'the NFS server';

const SERVED_BY_ITSELF = 'perhaps served by itself';

/** A server of FUSE that asks FUSE, or of disks that waits for a disk's block. NFS servers wait for their own disks. */
const servesItself = (task: Task, waits: WaitKind): boolean =>
  task.state !== 'T' &&
  waits !== 'nfs' &&
  (waits === 'fuse' ? mayServe(task, waits) : (servesDisks(task) || dispatches(task)) && IO.has(waits));

/** The driver that it hands requests to asked for memory, and the search for it came back to the block layer. */
const dispatches = ({ frames }: Task): boolean =>
  reclaimRecursion(frames) !== null && firmSymbols(frames).some((name) => DISPATCHES.test(name));

/** Waits that something else than a task of the same code has to end. */
const AWAITS_OTHERS: ReadonlySet<WaitKind> = new Set<WaitKind>([
  ...SERVER_KINDS,
  ...(['page', 'buffer', 'io', 'block-io', 'block-tag', 'writeback'] as const),
]);

function classOf(root: Root): VerdictClass {
  if (root.cycle) return 'deadlock';
  if (root.task.state === 'R' && root.edges.length > 0) return 'spinning';
  if (root.candidate?.backend) return root.task.state === 'S' ? 'waiting' : 'blocked';
  return root.edges.some(({ confidence }) => confidence === 'high') ? 'lock-chain' : 'blocked';
}

/** Last part of the title: who holds the task up, or where its wait ends. */
function endOf(
  root: Root,
  { where }: Place,
  others: readonly Candidate[],
  { proofOnly }: AnalysisContext,
): string | null {
  if (root.reported) return heldBy(root, root.reported.task);
  const chain = chainEnd(root) ?? ownWorkEnd(root);
  if (chain !== null) return chain;
  const recursion = reclaimRecursion(root.task.frames);
  if (!recursion) {
    const holder = proofOnly === true ? null : takenTwice(root.task, others);
    const twice = holder === null ? null : `perhaps deadlock with itself, inside ${holder} (inferred)`;
    return twice ?? where;
  }
  if (where?.startsWith(SERVED_BY_ITSELF) === true) return `${where}, reached by memory reclaim`;
  return `${where ?? recursion.inner.subject}, reached by memory reclaim from ${recursion.outer.frame}`;
}

/** Who holds up the task that was reported. */
function heldBy({ task, edges }: Root, told: Task): string {
  const direct = edges.some(({ waiter, owner }) => waiter === told && owner.task === task);
  const frame = frameName(task.frames);
  return `${direct ? 'held' : 'in the end held'} up by ${nameOf(task)}${frame === null ? '' : ` in ${frame}`}`;
}

/** What a chain of locks ends in, where that says more than the place. */
function chainEnd(root: Root): string | null {
  if (root.cycle) {
    const ring = root.cycle
      .filter((task) => task !== root.task)
      .slice(0, 4)
      .map(nameOf);
    const other = ring.length === 1 ? root.cycle.find((task) => task !== root.task) : undefined;
    const frame = other ? frameName(other.frames) : null;
    if (ring.length > 0) return `deadlock with ${ring.join(', ')}${frame === null ? '' : ` in ${frame}`}`;
    const own = ownLock(root.task);
    return `deadlock with itself${own === null ? '' : `, inside ${own.holder}`}`;
  }
  const unseen = root.edges.find(({ waiter, owner }) => waiter === root.task && owner.task === null);
  if (!unseen) return null;
  const { owner } = unseen;
  return `held by ${nameOf(owner)}${owner.doing === undefined ? '' : `, ${owner.doing}`} (not in these dumps)`;
}

function reasonsFor(root: Root, others: readonly Candidate[], dumps: readonly Dump[]): string[] {
  const reasons = [
    ...standsOn(root, dumps),
    ...memoryReasons(root.task),
    ...reentered(root),
    ...ownWork(root),
    ...chainReasons(root),
  ];
  if (root.members.length > 1) reasons.push(`${root.members.length} stuck tasks lead here: ${sample(root)}.`);
  if (nobodyPerforms(root, dumps)) {
    reasons.push(
      'Nothing in this dump performs the awaited I/O: suspect the device, the host, or a lost wakeup.',
    );
  }
  if (others.length > 0) reasons.push(elsewhere(others));
  return reasons;
}

/** A filesystem asked for memory, and the search for it ended in a filesystem. */
function reentered({ task }: Root): string[] {
  const found = reclaimRecursion(task.frames);
  if (!found) return [];
  const { outer, inner } = found;
  return [
    `Memory reclaim recursed: ${outer.frame} (${outer.subject}) asked for memory, and the search for it came into ${inner.frame} (${inner.subject}); what that waits for may need a lock or a transaction that the task holds itself.`,
  ];
}

/** I/O is awaited, and no task of a whole dump is in a driver or works for one: the guest has done its part. */
function nobodyPerforms({ task, cycle }: Root, dumps: readonly Dump[]): boolean {
  const kind = waitOf(task)?.kind ?? null;
  const all = wholeDump(dumps, ({ complete }) => complete)?.tasks;
  if (!all || cycle || kind === null || !IO.has(kind)) return false;
  return !all.some(
    (other) =>
      other !== task &&
      (other.state === 'D' || other.state === 'R') &&
      !IO.has(waitOf(other)?.kind ?? 'io') &&
      subjectOf(other.frames)?.layer === 'device',
  );
}

const IO: ReadonlySet<WaitKind> = new Set<WaitKind>([
  'page',
  'buffer',
  'io',
  'block-io',
  'block-tag',
  'writeback',
]);

/** Which dumps show the culprit, and how. */
function standsOn({ candidate, task }: Root, dumps: readonly Dump[]): string[] {
  if (!candidate) return [`${nameOf(task)} itself does not look stuck; the waits lead to it.`];
  const where = candidate.still.map((index) => nameDump(dumps, index));
  const same = where.length > 1 ? 'with exactly the same stack' : 'with this stack';
  const reasons = [`${list(where)}: ${nameOf(task)} in ${task.state} ${same}.`];
  const off = task.offCpuSeconds;
  if (off !== undefined && off > 0) reasons.push(`By memory it was last on a CPU ${off} s before.`);
  if (candidate.standing === 'single') {
    reasons.push('Only one dump could show it, so that it stands still is not proven.');
  }
  if (candidate.hungSeconds !== null) {
    reasons.push(`The kernel's hung_task says it is blocked for more than ${candidate.hungSeconds} seconds.`);
  }
  if (task.state === 'S' && candidate.backend) {
    const frame = frameName(task.frames) ?? 'It';
    reasons.push(
      `${frame} waits for ${candidate.backend.where} in S, which a dump of blocked tasks (w) does not show.`,
    );
  }
  return reasons;
}

function chainReasons({ task, edges, cycle }: Root): string[] {
  const reasons = edges.slice(0, 3).map(({ waiter, owner, through, confidence, reason }) => {
    const guess = confidence === 'low' ? 'a guess: ' : '';
    return `${nameOf(waiter)} waits for ${through}, held up by ${nameOf(owner)} (${guess}${reason}).`;
  });
  if (!cycle && lockWaited(task) !== null && edges.every(({ waiter }) => waiter !== task)) {
    reasons.push('Who holds the lock it waits for is in no dump.');
  }
  return reasons;
}

function sample(root: Root): string {
  const names = root.members.slice(0, 5).map(({ task }) => nameOf(task));
  return names.join(', ') + (root.members.length > names.length ? ' …' : '');
}

const list = (names: readonly string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
