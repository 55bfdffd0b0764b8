/**
 * How the time and the memory of parsing and judging a dump grow with its tasks. Needs `npm run build`.
 *   node bench/parse.mjs
 * Each size runs in a process of its own. The dump is the t dump of test/golden/page-in.log, repeated with other pids.
 */
import { execFileSync } from 'node:child_process';
import process from 'node:process';
import { performance } from 'node:perf_hooks';
import { analyze } from '../dist/core/analysis/analysis.js';
import { DumpParser } from '../dist/core/dump/parse-dumps.js';
import { readGolden } from '../test/golden/golden.mjs';

const SIZES = [100, 1_000, 10_000, 50_000];
const ROUNDS = 5;

/** The lines of one dump with that many tasks. */
function* dumpOf(count) {
  const log = readGolden('page-in').log.toString().split('\n');
  const start = log.findIndex((line) => line.includes('sysrq: Show State'));
  const isHeader = (line) => / task:.* pid:/.test(line);
  const first = log.findIndex((line, index) => index > start && isHeader(line));
  const end = log.findIndex(
    (line, index) => index > first && /Sched Debug|sysrq: |busy workqueues/.test(line),
  );
  const body = log.slice(first, end);
  yield log[start];
  for (let tasks = 0; tasks < count;) {
    for (const line of body) {
      if (isHeader(line) && (tasks += 1) > count) break;
      yield isHeader(line) ? line.replace(/ pid:\d+ /, ` pid:${tasks} `) : line;
    }
  }
  yield '[ 9999.000000] sysrq: HELP : loglevel(0-9) reboot(b)';
}

function parseOnce(count) {
  const parser = new DumpParser();
  for (const line of dumpOf(count)) parser.push(line);
  const dumps = parser.finish();
  const { verdict } = analyze(dumps, { secondsBetweenLooks: null, shares: [], kernelCommandLine: null });
  return { tasks: dumps[0].tasks.length, verdict };
}

function measure(count) {
  parseOnce(100); // warm
  const times = Array.from({ length: ROUNDS }, () => {
    const from = performance.now();
    const { tasks } = parseOnce(count);
    if (tasks !== count) throw new Error(`${tasks} tasks instead of ${count}`);
    return performance.now() - from;
  });
  const { maxRSS } = process.resourceUsage();
  process.stdout.write(JSON.stringify({ times: times.toSorted((a, b) => a - b), megabytes: maxRSS / 1024 }));
}

if (process.argv[2] !== undefined) measure(Number(process.argv[2]));
else {
  process.stdout.write('  tasks   min ms   median      max   µs/task   MB (peak, Node and bench included)\n');
  for (const size of SIZES) {
    const said = execFileSync(process.execPath, [import.meta.filename, String(size)], { encoding: 'utf8' });
    const { times, megabytes } = JSON.parse(said);
    const median = times[Math.floor(ROUNDS / 2)];
    const columns = [size, times[0], median, times.at(-1), (median * 1000) / size].map((value) =>
      value.toFixed(0),
    );
    process.stdout.write(
      `${columns.map((text) => text.padStart(7)).join('  ')}  ${megabytes.toFixed(0).padStart(7)}\n`,
    );
  }
}
