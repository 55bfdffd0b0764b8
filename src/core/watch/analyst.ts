/**
 * What is asked of the analyst, and what it answers: all that reads dumps, and may cost seconds or a heap. The decision
 * waits for the answer and nothing comes between, so it is the same whether that is made at once or by another process.
 */
import { analyze } from '../analysis/analysis.js';
import type { AnalysisContext } from '../analysis/places.js';
import { type DumpName, dumpKeyOf, type KeptDump } from '../capture/series.js';
import { parseDumps } from '../dump/parse-dumps.js';
import type { Analysis, Dump } from '../model.js';

export type AskedDump = Pick<KeptDump, 'name' | 'lines'>;

/** What can be read from the lines of one dump, without its stacks. */
export interface Reading {
  tasks: number;
  complete: boolean;
  lossy: boolean;
  incompleteBecause: string[];
  mended?: number;
}

export type Question =
  /** One dump has ended. `raised`: the guest confirmed the higher loglevel. */
  | { type: 'read'; dump: AskedDump; raised: boolean }
  /** The capture is over. `reported`: the console's lines, if the kernel's own reports in them count. */
  | { type: 'judge'; dumps: AskedDump[]; raised: boolean; reported: string[]; context: AnalysisContext };

/** A dump in whose lines nothing can be read has the reading null. */
export type Answer =
  | { type: 'read'; reading: Reading | null }
  | { type: 'judged'; analysis: Analysis; readings: Record<string, Reading | null> }
  /** It died, or took too long: the watch goes on without. */
  | { type: 'failed'; why: string };

/** Answers here and now. */
export function answerTo(question: Question): Answer {
  if (question.type === 'read') {
    const { dump, raised } = question;
    return { type: 'read', reading: readingOf(dumpIn(dump.name, dump.lines, raised)) };
  }
  const { dumps, raised, reported, context } = question;
  const own = dumps.map(({ name, lines }) => ({ name, parsed: dumpIn(name, lines, raised) }));
  const told = parseDumps(reported).filter(({ key }) => key.length > 1 && key !== 'none');
  return {
    type: 'judged',
    analysis: analyze([...told, ...own.flatMap(({ parsed }) => parsed ?? [])], context),
    readings: Object.fromEntries(own.map(({ name, parsed }) => [name, readingOf(parsed)])),
  };
}

/** The dump in the lines of one file. A chord that was pressed twice prints two: then the whole one counts. */
export function dumpIn(name: DumpName, lines: Iterable<string>, loglevelRaised: boolean): Dump | null {
  const found = parseDumps(lines, { loglevelRaised }).filter(({ key }) => key === dumpKeyOf(name));
  const most = found.reduce((count, { tasks }) => Math.max(count, tasks.length), 0);
  return found.find(({ complete }) => complete) ?? found.find(({ tasks }) => tasks.length === most) ?? null;
}

function readingOf(parsed: Dump | null): Reading | null {
  if (parsed === null) return null;
  const { tasks, complete, lossy, incompleteBecause, mended } = parsed;
  return {
    tasks: tasks.length,
    complete,
    lossy: lossy === true,
    incompleteBecause,
    ...(mended !== undefined && { mended }),
  };
}
