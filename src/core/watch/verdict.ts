/** What the guest's own dumps cannot say: that there are none, and why; or that QEMU itself is what is stuck. */
import type { Analysis, Verdict } from '../model.js';
import { printable } from '../printable.js';
import { counted } from '../words.js';
import { refusal, sysrqFix } from './armed.js';
import { lost } from './accusation.js';
import { busyVerdict, userspace } from './busy.js';
import { suppression } from './again.js';
import type { Context } from './case.js';
import { allBusy } from './from-looks.js';
import { whyMute } from './mute.js';
import type { OwnDump } from './own-dumps.js';
import type { Case } from './state.js';

const QUOTE_MAX = 160;

/** Why the evidence is not whole; empty where it is. Each reason is one phrase with its cause. */
export function blindReasons(context: Context, current: Case, dumps: readonly OwnDump[]): string[] {
  const { settings } = context;
  const own = dumps.flatMap((dump) => doubts(context, current, dump));
  if (settings.console.kind === 'journal')
    own.push(...dumps.flatMap(({ kept, parsed }) => suppression(kept, parsed?.lossy === true) ?? []));
  if (current.strays > 0)
    own.push(
      `${counted(current.strays, 'answer')} to Alt+SysRq that nobody asked for: somebody else presses keys, or a program prints the kernel's words`,
    );
  const last = current.looks.at(-1);
  if (last !== undefined && !last.qmp.ok && current.dumps.length === 0) own.push(last.qmp.detail);
  const missing = current.plan.filter((name) => !current.dumps.some((dump) => dump.name === name));
  if (own.length === 0 && missing.length > 0 && current.complaint?.kind !== 'panic')
    own.push(`not taken: ${missing.join(', ')}`);
  return [...new Set(own)];
}

function doubts(context: Context, current: Case, { kept, parsed }: OwnDump): string[] {
  const { name, endedBy, quote } = kept;
  switch (endedBy) {
    case 'refused':
      return [`the guest refuses its dumps: ${refusal(context.state.facts, current.digits)}`];
    case 'no-response':
      return [
        current.dumps.some((dump) => dump.endedBy === 'fence')
          ? `${name}: the guest gave no answer to it`
          : whyMute(context, current),
      ];
    case 'not-pressed':
      return [`${name}: the chord could not be pressed: ${quote ?? 'QMP failed'}`];
    case 'guest-gone':
      return [`${name}: the guest went away while it was printing`];
    case 'too-large':
      return [`${name}: cut at 64 MiB`];
    case 'fence':
    case 'answered':
    case 'silence':
    case 'deadline': {
      const why = (parsed?.incompleteBecause ?? ['nothing in it can be read as a dump']).map(
        (text) => `${name}: ${text}`,
      );
      const because = quote === null ? '' : `: ${quote}`;
      const cut = endedBy === 'fence' ? [] : [`${name}: ended by ${endedBy}, not by its fence${because}`];
      return [...cut, ...why];
    }
  }
}

/** The verdict with what is known from outside laid over it. */
export function explain(
  context: Context,
  current: Case,
  analysis: Analysis,
  incompleteBecause: readonly string[],
): Analysis {
  return { ...analysis, verdict: fromOutside(context, current, analysis, incompleteBecause) };
}

function fromOutside(
  context: Context,
  current: Case,
  analysis: Analysis,
  incompleteBecause: readonly string[],
): Verdict {
  const { state } = context;
  const { verdict } = analysis;
  const base = { frame: null, culprit: null, inferred: [] };
  if (state.name === 'qemu-stuck') {
    const title = state.why[0] ?? 'QEMU does not answer';
    return { ...base, title, class: 'qemu-stuck', confidence: 'high', reasons: [...incompleteBecause] };
  }
  if (state.name === 'panicked' && verdict.class !== 'panicked') {
    const title = printable(state.why[0] ?? 'kernel panic', QUOTE_MAX);
    return { ...base, title, class: 'panicked', confidence: 'high', reasons: [...verdict.reasons] };
  }
  if (verdict.class === 'starved')
    return { ...verdict, reasons: [...verdict.reasons, ...saidOfStarving(context)] };
  if (verdict.class !== 'none' && verdict.class !== 'unknown') return verdict;
  const busy = allBusy(current.looks) ? busyVerdict(context, current, analysis) : null;
  const alive = userspace(context, current, verdict) ?? busy;
  if (alive !== null) return alive;
  return verdict.class === 'unknown' ? blind(context, current, verdict, incompleteBecause) : verdict;
}

/** The kernel's own words for a CPU whose ordinary tasks do not come to their turn. */
function saidOfStarving({ state: { console } }: Context): string[] {
  const said = console.tail.findLast((line) => /\bsched: (?:DL replenish lagged|RT throttling)/.test(line));
  return said === undefined ? [] : [`The kernel says: ${printable(said, QUOTE_MAX)}`];
}

function blind(
  context: Context,
  current: Case,
  verdict: Verdict,
  incompleteBecause: readonly string[],
): Verdict {
  const quotes = current.dumps.flatMap(({ name, quote, endedBy }) =>
    quote === null ? [] : [`${name} ended by ${endedBy}: "${printable(quote, QUOTE_MAX)}"`],
  );
  const seen = current.rungs.flatMap(({ rung, outcome, detail }) =>
    rung === 'registers' && outcome === 'worked' ? [`Its registers, sampled by QEMU: ${detail}`] : [],
  );
  const refused = current.dumps.some(({ endedBy }) => endedBy === 'refused');
  const { unread } = context.state.console;
  return {
    ...verdict,
    title: printable(
      `${lost(context.state, context.at)}, but where it is stuck could not be seen: ${incompleteBecause[0] ?? verdict.title}`,
      240,
    ),
    reasons: [
      ...quotes,
      ...incompleteBecause,
      ...seen,
      ...(refused ? [sysrqFix(context.state.facts)] : []),
      ...(unread === null ? [] : [`To see it: ${unread.fix}`]),
    ],
  };
}
