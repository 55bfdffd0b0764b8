/** Verdicts that the kernel spoke itself: a panic, an oops. */
import type { Dump, Verdict } from '../model.js';
import { printable } from '../printable.js';
import { frameName } from './phrases.js';

interface OnCpu {
  comm: string;
  pid: number | null;
  state: string;
  frame: string;
  cpu: number | null;
}

/** Whoever runs in a report: the first CPU that is not idle, else a task in R. */
function running(dump: Dump | undefined): OnCpu | null {
  for (const { cpu, comm, pid, idle, frames } of dump?.cpus ?? []) {
    const frame = frameName(frames);
    // khungtaskd reports others; its own stack is that of the report.
    if (!idle && frame !== null && comm !== null && comm !== 'khungtaskd')
      return { comm, pid, state: 'R', frame, cpu };
  }
  for (const { comm, pid, state, frames } of dump?.tasks ?? []) {
    const frame = frameName(frames);
    if (state === 'R' && frame !== null) return { comm, pid, state, frame, cpu: null };
  }
  return null;
}

const culpritOf = (found: OnCpu | null): Verdict['culprit'] =>
  found && { comm: found.comm, pid: found.pid, state: found.state, frame: found.frame };

/** A panic, with the place of the oops or the hang that led to it. Null if the kernel did not panic. */
export function panicVerdict(dumps: readonly Dump[], hang: Verdict | null): Verdict | null {
  const index = dumps.findIndex(({ key }) => key === 'panic');
  const panic = dumps[index];
  if (!panic) return null;
  const message = printable((panic.headline ?? '').replace(/^Kernel panic - not syncing:? ?/, ''), 120);
  const reasons = [`The console says: ${panic.headline ?? ''}.`];
  const title = `kernel panicked: ${message === '' ? 'no message' : message}`;
  const verdict = { class: 'panicked' as const, confidence: 'high' as const, inferred: [] };
  if (message.startsWith('hung_task') && hang) {
    const { frame, culprit } = hang;
    reasons.push('hung_task was told to panic on the first blocked task.', ...hang.reasons);
    return { ...verdict, title: `${title} → ${hang.title}`, frame, culprit, reasons };
  }
  const oops = running(dumps.slice(0, index).findLast(({ key }) => key === 'oops'));
  const led = culpritOf(oops ?? running(panic));
  const where = led === null ? '' : ` → ${led.comm}:${led.pid ?? '?'} in ${led.frame}`;
  return { ...verdict, title: title + where, frame: led?.frame ?? null, culprit: led, reasons };
}

/** An oops that the kernel survived, told only where nothing else is wrong. */
export function oopsVerdict(dumps: readonly Dump[]): Verdict | null {
  const dump = dumps.findLast(({ key }) => key === 'oops');
  if (!dump) return null;
  const found = running(dump);
  const where = found ? ` in ${found.frame} (${found.comm}:${found.pid ?? '?'})` : '';
  return {
    title: `kernel oops${where}; no dump shows a task stuck`,
    class: 'unknown',
    frame: found?.frame ?? null,
    confidence: 'low',
    culprit: culpritOf(found),
    reasons: [
      `The console says: ${dump.headline ?? ''}.`,
      'An oops kills its task, and what that task held stays held.',
    ],
    inferred: [],
  };
}
