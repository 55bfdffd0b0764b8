/** `analyze FILE...|-`: the verdict from any console log; needs no guest and no daemon. */
import { nameDump } from '../core/analysis/dump-names.js';
import { framesWithLines, membersOf } from '../core/analysis/groups.js';
import type { Analysis, StackGroup, Verdict } from '../core/model.js';
import { printable } from '../core/printable.js';
import { safeJson } from '../core/report/json.js';
import { waitLine } from '../core/report/text.js';
import { counted } from '../core/words.js';
import { LogError, type ReadLog, readLog, readLogFile } from '../io/console-log.js';
import { symbolise } from '../io/symbols.js';
import { EXIT } from './globals.js';

interface AnalyzeOptions {
  json?: boolean | undefined;
  /** A kernel image with debug information. */
  vmlinux?: string | undefined;
}

interface Streams {
  /** Null if nothing is piped in: a person's keyboard is no log. */
  in: AsyncIterable<Uint8Array> | null;
  out: (text: string) => void;
  err: (text: string) => void;
}

/** addr2line reads the whole debug information of a kernel. */
const SYMBOLS_MS = 120_000;
/** Longer than a file or a busy program takes for its first bytes. */
const SILENT_MS = 2_000;
const GROUPS_SHOWN = 3;
const FRAMES_SHOWN = 12;
const WAITS_SHOWN = 5;
const NO_DUMP = 'no SysRq dump and no kernel complaint found';

/** Of several files the gravest counts: a hang, an unreadable file, incomplete evidence, no dump, nothing stuck. */
const GRAVEST_FIRST = [EXIT.hang, EXIT.environment, EXIT.incomplete, EXIT.noMatch, EXIT.ok];

/**
 * Prints the verdict on each log, a line each if there are several, and returns the exit code: 0, 1, 3 (no dump),
 * 4, 5 (unreadable), 2 if nothing was named nor piped in. `-` is standard input, as is no name at all. As JSON one
 * file gives its analysis, several an array of them that says which `file`; a log without a dump is left out.
 */
export async function runAnalyze(
  names: readonly string[],
  options: AnalyzeOptions,
  streams: Streams,
): Promise<number> {
  const files = names.length === 0 ? ['-'] : names;
  if (streams.in === null && files.includes('-')) {
    streams.err('wedgewatch: name a console log, or pipe one in: dmesg | wedgewatch analyze\n');
    return EXIT.usage;
  }
  const write = writerFor(files.length > 1, options.json === true, streams.out);
  const codes = new Set<number>();
  const told = new Set<string>();
  for (const file of files) codes.add(await analyzeOne(file, options.vmlinux, streams, write, told));
  write.end();
  return GRAVEST_FIRST.find((code) => codes.has(code)) ?? EXIT.ok;
}

interface Writer {
  found: (file: string, log: ReadLog) => void;
  nothing: (file: string) => void;
  end: () => void;
}

function writerFor(several: boolean, json: boolean, out: Streams['out']): Writer {
  if (json) return jsonWriter(several, out);
  const line = (file: string, text: string) => out(`${printable(file, 400)}: ${text}\n`);
  return {
    found: (file, { analysis }) => {
      if (several) line(file, analysis.verdict.title);
      else out(human(analysis));
    },
    nothing: (file) => {
      if (several) line(file, NO_DUMP);
      else out(`${NO_DUMP}\n`);
    },
    end: () => undefined,
  };
}

/** Written as they come, so that many large logs need the memory of one. */
function jsonWriter(several: boolean, out: Streams['out']): Writer {
  let written = 0;
  return {
    found: (file, { analysis }) => {
      const value = several ? { file, ...analysis } : analysis;
      out(`${several ? (written === 0 ? '[\n' : ',\n') : ''}${safeJson(value, 2)}`);
      written += 1;
    },
    nothing: () => undefined,
    end: () => {
      out(written === 0 ? '[]\n' : several ? '\n]\n' : '\n');
    },
  };
}

async function analyzeOne(
  file: string,
  vmlinux: string | undefined,
  streams: Streams,
  write: Writer,
  told: Set<string>,
): Promise<number> {
  try {
    const read = await readOne(file, streams);
    const { analysis, problem } = await withLines(read.analysis, vmlinux);
    const { cutShort } = read;
    if (problem !== null && !told.has(problem)) streams.err(`wedgewatch: ${printable(problem, 500)}\n`);
    if (problem !== null) told.add(problem);
    if (cutShort !== null)
      streams.err(`wedgewatch: ${printable(file, 400)}: ${cutShort}; this is of what came before\n`);
    if (analysis.dumps.length > 0) write.found(file, { ...read, analysis });
    else write.nothing(file);
    return exitCode(analysis);
  } catch (error) {
    const why = error instanceof LogError ? error.message : String(error);
    streams.err(`wedgewatch: ${printable(file, 400)} cannot be read: ${printable(why, 300)}\n`);
    return EXIT.environment;
  }
}

/** A pipe may be silent for as long as its writer likes, or have none yet: that is waited for, and said. */
async function readOne(file: string, streams: Streams): Promise<ReadLog> {
  const shown = file === '-' ? 'standard input' : printable(file, 400);
  const hint = setTimeout(
    () => streams.err(`wedgewatch: waiting for somebody to write to ${shown}; Ctrl-C ends it\n`),
    SILENT_MS,
  );
  const begun = (): void => clearTimeout(hint);
  try {
    return await (file === '-' && streams.in
      ? readLog(streams.in, { onBegin: begun })
      : readLogFile(file, begun));
  } finally {
    begun();
  }
}

const withLines = async (analysis: Analysis, vmlinux: string | undefined) =>
  vmlinux === undefined || analysis.dumps.length === 0
    ? { analysis, problem: null }
    : symbolise(analysis, vmlinux, { timeoutMs: SYMBOLS_MS });

function exitCode({ dumps, verdict }: Analysis): number {
  if (dumps.length === 0) return EXIT.noMatch;
  if (verdict.class === 'none') return EXIT.ok;
  return verdict.class === 'unknown' ? EXIT.incomplete : EXIT.hang;
}

function human({ verdict, groups, waits, dumps }: Analysis): string {
  const lines = [verdict.title, '', `class ${verdict.class}, confidence ${verdict.confidence}`];
  for (const sentence of [...verdict.reasons, ...verdict.inferred]) lines.push(`- ${sentence}`);
  if (waits.length > 0) lines.push('', 'Who waits for whom');
  for (const wait of waits.slice(0, WAITS_SHOWN)) lines.push(`- ${printable(waitLine(wait), 400)}`);
  if (waits.length > WAITS_SHOWN) lines.push(`- and ${waits.length - WAITS_SHOWN} more`);
  for (const group of telling(groups, verdict)) {
    lines.push('', `${group.count} in ${group.state}: ${membersOf(group, 8)}`);
    lines.push(
      ...framesWithLines(group)
        .slice(0, FRAMES_SHOWN)
        .map((frame) => `    ${printable(frame, 400)}`),
    );
    if (group.frames.length > FRAMES_SHOWN) lines.push('    …');
  }
  const unplaced = dumps.flatMap((dump, index) =>
    dump.unplaced === undefined ? [] : [{ name: nameDump(dumps, index), ...dump.unplaced }],
  );
  if (unplaced.length > 0) lines.push('');
  for (const { name, lines: count, examples } of unplaced.slice(0, WAITS_SHOWN))
    lines.push(`${name}: ${counted(count, 'line')} not understood: ${printable(examples[0] ?? '', 100)}`);
  return `${lines.join('\n')}\n`;
}

/** The culprit's stack, which is the first of all, and those in D: a dump of all tasks has many that only sleep. */
function telling(groups: readonly StackGroup[], { culprit }: Verdict): StackGroup[] {
  const shown = groups.filter(
    ({ pids, state, idle }) =>
      (typeof culprit?.pid === 'number' && pids.includes(culprit.pid)) || (state === 'D' && !idle),
  );
  return shown.slice(0, GROUPS_SHOWN);
}
