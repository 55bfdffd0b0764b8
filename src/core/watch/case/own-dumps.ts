/** The dumps that were asked for, each with what can be read from its lines. */
import type { DumpSysrqKey } from '../../model.js';
import { type DumpName, dumpKeyOf, type KeptDump, type Series } from '../../capture/series.js';
import type { DumpEvidence } from '../../report/incident.js';
import { counted, seconds } from '../../words.js';
import type { Reading } from '../analyst.js';
import type { Context } from '../context.js';
import { joined } from './again.js';
import type { Case } from './case.js';

export interface OwnDump {
  kept: KeptDump;
  /** Null where the lines hold no such dump, or nobody could read them. */
  reading: Reading | null;
}

export const keyOf = (name: string): DumpSysrqKey => dumpKeyOf(name as DumpName);

/** What the incident says of it. */
export function evidenceOf({ kept: { name, lines, endedBy, leftOut }, reading }: OwnDump): DumpEvidence {
  const complete = endedBy === 'fence' && reading?.complete === true && leftOut === undefined;
  const mended = reading?.mended;
  return { name, key: keyOf(name), complete, lines: lines.length, endedBy, ...(mended && { mended }) };
}

/** Keeps what a conversation brought, also where that is nothing. */
export function keepDump(
  { at, effects }: Context,
  { capture }: Case,
  name: DumpName,
  { exchange }: Series,
): KeptDump {
  const dump = {
    name,
    lines: exchange.lines,
    startedAt: exchange.startedAt,
    endedAt: at,
    endedBy: exchange.endedBy ?? ('deadline' as const),
    quote: exchange.quote,
    longestPauseMs: exchange.longestPauseMs,
    ...(exchange.leftOut !== undefined && { leftOut: exchange.leftOut }),
  };
  const first = capture.dumps.find((one) => one.name === name);
  const kept = attemptsOf(first, dump);
  capture.dumps = [...capture.dumps.filter((one) => one !== first), kept];
  effects.push({ type: 'keep-dump', dump });
  return kept;
}

/** Says what a conversation brought. `lines`: of its last attempt. */
export function tellDump(
  { at, effects }: Context,
  name: DumpName,
  { exchange }: Series,
  reading: Reading | null,
): void {
  const { lines, endedBy, startedAt } = exchange;
  const brought = `${counted(lines.length, 'line')}, ${counted(reading?.tasks ?? 0, 'task')}`;
  const text = `${name}: ${brought}, ended by ${endedBy ?? 'deadline'} after ${seconds(at - startedAt)}`;
  effects.push({ type: 'note', level: 'info', text });
}

/** Of two attempts that brought nothing the first tells more. */
function attemptsOf(first: KeptDump | undefined, dump: KeptDump): KeptDump {
  if (first === undefined) return dump;
  if (dump.lines.length === 0) return first;
  return first.lines.length === 0 ? dump : joined(first, dump);
}
