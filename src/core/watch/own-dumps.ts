/** The dumps that were asked for, each with what can be read from its lines. */
import { parseDumps } from '../dump/parse.js';
import type { Dump, DumpSysrqKey } from '../model.js';
import { type DumpName, dumpKeyOf, type KeptDump } from '../capture/series.js';
import type { DumpEvidence } from '../report/incident.js';

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
export function evidenceOf({ kept: { name, lines, endedBy }, parsed }: OwnDump): DumpEvidence {
  const complete = endedBy === 'fence' && parsed?.complete === true;
  const mended = parsed?.mended;
  return { name, key: keyOf(name), complete, lines: lines.length, endedBy, ...(mended && { mended }) };
}
