/** The dumps that were asked for, each with what can be read from its lines. */
import { parseDumps } from '../../dump/parse-dumps.js';
import type { Dump, DumpSysrqKey } from '../../model.js';
import { type DumpName, dumpKeyOf, type KeptDump, type Series } from '../../capture/series.js';
import type { DumpEvidence } from '../../report/incident.js';
import { counted, seconds } from '../../words.js';
import type { Context } from '../context.js';
import { joined } from './again.js';
import { type Case, isRaised } from './case.js';

export interface OwnDump {
  kept: KeptDump;
  /** Null where the lines hold no such dump. */
  parsed: Dump | null;
}

export const keyOf = (name: string): DumpSysrqKey => dumpKeyOf(name as DumpName);

/** The dump in the lines of one file. A chord that was pressed twice prints two: then the whole one counts. */
export function dumpIn(name: string, lines: Iterable<string>, loglevelRaised: boolean): Dump | null {
  const found = parseDumps(lines, { loglevelRaised }).filter(({ key }) => key === keyOf(name));
  const most = Math.max(...found.map(({ tasks }) => tasks.length));
  return found.find(({ complete }) => complete) ?? found.find(({ tasks }) => tasks.length === most) ?? null;
}

/** A large dump takes half a second to read, and is asked for twice: as it ends, and for the verdict. */
const read = new WeakMap<KeptDump, { loglevelRaised: boolean; own: OwnDump }>();

export function readOwn(kept: KeptDump, loglevelRaised: boolean): OwnDump {
  const known = read.get(kept);
  if (known?.loglevelRaised === loglevelRaised) return known.own;
  const own = { kept, parsed: dumpIn(kept.name, kept.lines, loglevelRaised) };
  read.set(kept, { loglevelRaised, own });
  return own;
}

/** What the incident says of it. */
export function evidenceOf({ kept: { name, lines, endedBy, leftOut }, parsed }: OwnDump): DumpEvidence {
  const complete = endedBy === 'fence' && parsed?.complete === true && leftOut === undefined;
  const mended = parsed?.mended;
  return { name, key: keyOf(name), complete, lines: lines.length, endedBy, ...(mended && { mended }) };
}

/** Keeps what a conversation brought, also where that is nothing. */
export function keepDump(
  { at, effects }: Context,
  { capture }: Case,
  name: DumpName,
  { exchange }: Series,
): OwnDump {
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
  const own = readOwn(kept, isRaised(capture));
  const tasks = own.parsed?.tasks.length ?? 0;
  effects.push({ type: 'keep-dump', dump });
  effects.push({
    type: 'note',
    level: 'info',
    text: `${name}: ${counted(dump.lines.length, 'line')}, ${counted(tasks, 'task')}, ended by ${dump.endedBy} after ${seconds(at - dump.startedAt)}`,
  });
  return own;
}

/** Of two attempts that brought nothing the first tells more. */
function attemptsOf(first: KeptDump | undefined, dump: KeptDump): KeptDump {
  if (first === undefined) return dump;
  if (dump.lines.length === 0) return first;
  return first.lines.length === 0 ? dump : joined(first, dump);
}
