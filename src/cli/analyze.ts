/** `analyze FILE...|-`: the verdict from any console log; needs no guest and no daemon. */
import type { Analysis } from '../core/model.js';
import { printable } from '../core/printable.js';
import { analysisText } from '../core/report/analysis-text.js';
import { CI_FORMS } from '../core/report/ci.js';
import { safeJson } from '../core/report/json.js';
import { ciWriter, NO_DUMP, type Writer } from './analyze-ci.js';
import { type CiOptions, formOf } from './ci-report.js';
import { LogError, type ReadLog, readLog, readLogFile } from '../io/console-log.js';
import { symbolise } from '../io/symbols.js';
import { EXIT } from './globals.js';

interface AnalyzeOptions extends CiOptions {
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
  const form = formOf(options.ci);
  if (form === null) {
    streams.err(`wedgewatch: --ci ${printable(options.ci ?? '', 40)}: expected ${CI_FORMS.join(', ')}\n`);
    return EXIT.usage;
  }
  const json = options.json === true;
  const plain = writerFor(files.length > 1, json, streams.out);
  const write = ciWriter(plain, { form, json, folder: options.artifacts ?? null }, streams);
  const codes = new Set<number>();
  const told = new Set<string>();
  for (const file of files) codes.add(await analyzeOne(file, options.vmlinux, streams, write, told));
  await write.end();
  return GRAVEST_FIRST.find((code) => codes.has(code)) ?? EXIT.ok;
}

function writerFor(several: boolean, json: boolean, out: Streams['out']): Writer {
  if (json) return jsonWriter(several, out);
  const line = (file: string, text: string) => out(`${printable(file, 400)}: ${text}\n`);
  return {
    found: (file, { analysis }) => {
      if (several) line(file, analysis.verdict.title);
      else out(analysisText(analysis));
    },
    nothing: (file) => {
      if (several) line(file, NO_DUMP);
      else out(`${NO_DUMP}\n`);
    },
    unread: () => undefined,
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
    unread: () => undefined,
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
    write.unread(file, why);
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
