import type { Analysis, Dump, Task, Verdict } from '../model.js';
import { printable } from '../printable.js';
import { isBenign } from './benign.js';
import { activeCpusVerdict } from './active-cpus.js';
import { type Candidate, candidates, nameOf } from './candidates.js';
import { type CpusFinding, cpusInMemory } from './cpus-in-memory.js';
import { oopsVerdict, panicVerdict } from './cpu-verdict.js';
import { troubleReasons } from './devices.js';
import { disagreements } from './disagreement.js';
import { nameDump } from './dump-names.js';
import type { Edge } from './edges.js';
import { fingerprint, FINGERPRINT_VERSION, normalise } from './fingerprint.js';
import { entryTextOf, operations } from './frames.js';
import { groupStacks } from './groups.js';
import { withMemory } from './memory-facts.js';
import { frameName } from './phrases.js';
import { type AnalysisContext, anyServerDead } from './places.js';
import { chooseRoot, findRoots, type Root } from './roots.js';
import { runnersVerdict } from './runners.js';
import { sleeperVerdict } from './sleepers.js';
import { splatReasons, splatVerdict } from './splat-verdict.js';
import { spinVerdict } from './stall-verdict.js';
import { starvedVerdict } from './starved.js';
import { TITLE_MAX } from './stuck-title.js';
import { stuckVerdict } from './stuck-verdict.js';
import { isVictim } from './victims.js';
import { findEdges } from './waits.js';
import { wholeDump } from './whole-dump.js';

const SENTENCE_MAX = 400;
const MAX_WAITS = 500;
const MAX_REASONS = 12;

/**
 * From the dumps of one guest, oldest first, to what is stuck and where. Pure; every text in the verdict is bounded
 * and free of control characters. Of a log with several boots, the last one with something wrong is judged.
 */
export function analyze(dumps: Dump[], context: AnalysisContext): Analysis {
  const boots = [...new Set(dumps.map(({ boot }) => boot ?? 0))].reverse();
  const judged = boots.map((boot) =>
    judge(
      dumps.filter((dump) => (dump.boot ?? 0) === boot),
      { ...context, troubles: context.troubles?.filter((trouble) => trouble.boot === boot) ?? [] },
    ),
  );
  const wrong = judged.find(({ verdict }) => verdict.class !== 'none' && verdict.class !== 'unknown');
  const { verdict, edges, parts, shown } = wrong ?? judged[0] ?? judge([], context);
  return {
    schemaVersion: 1,
    verdict: tidy(verdict),
    dumps,
    groups: groupStacks(shown, verdict.culprit?.pid),
    waits: edges.slice(0, MAX_WAITS).map(({ waiter, owner, through, confidence, reason }) => ({
      waiter: nameOf(waiter),
      owner: nameOf(owner),
      through,
      confidence,
      reason,
    })),
    fingerprint: fingerprint(verdict.class, parts),
    fingerprintVersion: FINGERPRINT_VERSION,
  };
}

interface Judgement {
  verdict: Verdict;
  edges: Edge[];
  /** What the fingerprint is made of, besides the class. */
  parts: string[];
  /** The tasks that are grouped and shown. */
  shown: Task[];
}

function judge(seen: readonly Dump[], context: AnalysisContext): Judgement {
  const dumps = withMemory(seen);
  const stuck = candidates(dumps, context);
  const edges = findEdges(stuck, dumps, anyServerDead(context));
  const roots = findRoots(stuck, edges);
  const root = chooseRoot(roots, stuck, edges, dumps);
  const others = stuck.filter((one) => root?.members.includes(one) !== true);
  const hang = root ? stuckVerdict(root, others, dumps, context) : null;
  const shown = tasksToShow(dumps);

  const stood = whatStands(dumps, context, (spin) => (root && hang ? hangOf(root, hang, spin, dumps) : null));
  const said = panicOf(dumps, stood?.verdict ?? null) ?? stood ?? quiet(dumps, stuck, context);
  const { verdict } = said;
  const members = root ? [root.task, ...root.members.map(({ task }) => task)] : blockedByMemory(dumps);
  const disputed = disagreements(members, dumps);
  if (verdict.class === 'none')
    return { ...said, verdict: { ...verdict, reasons: [...verdict.reasons, ...disputed] }, edges, shown };
  const troubles = troubleReasons(context.troubles ?? [], verdict.inferred);
  const warned = stood || verdict.culprit ? splatReasons(dumps) : [];
  const reasons = [...verdict.reasons, ...disputed, ...warned, ...troubles];
  return { ...said, verdict: { ...verdict, reasons }, edges, shown };
}

const blockedByMemory = (dumps: readonly Dump[]): Task[] =>
  dumps.flatMap(({ key, tasks }) => (key === 'memory' ? tasks.filter(({ state }) => state === 'D') : []));

/** Registers show a moment: what may pass is told only where somebody asked. */
function provenCpus(dumps: readonly Dump[], { proofOnly }: AnalysisContext): CpusFinding | null {
  const found = cpusInMemory(dumps);
  return proofOnly === true && found?.verdict.confidence === 'low' ? null : found;
}

/** CPUs that hold up the whole machine go first, then the hang, then a CPU that spins. */
function whatStands(
  dumps: readonly Dump[],
  context: AnalysisContext,
  hangBeside: (spin: Verdict | null) => Said | null,
): Said | null {
  const cpus = provenCpus(dumps, context);
  const spin = spinVerdict(dumps) ?? cpus?.verdict ?? null;
  return (cpus?.all === true ? spinOf(cpus.verdict) : null) ?? hangBeside(spin) ?? spinOf(spin);
}

type Said = Pick<Judgement, 'verdict' | 'parts'>;

function panicOf(dumps: readonly Dump[], stood: Verdict | null): Said | null {
  const verdict = panicVerdict(dumps, stood);
  const headline = dumps.find(({ key }) => key === 'panic')?.headline ?? '';
  return verdict && { verdict, parts: [normalise(headline), verdict.frame ?? ''] };
}

function hangOf(root: Root, hang: Verdict, spin: Verdict | null, dumps: readonly Dump[]): Said {
  // A name without a stack is no reason.
  if (spin && root.members.every(({ task }) => task.frames.length === 0))
    return { verdict: spin, parts: [spin.frame ?? ''] };
  if (spin && isVictim(root, spin, dumps)) {
    return {
      verdict: { ...spin, reasons: [...spin.reasons, `It is waited for: ${hang.title}.`] },
      parts: [spin.frame ?? ''],
    };
  }
  const also = spin ? [`A CPU was reported stuck as well: ${spin.title}.`] : [];
  return { verdict: { ...hang, reasons: [...hang.reasons, ...also] }, parts: partsOf(root) };
}

const spinOf = (spin: Verdict | null): Said | null => spin && { verdict: spin, parts: [spin.frame ?? ''] };

function quiet(dumps: readonly Dump[], passing: readonly Candidate[], context: AnalysisContext): Said {
  const nothing = nothingStuck(dumps, passing);
  const verdict =
    oopsVerdict(dumps) ??
    starvedVerdict(dumps) ??
    (context.proofOnly === true
      ? null
      : (sleeperVerdict(dumps) ?? runnersVerdict(dumps) ?? activeCpusVerdict(dumps))) ??
    splatVerdict(dumps, nothing) ??
    nothing;
  return { verdict, parts: [verdict.frame ?? ''] };
}

/** The place, three callers outwards, and how the kernel was entered. */
function partsOf({ task: end, reported }: Root): string[] {
  const task = reported?.task ?? end;
  return [frameName(task.frames) ?? '', ...operations(task.frames, 4), entryTextOf(task) ?? ''];
}

/** The newest whole picture, where there is one, else all tasks of the newest dumps. */
function tasksToShow(dumps: readonly Dump[]): Task[] {
  const all = wholeDump(dumps);
  if (all) return all.tasks;
  const newest = new Map<string, Task>();
  for (const dump of dumps)
    dump.tasks.forEach((task, index) =>
      newest.set(task.pid === null ? `?${dump.key}${index}` : nameOf(task), task),
    );
  return [...newest.values()];
}

function nothingStuck(dumps: readonly Dump[], passing: readonly Candidate[]): Verdict {
  const verdict = { frame: null, culprit: null, inferred: [] };
  const missing = dumps.flatMap((dump, index) =>
    dump.incompleteBecause.map((why) => `${nameDump(dumps, index)}: ${why}.`),
  );
  const whole = wholeDump(dumps, () => true);
  // Where a t dump was asked for and is not whole, an empty w is no answer.
  const judged = whole ?? dumps.findLast(({ key }) => key === 'w');
  if (judged === undefined && dumps.some(({ key }) => key === 'hung_task')) return harmless(dumps);
  if (judged?.complete !== true) {
    const reasons = missing.length > 0 ? missing : ['There is no dump of tasks to judge by.'];
    return {
      ...verdict,
      title: `no verdict: ${reasons[0] ?? ''}`,
      class: 'unknown',
      confidence: 'low',
      reasons,
    };
  }
  const reasons = dumps.flatMap((dump, index) =>
    dump.complete && (dump.key === 't' || dump.key === 'w' || dump.key === 'memory')
      ? [`${nameDump(dumps, index)}: ${dump.tasks.length} tasks, none stuck.`]
      : [],
  );
  if (passing.length > 0) {
    const names = passing.slice(0, 4).map(({ task }) => nameOf(task));
    reasons.push(
      `Slow, not stuck: ${names.join(', ')}${passing.length > 4 ? ' …' : ''} moved between the dumps.`,
    );
  }
  if (!whole)
    reasons.push('No whole dump of all tasks (t): one that sleeps in S for a dead server would not show.');
  return {
    ...verdict,
    title: 'nothing is stuck in these dumps',
    class: 'none',
    confidence: whole ? 'high' : 'medium',
    reasons: [...reasons, ...missing],
  };
}

/** hung_task reports of which no task is stuck: they never ran, or moved on. */
function harmless(dumps: readonly Dump[]): Verdict {
  const names = [...new Set(dumps.flatMap(({ tasks }) => tasks.filter(isBenign).map(nameOf)))]
    .slice(0, 4)
    .join(', ');
  return {
    title: `nothing is stuck: hung_task reported only ${names === '' ? 'tasks without a stack' : `harmless tasks (${names})`}`,
    class: 'none',
    frame: null,
    confidence: 'low',
    culprit: null,
    reasons: ['A kernel thread that was created and never ran, or a frozen task, waits in D without harm.'],
    inferred: [],
  };
}

/** Guest text ends up in here: every string is bounded and made printable. */
function tidy(verdict: Verdict): Verdict {
  return {
    ...verdict,
    title: printable(verdict.title, TITLE_MAX),
    ...(verdict.place === undefined ? {} : { place: verdict.place && printable(verdict.place, TITLE_MAX) }),
    reasons: verdict.reasons.slice(0, MAX_REASONS).map((reason) => printable(reason, SENTENCE_MAX)),
    inferred: verdict.inferred.map((sentence) => printable(sentence, SENTENCE_MAX)),
  };
}
