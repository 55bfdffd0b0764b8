/**
 * What lies over the verdict of the dumps: what the dumps cannot say, because there are none, because QEMU itself is
 * stuck, or because no task is blocked. The first row that fits decides; docs/architecture.md shows the table.
 */
import { isStorage, stuckText } from '../../host/share-server.js';
import type { Analysis, Verdict } from '../../model.js';
import { printable } from '../../printable.js';
import { seconds } from '../../words.js';
import { lossText } from '../accuse.js';
import type { Context } from '../context.js';
import { sysrqFix } from '../slices/armed.js';
import type { GuestState } from '../state.js';
import { gaveUp, programsRun, spins, tasksQueue, waitsForJob } from './busy.js';
import type { Case } from './case.js';
import type { Seen } from './seen.js';

const QUOTE_MAX = 160;

interface OverlayRow {
  id: string;
  /** When it fits, in words; and what it makes of the verdict. */
  if: string;
  makes: string;
  when: (seen: Seen) => boolean;
  lays: (seen: Seen) => Verdict;
}

const nothing = { frame: null, culprit: null, inferred: [] };
const seesNothingStuck = ({ analysis: { verdict } }: Seen) =>
  verdict.class === 'none' || verdict.class === 'unknown';
const allBusy = (seen: Seen) => seesNothingStuck(seen) && seen.facts.busy;

export const OVERLAY: readonly OverlayRow[] = [
  {
    id: 'qemu-stuck',
    if: 'QEMU does not answer',
    makes: 'qemu-stuck',
    when: ({ state }) => state.name === 'qemu-stuck',
    lays: ({ state, current, incompleteBecause }) => {
      const said = state.why[0] ?? 'QEMU does not answer';
      const qemu = current.looks.findLast((look) => look.qemu !== null)?.qemu ?? null;
      const stuck = stuckText({ server: qemu });
      return {
        ...nothing,
        title: stuck === null ? said : `QEMU (pid ${qemu?.pid ?? '?'}) is itself ${stuck}`,
        class: 'qemu-stuck',
        confidence: 'high',
        reasons: [...(stuck === null ? [] : [said]), ...incompleteBecause],
      };
    },
  },
  {
    id: 'stopped',
    if: 'QEMU has been stopped by a signal for a minute',
    makes: 'paused, with what lets it go on',
    when: ({ current }) => current.stopped !== undefined,
    lays: ({ current: { stopped = '' }, incompleteBecause }) => ({
      ...nothing,
      title: stopped,
      class: 'paused',
      confidence: 'high',
      reasons: [...incompleteBecause],
    }),
  },
  {
    id: 'panicked',
    if: 'the guest panicked, and no dump tells of it',
    makes: 'panicked, with the console’s words',
    when: ({ state, analysis }) => state.name === 'panicked' && analysis.verdict.class !== 'panicked',
    lays: ({ state, analysis: { verdict } }) => {
      const title = printable(state.why[0] ?? 'kernel panic', QUOTE_MAX);
      return { ...nothing, title, class: 'panicked', confidence: 'high', reasons: [...verdict.reasons] };
    },
  },
  {
    id: 'starved',
    if: 'real-time tasks hold the CPUs',
    makes: 'the same, with what the scheduler says of it',
    when: ({ analysis }) => analysis.verdict.class === 'starved',
    lays: ({ state, analysis: { verdict } }) => ({
      ...verdict,
      reasons: [...verdict.reasons, ...saidOfStarving(state)],
    }),
  },
  {
    id: 'off-cpu',
    if: 'memory shows by the scheduler’s clock how long the culprit has stood',
    makes: 'the same, with that time',
    when: (seen) => !seesNothingStuck(seen) && seen.facts.byMemoryMs !== null,
    lays: ({ facts: { byMemoryMs }, analysis: { verdict } }) => ({
      ...verdict,
      reasons: [
        `By the scheduler's clock ${verdict.culprit?.comm ?? ''}:${verdict.culprit?.pid ?? '?'} had not run for ${((byMemoryMs ?? 0) / 1000).toFixed(1)} s when memory was read.`,
        ...verdict.reasons,
      ],
    }),
  },
  {
    id: 'stood',
    if: 'an earlier capture showed the culprit with exactly the same stack',
    makes: 'the same, with its age',
    when: (seen) => !seesNothingStuck(seen) && seen.facts.proven,
    lays: ({ facts: { stoodMs }, analysis: { verdict } }) => ({
      ...verdict,
      reasons: [
        `A capture ${seconds(stoodMs)} earlier showed ${verdict.culprit?.comm ?? ''}:${verdict.culprit?.pid ?? '?'} with exactly the same stack.`,
        ...verdict.reasons,
      ],
    }),
  },
  {
    id: 'stuck',
    if: 'the dumps show who is stuck',
    makes: 'the same',
    when: (seen) => !seesNothingStuck(seen),
    lays: ({ analysis: { verdict } }) => verdict,
  },
  {
    id: 'gave-up',
    if: 'the boot gave up (emergency shell)',
    makes: 'userspace',
    when: ({ facts }) => facts.gaveUp !== null,
    lays: gaveUp,
  },
  {
    id: 'start-job',
    if: 'a boot has waited for a start job for 3 × detect.blindBoot, and no disk or server moves',
    makes: 'userspace',
    when: ({ facts, analysis: { verdict } }) =>
      verdict.class === 'none' &&
      facts.awaiting !== null &&
      !facts.wasUp &&
      facts.at >= facts.lost.startJob &&
      facts.moved === null &&
      !facts.busy,
    lays: waitsForJob,
  },
  {
    id: 'programs',
    if: 'every vCPU is busy in programs, and the console goes on',
    makes: 'userspace',
    when: (seen) => allBusy(seen) && programsRun.when(seen),
    lays: programsRun.lays,
  },
  {
    id: 'queue',
    if: 'every vCPU is busy, and more tasks want to run than there are vCPUs',
    makes: 'starved',
    when: (seen) => allBusy(seen) && tasksQueue.when(seen),
    lays: tasksQueue.lays,
  },
  { id: 'spins', if: 'every vCPU is busy', makes: 'spinning', when: allBusy, lays: spins },
  {
    id: 'unseen',
    if: 'no dump came',
    makes: 'unknown, with the reason and its fix',
    when: ({ analysis: { verdict } }) => verdict.class === 'unknown',
    lays: unseen,
  },
  {
    id: 'none',
    if: 'nothing is stuck',
    makes: 'the same',
    when: () => true,
    lays: ({ analysis: { verdict } }) => verdict,
  },
];

/** The verdict with what is known from outside laid over it. */
export function explain(
  { state, at }: Context,
  current: Case,
  found: Pick<Seen, 'facts' | 'analysis' | 'incompleteBecause'>,
): Analysis {
  const lost = lossText(found.facts.loss, state.ssh, at);
  const seen: Seen = { state, current, lost, ...found };
  const row = OVERLAY.find(({ when }) => when(seen));
  const verdict = row?.lays(seen) ?? found.analysis.verdict;
  return { ...found.analysis, verdict: { ...verdict, reasons: [...verdict.reasons, ...stuckServers(seen)] } };
}

/** In full, with their mounts: a title is cut before. */
function stuckServers(seen: Seen): string[] {
  if (seesNothingStuck(seen)) return [];
  return (seen.current.looks.at(-1)?.shares ?? []).filter(isStorage).flatMap((share) => {
    const text = stuckText(share);
    if (text === null || share.server === null) return [];
    return [`The server of ${share.tag}, ${share.server.comm} (pid ${share.server.pid}), is itself ${text}.`];
  });
}

/** The kernel's own words for a CPU whose ordinary tasks do not come to their turn. */
function saidOfStarving({ console }: GuestState): string[] {
  const said = console.tail.findLast((line) => /\bsched: (?:DL replenish lagged|RT throttling)/.test(line));
  return said === undefined ? [] : [`The kernel says: ${printable(said, QUOTE_MAX)}`];
}

function unseen({ state, current: { capture }, analysis, incompleteBecause, lost }: Seen): Verdict {
  const { verdict } = analysis;
  const quotes = capture.dumps.flatMap(({ name, quote, endedBy }) =>
    quote === null ? [] : [`${name} ended by ${endedBy}: "${printable(quote, QUOTE_MAX)}"`],
  );
  const registers = capture.rungs.flatMap(({ rung, outcome, detail }) =>
    rung === 'registers' && outcome === 'worked' ? [`Its registers, sampled by QEMU: ${detail}`] : [],
  );
  const refused = capture.dumps.some(({ endedBy }) => endedBy === 'refused');
  const { unread } = state.console;
  const { access } = state.memory;
  return {
    ...verdict,
    title: printable(
      `${lost}, but where it is stuck could not be seen: ${incompleteBecause[0] ?? verdict.title}`,
      240,
    ),
    reasons: [
      ...quotes,
      ...incompleteBecause,
      ...registers,
      ...(refused ? [sysrqFix(state.arming.facts)] : []),
      ...(unread === null ? [] : [`To see it: ${unread.fix}`]),
      ...(access?.ok !== false || access.fix === null
        ? []
        : [`Its memory was not read: ${access.why}. Fix: ${access.fix}`]),
    ],
  };
}
