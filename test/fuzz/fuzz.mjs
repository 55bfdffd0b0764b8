/**
 * Runs mutated inputs through one of the readers of hostile bytes (targets.mjs). Fails on a throw, on a word that is not
 * kept, on an input that takes over a second of CPU, and on memory that grows without bound. Needs `npm run build`.
 *   node test/fuzz/fuzz.mjs export|console|qmp|config|dump|paste|memory [--inputs 1000000] [--seed 1] [--from 0] [--seconds N]
 * Input N of a seed is always the same: what failed is repeated by --from N --inputs 1.
 */
/* global URL */
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { parseArgs } from 'node:util';
import v8 from 'node:v8';
import { mutated, numbers } from './mutate.mjs';
import { TARGETS } from './targets.mjs';

const SLOW_MS = 1000;
/** A runaway input ends the run by an out-of-memory, which names itself; the whole run must stay below it. */
const HEAP_MB = 256;
const MOST_FAILURES = 10;

v8.setFlagsFromString(`--max-old-space-size=${HEAP_MB}`);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    inputs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    seconds: { type: 'string', default: 'Infinity' },
  },
});
const [inputs, seed, from, limit] = [values.inputs, values.seed, values.from, values.seconds].map(Number);
const [name = ''] = positionals;
if (!Object.hasOwn(TARGETS, name)) {
  process.stderr.write(`name one of: ${Object.keys(TARGETS).join(' ')}\n`);
  process.exit(2);
}
const target = await TARGETS[name]((module) => import(new URL(`../../dist/${module}.js`, import.meta.url)));

/** CPU time: a busy machine stops any process for a while, which says nothing about the input. */
function timed(bytes, random) {
  const before = process.cpuUsage();
  const kind = target.run(bytes, random);
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1000, kind };
}

const total = { bytes: 0, slowest: 0, slowestAt: from, peakMb: 0 };
const kinds = {};
const failures = [];
const began = performance.now();

let done = 0;
for (let index = from; index < from + inputs; index += 1) {
  const bytes = mutated(target.material, seed, index);
  total.bytes += bytes.length;
  try {
    const { ms, kind } = timed(bytes, numbers(seed + 1, index));
    if (ms > SLOW_MS) failures.push(`input ${index}: ${Math.round(ms)} ms`);
    if (ms > total.slowest) Object.assign(total, { slowest: ms, slowestAt: index });
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  } catch (error) {
    failures.push(`input ${index}: ${error instanceof Error ? error.stack : String(error)}`);
  }
  if (index % 1000 === 0) total.peakMb = Math.max(total.peakMb, process.memoryUsage.rss() / 2 ** 20);
  done += 1;
  if (failures.length >= MOST_FAILURES || performance.now() - began > limit * 1000) break;
}

const seconds = (performance.now() - began) / 1000;
process.stdout.write(
  [
    `${name}, seed ${seed}, inputs ${from} to ${from + done - 1}: ${failures.length} failures`,
    `${(total.bytes / 2 ** 20).toFixed(0)} MB in ${seconds.toFixed(0)} s, ${Math.round(done / seconds)} inputs a second`,
    `kinds ${JSON.stringify(kinds)}`,
    `slowest input ${total.slowestAt}: ${total.slowest.toFixed(0)} ms of CPU; peak memory ${total.peakMb.toFixed(0)} MB`,
    ...failures,
    '',
  ].join('\n'),
);
process.exitCode = failures.length === 0 ? 0 : 1;
