/**
 * What is asked of the analyst, and what it answers: all that reads dumps, and may cost seconds or a heap. The decision
 * waits for the answer and nothing comes between, so it is the same whether that is made at once or by another process.
 */
import { analyze } from '../analysis/analysis.js';
import type { AnalysisContext } from '../analysis/places.js';
import { type DumpName, dumpKeyOf, type KeptDump } from '../capture/series.js';
import { parseDumps } from '../dump/parse-dumps.js';
import type { Analysis, Dump, Verdict } from '../model.js';

export type AskedDump = Pick<KeptDump, 'name' | 'lines'>;

/** What can be read from the lines of one dump, without its stacks. */
export interface Reading {
  tasks: number;
  complete: boolean;
  lossy: boolean;
  incompleteBecause: string[];
  /** A task is in panic(). */
  panics: boolean;
  mended?: number;
}

export type Question =
  /** One dump has ended. `raised`: the guest confirmed the higher loglevel. */
  | { type: 'read'; dump: AskedDump; raised: boolean }
  /** The capture is over. `reported`: the console's lines, if the kernel's own reports in them count. */
  | {
      type: 'judge';
      dumps: AskedDump[];
      /** What memory showed before the first key; null where it was not read. */
      memory: Dump | null;
      raised: boolean;
      /** Memory is also judged alone: by its clock, where keys show who is blocked at the moment. */
      byMemory?: true;
      reported: string[];
      context: AnalysisContext;
    }
  /** What memory shows by itself. */
  | { type: 'weigh'; memory: Dump; context: AnalysisContext };

/** A dump in whose lines nothing can be read has the reading null. */
export type Answer =
  | { type: 'read'; reading: Reading | null }
  | { type: 'weighed'; verdict: Verdict }
  | {
      type: 'judged';
      /** With what the kernel reported by itself; the same without its panics; and by the dumps alone. */
      told: Analysis;
      withoutPanic: Analysis;
      alone: Verdict;
      /** Of memory alone; only where that was asked, and memory read. */
      byMemory?: Analysis;
      readings: Record<string, Reading | null>;
    }
  /** It died, or took too long: the watch goes on without. */
  | { type: 'failed'; why: string };

/** Dumps that were read before, of one case. */
export type ReadDumps = Map<DumpName, { dump: AskedDump; raised: boolean; parsed: Dump | null }>;

/**
 * Answers here and now. `read`: a large dump takes half a second to read, and is asked for twice, as it ends and for the
 * verdict.
 */
export function answerTo(question: Question, read: ReadDumps = new Map()): Answer {
  if (question.type === 'read') {
    const { dump, raised } = question;
    const parsed = dumpIn(dump.name, dump.lines, raised);
    read.set(dump.name, { dump, raised, parsed });
    return { type: 'read', reading: readingOf(parsed) };
  }
  if (question.type === 'weigh') {
    const { verdict } = analyze([question.memory], question.context);
    return { type: 'weighed', verdict };
  }
  const { dumps, memory, raised, reported, context } = question;
  const own = dumps.map((dump) => ({ name: dump.name, parsed: readBefore(read, dump, raised) }));
  read.clear();
  const reports = parseDumps(reported).filter(({ key }) => key.length > 1 && key !== 'none');
  const whole = [...(memory === null ? [] : [memory]), ...own.flatMap(({ parsed }) => parsed ?? [])];
  const alone = analyze(whole, context);
  const told = reports.length === 0 ? alone : analyze([...reports, ...whole], context);
  const others = reports.filter(({ key }) => key !== 'panic');
  const withoutPanic = others.length === reports.length ? told : analyze([...others, ...whole], context);
  const byMemory = question.byMemory && memory && { byMemory: analyze([memory], context) };
  return {
    type: 'judged',
    ...{ told, withoutPanic, alone: alone.verdict, ...byMemory },
    readings: Object.fromEntries(own.map(({ name, parsed }) => [name, readingOf(parsed)])),
  };
}

/** Of another guest, or asked for again since: then the lines differ. */
function readBefore(read: ReadDumps, { name, lines }: AskedDump, raised: boolean): Dump | null {
  const known = read.get(name);
  const same = known?.raised === raised && known.dump.lines.length === lines.length;
  if (same && known.dump.lines.every((line, index) => line === lines[index])) return known.parsed;
  return dumpIn(name, lines, raised);
}

/** The dump in the lines of one file. A chord that was pressed twice prints two: then the whole one counts. */
export function dumpIn(name: DumpName, lines: Iterable<string>, loglevelRaised: boolean): Dump | null {
  const found = parseDumps(lines, { loglevelRaised }).filter(({ key }) => key === dumpKeyOf(name));
  const most = found.reduce((count, { tasks }) => Math.max(count, tasks.length), 0);
  return found.find(({ complete }) => complete) ?? found.find(({ tasks }) => tasks.length === most) ?? null;
}

const PANICS: ReadonlySet<string> = new Set(['panic', 'vpanic']);

function readingOf(parsed: Dump | null): Reading | null {
  if (parsed === null) return null;
  const { tasks, complete, lossy, incompleteBecause, mended } = parsed;
  return {
    tasks: tasks.length,
    complete,
    lossy: lossy === true,
    incompleteBecause,
    panics: tasks.some(({ frames }) => frames.some(({ symbol }) => PANICS.has(symbol))),
    ...(mended !== undefined && { mended }),
  };
}
