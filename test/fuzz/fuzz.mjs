/**
 * Runs mutated console logs through the whole pure core, as `analyze` does: bytes → rows → lines → dumps → verdict.
 * Fails on a throw, on an input that takes over a second of CPU, and on memory that grows without bound. Needs
 * `npm run build`.
 *   node test/fuzz/fuzz.mjs [--inputs 1000000] [--seed 1] [--from 0] [--seconds N]
 * Input N of a seed is always the same: what failed is repeated by --from N --inputs 1.
 */
/* global URL */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { parseArgs } from 'node:util';
import v8 from 'node:v8';
import { analyze } from '../../dist/core/analysis/analysis.js';
import { cleanRow } from '../../dist/core/console/clean.js';
import { RowSplitter } from '../../dist/core/console/rows.js';
import { DumpParser } from '../../dist/core/dump/parse-dumps.js';
import { goldenNames, readGolden } from '../golden/golden.mjs';
import { mutated } from './mutate.mjs';

const SLOW_MS = 1000;
/** A runaway input ends the run by an out-of-memory, which names itself; the whole run must stay below it. */
const HEAP_MB = 256;
const CONTEXT = { secondsBetweenLooks: null, shares: [], kernelCommandLine: null };

v8.setFlagsFromString(`--max-old-space-size=${HEAP_MB}`);

const readLogs = () => [
  ...goldenNames().map((name) => readGolden(name).log),
  readFileSync(new URL('formats.log', import.meta.url)),
];

const splitter = new RowSplitter();

function run(bytes) {
  const parser = new DumpParser();
  const rows = splitter.push(bytes);
  const last = splitter.flush();
  for (const row of last === null ? rows : [...rows, last])
    for (const line of cleanRow(row)) parser.push(line);
  return analyze(parser.finish(), CONTEXT);
}

/** CPU time: a busy machine stops any process for a while, which says nothing about the input. */
function timed(bytes) {
  const from = process.cpuUsage();
  const analysis = run(bytes);
  const { user, system } = process.cpuUsage(from);
  return { ms: (user + system) / 1000, analysis };
}

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    seconds: { type: 'string', default: 'Infinity' },
  },
});
const [inputs, seed, from, limit] = [values.inputs, values.seed, values.from, values.seconds].map(Number);
const logs = readLogs();
const total = { bytes: 0, dumps: 0, tasks: 0, slowest: 0, slowestAt: from, peakMb: 0 };
const classes = {};
const failures = [];
const began = performance.now();

let done = 0;
for (let index = from; index < from + inputs; index += 1) {
  const bytes = mutated(logs, seed, index);
  total.bytes += bytes.length;
  try {
    const { ms, analysis } = timed(bytes);
    if (ms > SLOW_MS) failures.push(`input ${index}: ${Math.round(ms)} ms`);
    if (ms > total.slowest) Object.assign(total, { slowest: ms, slowestAt: index });
    total.dumps += analysis.dumps.length;
    for (const dump of analysis.dumps) total.tasks += dump.tasks.length;
    classes[analysis.verdict.class] = (classes[analysis.verdict.class] ?? 0) + 1;
  } catch (error) {
    failures.push(`input ${index}: ${error instanceof Error ? error.stack : String(error)}`);
  }
  if (index % 1000 === 0) total.peakMb = Math.max(total.peakMb, process.memoryUsage.rss() / 2 ** 20);
  done += 1;
  if (failures.length >= 10 || performance.now() - began > limit * 1000) break;
}

const seconds = (performance.now() - began) / 1000;
process.stdout.write(
  [
    `seed ${seed}, inputs ${from} to ${from + done - 1}: ${failures.length} failures`,
    `${(total.bytes / 2 ** 20).toFixed(0)} MB in ${seconds.toFixed(0)} s, ${Math.round(done / seconds)} inputs a second`,
    `${total.dumps} dumps, ${total.tasks} tasks; verdicts ${JSON.stringify(classes)}`,
    `slowest input ${total.slowestAt}: ${total.slowest.toFixed(0)} ms of CPU; peak memory ${total.peakMb.toFixed(0)} MB`,
    ...failures,
    '',
  ].join('\n'),
);
process.exitCode = failures.length === 0 ? 0 : 1;
