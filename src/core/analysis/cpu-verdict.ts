/** Verdicts that the kernel spoke itself: a panic, an oops. */
import type { Dump, Frame, Verdict } from '../model.js';
import { printable } from '../printable.js';
import { callersOf } from './callers.js';
import { firmSymbols } from './frames.js';
import { baseSymbol } from './layers.js';
import { frameName } from './phrases.js';
import { stallPlace } from './stall-frame.js';
import { caughtAt, titled } from './stall-words.js';

interface OnCpu {
  comm: string;
  pid: number | null;
  state: string;
  /** Null where only the report's own functions are left of its stack. */
  frame: string | null;
  cpu: number | null;
  /** Without the report's own functions. */
  frames: readonly Frame[];
}

/** Whoever runs in a report: the first CPU that is not idle, else a task in R. */
function running(dump: Dump | undefined): OnCpu | null {
  const named: OnCpu[] = [];
  for (const { cpu, comm, pid, idle, frames, workqueue } of dump?.cpus ?? []) {
    const own = withoutReport(frames);
    const frame = frameName(own) ?? workqueue?.func ?? null;
    // khungtaskd reports others; its own stack is that of the report.
    if (!idle && comm !== null && comm !== 'khungtaskd')
      named.push({ comm, pid, state: 'R', frame, cpu, frames: own });
  }
  for (const { comm, pid, state, frames } of dump?.tasks ?? []) {
    const own = withoutReport(frames);
    if (state === 'R') named.push({ comm, pid, state, frame: frameName(own), cpu: null, frames: own });
  }
  return named.find(({ frame }) => frame !== null) ?? named.find(({ comm }) => comm !== '') ?? null;
}

const withoutReport = (frames: readonly Frame[]): readonly Frame[] =>
  frames.slice(frames.findLastIndex(({ symbol }) => REPORTS_PANIC.test(baseSymbol(symbol))) + 1);

/** By what a panic of a watchdog comes about and prints: kernel/panic.c, kernel/watchdog*.c, arch/x86/events, x86/nmi.c. */
const REPORTS_PANIC =
  /^(?:_*dump_(?:stack|backtrace)\w*|show_(?:stack|regs)\w*|v?panic|nmi_panic|watchdog_\w+|_*perf_event_\w+|(?:intel|x86)_pmu_\w+|handle_pmi_common|perf_ev\w*|nmi_handle\w*|default_do_nmi|do_nmi|exc_nmi|end_repeat_nmi|asm_exc_nmi|nmi|_*hrtimer_(?:run_queues|interrupt)\w*|(?:smp_|local_|__sysvec_|sysvec_|asm_sysvec_)\w*apic_timer_interrupt|apic_timer_interrupt|update_process_times|tick_\w+)$/;

const culpritOf = (found: OnCpu | null): Verdict['culprit'] =>
  found && { comm: found.comm, pid: found.pid, state: found.state, frame: found.frame ?? '?' };

/** What the kernel's watchdogs say when they were told to panic: what they had found is the finding. */
const BY_WATCHDOG =
  /^(?:hung_task|softlockup|Hard LOCKUP|(?:watchdog: )?.{0,20}hard LOCKUP|RCU Stall|Software Watchdog)/i;

/**
 * A panic, with the place of the oops or the hang that led to it. `found` is what would be told without it. Null if the
 * kernel did not panic.
 */
export function panicVerdict(dumps: readonly Dump[], found: Verdict | null): Verdict | null {
  const index = dumps.findIndex(({ key }) => key === 'panic');
  const panic = dumps[index];
  if (!panic) return null;
  const message = printable((panic.headline ?? '').replace(/^Kernel panic - not syncing:? ?/, ''), 120);
  const reasons = [`The console says: ${panic.headline ?? ''}.`];
  const title = `kernel panicked: ${message === '' ? 'no message' : message}`;
  const verdict = { class: 'panicked' as const, confidence: 'high' as const, inferred: [] };
  if (BY_WATCHDOG.test(message) && found) {
    const { frame, culprit, inferred } = found;
    if (message.startsWith('hung_task'))
      reasons.push('hung_task was told to panic on the first blocked task.');
    reasons.push(...found.reasons);
    return { ...verdict, title: because(title, found.title), frame, culprit, reasons, inferred };
  }
  const oops = running(dumps.slice(0, index).findLast(({ key }) => key === 'oops'));
  const led = oops ?? running(panic);
  if (!led) return { ...verdict, title, frame: null, culprit: null, reasons };
  const loop = BY_WATCHDOG.test(message) ? stallPlace(led.frames) : null;
  const frame = loop?.frame ?? led.frame;
  const place = frame === null ? ', whose stack is cut off' : ` in ${frame}`;
  return {
    ...verdict,
    title: titled(title, ` → ${led.comm}:${led.pid ?? '?'}${onCpu(led)}`, place, loop ? caughtAt(loop) : ''),
    frame,
    culprit: culpritOf({ ...led, frame }),
    reasons,
  };
}

const onCpu = ({ cpu }: OnCpu): string => (cpu === null ? '' : ` on CPU ${cpu}`);

/** What led to it says more than the panic's own words, and less the further out its callers are. */
function because(title: string, found: string): string {
  const short = title.replace(/(: [^:]{3,40}):.*$/, '$1');
  let whole = `${title} → ${found}`;
  if (whole.length > TITLE_MAX) whole = `${short} → ${found}`;
  if (whole.length > TITLE_MAX) whole = whole.replace(/^kernel /, '');
  while (whole.length > TITLE_MAX && LAST_CALLER.test(whole)) whole = whole.replace(LAST_CALLER, ')');
  if (whole.length > TITLE_MAX) whole = whole.replace(/ \(at [^()]{1,200}\)/, '');
  return whole;
}

const LAST_CALLER = / ← [^←()]{1,200}\)(?!.* ← )/;
const TITLE_MAX = 160;

/** An oops that the kernel survived, told only where nothing else is wrong. */
export function oopsVerdict(dumps: readonly Dump[]): Verdict | null {
  const dump = dumps.findLast(({ key }) => key === 'oops');
  if (!dump) return null;
  const found = running(dump);
  const frame = found?.frame ?? null;
  const place = frame === null ? '' : ` in ${frame}`;
  const where = found ? `${place} (${found.comm}:${found.pid ?? '?'})` : '';
  return {
    title: `kernel oops${where}; no dump shows a task stuck`,
    class: 'unknown',
    frame,
    confidence: 'low',
    culprit: culpritOf(found),
    reasons: [
      `The console says: ${dump.headline ?? ''}.`,
      'An oops kills its task, and what that task held stays held.',
    ],
    inferred: [],
  };
}

/** An oops kills its task, and a lock that it held is never released. */
export function brokeBefore(dump: Dump, dumps: readonly Dump[]): string[] {
  const oops = dumps.slice(0, dumps.indexOf(dump)).findLast(({ key }) => key === 'oops');
  const found = running(oops);
  if (!found) return [];
  const [place, caller] = callersOf(firmSymbols(found.frames));
  const oopsed = `, after an oops of ${found.comm}:${found.pid ?? '?'} in ${place ?? found.frame ?? '?'}`;
  return caller === undefined ? [oopsed] : [`${oopsed} ← ${caller}`, oopsed];
}
