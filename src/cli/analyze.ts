/** `analyze FILE...|-`: the verdict from any console log; needs no guest and no daemon. */
import { createReadStream } from 'node:fs';
import type { Command } from '@commander-js/extra-typings';
import { analyze } from '../core/analysis/analyze.js';
import { membersOf } from '../core/analysis/groups.js';
import { cleanRow } from '../core/console/clean.js';
import { kernelCommandLine } from '../core/console/markers.js';
import { DumpParser } from '../core/dump/parse.js';
import type { Analysis, StackGroup, Verdict } from '../core/model.js';
import { printable } from '../core/printable.js';

interface AnalyzeOptions {
  json?: boolean | undefined;
}

interface Streams {
  in: AsyncIterable<Uint8Array>;
  out: (text: string) => void;
  err: (text: string) => void;
}

/** As journald cuts them: a row that never ends must not fill the memory. */
const ROW_MAX = 48 * 1024;
const MOUNT_LINES = 50;
const GROUPS_SHOWN = 3;
const FRAMES_SHOWN = 12;

/** Of several files the worst counts: a hang, an unreadable file, incomplete evidence, no dump, nothing stuck. */
const WORST_FIRST = [1, 5, 4, 3, 0];

/** Prints the verdict on each file (`-` is standard input) and returns the exit code of docs: 0, 1, 3, 4 or 5. */
export async function runAnalyze(
  files: string[],
  options: AnalyzeOptions,
  streams: Streams,
): Promise<number> {
  const codes: number[] = [];
  const found: { file: string; analysis: Analysis }[] = [];
  for (const file of files) {
    try {
      const analysis = await analyzeBytes(file === '-' ? streams.in : createReadStream(file));
      codes.push(exitCode(analysis));
      if (analysis.dumps.length > 0) found.push({ file, analysis });
      if (options.json !== true)
        streams.out(heading(files, file) + (analysis.dumps.length > 0 ? human(analysis) : NO_DUMP));
    } catch (error) {
      codes.push(5);
      streams.err(`wedgewatch: ${printable(file, 400)} cannot be read: ${reason(error)}\n`);
    }
  }
  if (options.json === true) streams.out(`${JSON.stringify(asJson(files, found), null, 2)}\n`);
  return WORST_FIRST.find((code) => codes.includes(code)) ?? 0;
}

/** Registers the verb; the exit code goes to `done`. */
export function analyzeCommand(program: Command, done: (code: number) => void): void {
  program
    .command('analyze')
    .description('The verdict from any console log; needs no guest and no daemon.')
    .argument('<files...>', 'console logs, - for standard input')
    .option('--json', 'the whole analysis as JSON')
    .action(async (files, options) => {
      const write = (stream: NodeJS.WriteStream) => (text: string) => void stream.write(text);
      done(
        await runAnalyze(files, options, {
          in: process.stdin,
          out: write(process.stdout),
          err: write(process.stderr),
        }),
      );
    });
}

const NO_DUMP = 'No SysRq dump and no kernel complaint in it.\n';

function exitCode({ dumps, verdict }: Analysis): number {
  if (dumps.length === 0) return 3;
  return verdict.class === 'none' ? 0 : verdict.class === 'unknown' ? 4 : 1;
}

/** One file gives its object, several an array of objects that say which file; files without a dump are left out. */
function asJson(files: readonly string[], found: readonly { file: string; analysis: Analysis }[]): unknown {
  const only = files.length === 1 ? found[0] : undefined;
  return only ? only.analysis : found.map(({ file, analysis }) => ({ file, ...analysis }));
}

function reason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'ENOENT') return 'no such file.';
  if (code === 'EISDIR') return 'it is a directory; name the log file in it.';
  if (code === 'EACCES') return 'permission denied; run as its owner, or copy it.';
  return printable(error instanceof Error ? error.message : String(error), 200);
}

/** Reads a console log as it streams by; only the dumps stay in memory. */
async function analyzeBytes(chunks: AsyncIterable<Uint8Array | string>): Promise<Analysis> {
  const parser = new DumpParser();
  const mountLines: string[] = [];
  let commandLine: string | null = null;
  for await (const row of rows(chunks)) {
    for (const line of cleanRow(row)) {
      parser.push(line);
      commandLine = kernelCommandLine(line) ?? commandLine;
      if (mountLines.length < MOUNT_LINES && line.length < 1000 && /virtio-?fs/i.test(line))
        mountLines.push(line);
    }
  }
  return analyze(parser.finish(), {
    secondsBetweenLooks: null,
    shares: [],
    kernelCommandLine: commandLine,
    mountLines,
  });
}

async function* rows(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const bytes = Buffer.concat([rest, typeof chunk === 'string' ? Buffer.from(chunk) : chunk]);
    let start = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      yield bytes.subarray(start, end);
      start = end + 1;
    }
    for (; bytes.length - start > ROW_MAX; start += ROW_MAX) yield bytes.subarray(start, start + ROW_MAX);
    rest = bytes.subarray(start);
  }
  if (rest.length > 0) yield rest;
}

const heading = (files: readonly string[], file: string): string =>
  files.length > 1 ? `== ${printable(file, 400)}\n` : '';

function human({ verdict, groups }: Analysis): string {
  const lines = [verdict.title, '', `class ${verdict.class}, confidence ${verdict.confidence}`];
  for (const sentence of [...verdict.reasons, ...verdict.inferred]) lines.push(`- ${sentence}`);
  for (const group of telling(groups, verdict)) {
    lines.push('', `${group.count} in ${group.state}: ${membersOf(group, 8)}`);
    lines.push(...group.frames.slice(0, FRAMES_SHOWN).map((frame) => `    ${frame}`));
    if (group.frames.length > FRAMES_SHOWN) lines.push('    …');
  }
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
