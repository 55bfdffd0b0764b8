/** From a finished capture to an incident, or to none: an accusation needs proof, a doubt says what it lacks. */
import { analyze } from '../analysis/analyze.js';
import { unchangedTasks } from '../analysis/unchanged.js';
import { abandonSeries } from '../capture/series.js';
import { parseDumps } from '../dump/parse.js';
import type { GuestSettings } from '../config/schema.js';
import type { Analysis } from '../model.js';
import type { Mono } from '../time.js';
import { groundsOf } from './accusation.js';
import { type Context, dropCase, enter, forgetCase, openCase } from './case.js';
import type { Finding } from './events.js';
import { evidenceOf, keyOf, type OwnDump, readOwn } from './own-dumps.js';
import type { Case, GuestState, TimedLook } from './state.js';
import { sshCanBeJudged } from './suspicion.js';
import { blindReasons, explain } from './verdict.js';

/** How long SSH may be lost before a guest that cannot be looked into is accused by that alone. */
const BLIND_MAX_MS = 30_000;
/** How long a task may look stuck while block devices still move, before that counts as a hang all the same. */
const SLOW_MAX_MS = 60_000;
/** A vCPU that ran for this share of the time between two looks is not waiting for anything. */
const BUSY = 0.9;

/** Files the case, or drops it where nothing in the guest turns out to be stuck. */
export function fileCase(context: Context): void {
  const { state, effects } = context;
  const current = state.case;
  if (current === null || current.filing) return;
  current.series = null;
  if (current.acquitted !== null) {
    forgetCase(context, current.acquitted);
    return;
  }
  const finding = findingOf(context, current);
  const acquittal = acquitted(context, current, finding);
  if (acquittal !== null) {
    dropCase(context, acquittal.why);
    state.notBefore = Math.min(state.notBefore, acquittal.until);
    return;
  }
  current.filing = true;
  if (!current.manual) state.filed.push(context.at);
  const { title } = finding.analysis.verdict;
  // Whatever becomes of the disk, the verdict is in the journal.
  effects.push({ type: 'note', level: 'warning', text: `verdict: ${title}` }, { type: 'file', finding });
  state.why = [title];
  const stays = state.name === 'gone' || state.name === 'panicked' || state.name === 'qemu-stuck';
  if (!stays && !current.manual) enter(context, 'held', [title]);
}

/** The guest goes away while it is captured: what was proven until then is kept. */
export function fileWhatThereIs(context: Context, why: string): void {
  const { state } = context;
  const current = state.case;
  if (current === null || current.filing) return;
  if (current.series !== null) current.series = abandonSeries(current.series);
  // Without a second look nothing was proven, and a guest that shuts down goes silent too.
  const proven = current.manual
    ? current.dumps.length > 0
    : current.complaint !== null || current.dumps.some(({ name }) => name === 'sysrq-w.2');
  if (!proven) {
    dropCase(context, why);
    return;
  }
  fileCase(context);
}

/** A panic: the kernel is dead and hears no keys. The console has said it all. */
export function panicCase(context: Context, line: string): void {
  const { state, effects } = context;
  if (state.name === 'panicked') return;
  const already = state.case?.open === true;
  if (state.case === null)
    openCase(context, {
      why: [`panic: ${line}`],
      complaint: { kind: 'panic', seconds: null, text: line },
    });
  if (state.case === null) return;
  state.case.complaint ??= { kind: 'panic', seconds: null, text: line };
  enter(context, 'panicked', [line]);
  if (!already) return;
  state.case.series = null;
  effects.push({ type: 'note', level: 'notice', text: 'the guest panicked while it was captured' });
  fileCase(context);
}

function findingOf(context: Context, current: Case): Finding {
  const { state, at } = context;
  const own = current.dumps.map((dump) => readOwn(dump, current.raised));
  const analysis = analysisOf(state, current, own);
  const incompleteBecause = blindReasons(state, current, own);
  return {
    analysis: explain(context, current, analysis, incompleteBecause, allBusy(current.looks)),
    ...groundsOf(state, at),
    capturedAt: at,
    evidence: own.map(evidenceOf),
    looks: current.looks,
    rungs: current.rungs,
    complete: incompleteBecause.length === 0,
    incompleteBecause,
  };
}

function analysisOf(state: GuestState, current: Case, own: readonly OwnDump[]): Analysis {
  // What the kernel reported by itself counts where it is the reason for all this.
  const reported =
    current.complaint === null
      ? []
      : parseDumps(state.console.tail).filter(({ key }) => key.length > 1 && key !== 'none');
  const [first, second] = current.dumps.filter(({ name }) => keyOf(name) === 'w');
  const gap =
    first !== undefined && second !== undefined
      ? Math.floor((second.startedAt - first.startedAt) / 1000)
      : null;
  const look = current.looks.findLast(({ shares }) => shares.length > 0);
  return analyze([...reported, ...own.flatMap(({ parsed }) => parsed ?? [])], {
    secondsBetweenLooks: gap,
    shares: look?.shares ?? [],
    kernelCommandLine: state.console.commandLine ?? look?.kernelCommandLine ?? null,
  });
}

/** Why this is no incident, and until when at the most: then it is looked at again, whatever the cooldown says. */
interface Acquittal {
  why: string;
  until: Mono;
}

/** Null where it is an incident. */
function acquitted(context: Context, current: Case, finding: Finding): Acquittal | null {
  if (speaksForItself(context.state, current)) return null;
  const { state, settings, at } = context;
  const { verdict } = finding.analysis;
  if (verdict.class === 'none')
    return { why: `looked: ${verdict.reasons[0] ?? verdict.title}`, until: Infinity };
  // Silence would be the only other witness, and a healthy guest is silent too.
  if (!sshCanBeJudged(state, settings) && !stoodStill(finding.analysis)) {
    const why = `SSH does not tell, and no task stood still in both looks: ${verdict.title}`;
    return { why, until: Infinity };
  }
  if (verdict.class === 'unknown') {
    const why = `cannot look into it (${finding.incompleteBecause[0] ?? verdict.title})`;
    return unless(lostFor(state, BLIND_MAX_MS, settings), at, why);
  }
  // Work takes all vCPUs too: only that it goes on and on without a sign of life tells it from a loop.
  if (verdict.class === 'spinning')
    return unless(lostFor(state, SLOW_MAX_MS, settings), at, `busy, perhaps with work: ${verdict.title}`);
  if (verdict.class !== 'blocked' || !moving(current.looks)) return null;
  const why = `slow, not stuck: ${verdict.title}, but its block devices still move`;
  return unless(lostFor(state, SLOW_MAX_MS, settings), at, why);
}

/** A task was blocked at the same place in both dumps of blocked tasks. */
function stoodStill({ dumps }: Analysis): boolean {
  const [first, second] = dumps.filter(({ key }) => key === 'w');
  return first !== undefined && second !== undefined && unchangedTasks(first, second).length > 0;
}

/** When a guest will have given no sign of life for so long; one that never was up is given the time of a boot. */
function lostFor({ ssh, console }: GuestState, ms: number, { detect }: GuestSettings): Mono {
  return ssh.lastOkAt === null ? console.quietSince + detect.blindBoot : ssh.lastOkAt + ms;
}

const unless = (until: Mono, at: Mono, why: string): Acquittal | null => (at < until ? { why, until } : null);

/** Filed whatever the dumps show: the kernel or QEMU said it, or somebody asked. */
function speaksForItself(state: GuestState, { manual, complaint }: Case): boolean {
  if (manual || state.name === 'panicked' || state.name === 'qemu-stuck') return true;
  return complaint !== null && complaint.kind !== 'emergency';
}

/** Requests completed between the first look and the last. */
function moving(looks: readonly TimedLook[]): boolean {
  const counts = looks.flatMap(({ qmp }) =>
    qmp.ok && qmp.block !== null ? [qmp.block.reads + qmp.block.writes] : [],
  );
  const [first] = counts;
  return first !== undefined && (counts.at(-1) ?? first) > first;
}

/** Every vCPU was busy between the first look and the last. */
function allBusy(looks: readonly TimedLook[]): boolean {
  const seen = looks.flatMap((look) => (look.qmp.ok ? [{ at: look.at, vcpus: look.qmp.vcpus }] : []));
  const first = seen[0];
  const last = seen.at(-1);
  if (first === undefined || last === undefined || last.at - first.at < 1_000) return false;
  if (last.vcpus.length === 0) return false;
  return last.vcpus.every(({ index, cpuMs }) => {
    const before = first.vcpus.find((vcpu) => vcpu.index === index)?.cpuMs ?? null;
    return cpuMs !== null && before !== null && cpuMs - before >= BUSY * (last.at - first.at);
  });
}
