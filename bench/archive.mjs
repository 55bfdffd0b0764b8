/**
 * How long the verbs that read the archive take, beside what cannot be less: Node's start, and `ls` of the directory.
 * Needs `npm run build`, and room for N times 0.5 MB.
 *   node bench/archive.mjs [N=5000] [DIR]
 * Each incident has the dumps of a real guest (test/golden/page-in.log). "cold" is without the page cache (root only).
 */
import { Buffer } from 'node:buffer';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { analyze } from '../dist/core/analysis/analysis.js';
import { cleanRow } from '../dist/core/console/clean.js';
import { parseDumps } from '../dist/core/dump/parse-dumps.js';
import { incidentId } from '../dist/core/report/incident.js';
import { openIncident } from '../dist/io/archive/writer.js';
import { readGolden } from '../test/golden/golden.mjs';

const COUNT = Number(process.argv[2] ?? 5_000);
const ROUNDS = 5;
const main = join(import.meta.dirname, '../dist/cli/main.js');
const root = process.argv[3] ?? mkdtempSync(join(tmpdir(), 'wedgewatch-bench-'));
const incidents = join(root, 'incidents');
const START = Date.UTC(2026, 0, 1);

/** One real incident, and as many copies with names, guests and fingerprints of their own. */
async function fill() {
  const lines = readGolden('page-in')
    .log.toString()
    .split('\n')
    .flatMap((row) => cleanRow(Buffer.from(row)));
  const dumps = parseDumps(lines);
  const analysis = analyze(dumps, { secondsBetweenLooks: 3, shares: [], kernelCommandLine: null });
  const at = new Date(START).toISOString();
  const unknown = {
    invocation: null,
    lastProgress: null,
    awaiting: null,
    test: null,
    note: null,
    armed: null,
  };
  const incident = {
    ...analysis,
    ...unknown,
    ...{ id: '', vm: 'VM-NAME', unit: 'qemu-system@vm.service', startedAt: at, filedAt: at, wedgedSince: at },
    ...{ recoveredAt: null, why: ['silence'], capture: [], timings: {}, kernel: '6.12.0', version: '0.1.0' },
    evidence: { complete: true, incompleteBecause: [], dumps: [] },
  };
  const writer = await openIncident(root, { vm: 'model', startedAtMs: START });
  const { path } = await writer.file(incident, { console: `${lines.join('\n')}\n` });
  const text = readFileSync(join(path, 'incident.json'), 'utf8');
  const others = readdirSync(path).filter((name) => name !== 'incident.json');
  for (let n = 0; n < COUNT; n += 1) {
    const startedAtMs = START + n * 300_000;
    const vm = `guest-${n % 40}`;
    const id = incidentId(startedAtMs, vm, n.toString(16).padStart(8, '0'));
    const directory = join(incidents, id);
    mkdirSync(directory);
    const own = text
      .replaceAll('VM-NAME', vm)
      .replaceAll(at, new Date(startedAtMs).toISOString())
      .replace(analysis.fingerprint, (n % 100).toString(16).padStart(16, '0'));
    writeFileSync(join(directory, 'incident.json'), own);
    for (const name of others) {
      if (name === 'verdict.txt') copyFileSync(join(path, name), join(directory, name));
      else linkSync(join(path, name), join(directory, name));
    }
  }
  rmSync(path, { recursive: true });
  return text.length;
}

const env = { ...process.env, STATE_DIRECTORY: root, XDG_CONFIG_HOME: join(root, 'none') };
/** Milliseconds of the clock and of CPU, children included. */
function timed([file, ...words]) {
  const script = `TIMEFORMAT='%R %U %S'; time "$@" >/dev/null`;
  const { status, stderr } = spawnSync('bash', ['-c', script, '--', file, ...words], {
    env,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${words.join(' ')}: exit ${status}: ${stderr}`);
  const [real, user, system] = stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return { wall: real * 1000, cpu: (user + system) * 1000 };
}

const verb = (...words) => [process.execPath, main, ...words];
const id = incidentId(START, 'guest-0', '00000000');
const ROWS = {
  'node --eval 0': [process.execPath, '--eval', '0'],
  'ls incidents': ['ls', incidents],
  'find incidents -size +0 (a stat each)': ['find', incidents, '-name', 'incident.json', '-size', '+0'],
  'completion bash (no archive)': verb('completion', 'bash'),
  list: verb('list'),
  'list --json': verb('list', '--json'),
  'list --vm guest-7': verb('list', '--vm', 'guest-7'),
  'show (the newest)': verb('show'),
  'show ID': verb('show', id),
  'show ID --json': verb('show', id, '--json'),
};

const middle = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const seconds = (ms) => (ms / 1000).toFixed(1);

function dropCaches() {
  execFileSync('sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}

try {
  const bytes = await fill();
  process.stdout.write(`${COUNT} incidents, incident.json of ${(bytes / 1024).toFixed(0)} KiB each\n`);
  const first = timed(verb('list'));
  process.stdout.write(
    `first list, without an index: ${seconds(first.wall)} s, ${seconds(first.cpu)} s of CPU\n`,
  );
  const rows = Object.entries(ROWS).map(([name, command]) => {
    const warm = Array.from({ length: ROUNDS }, () => timed(command));
    if (process.getuid() === 0) dropCaches();
    const cold = process.getuid() === 0 ? timed(command).wall : NaN;
    return {
      name,
      wall: middle(warm.map(({ wall }) => wall)),
      cpu: middle(warm.map(({ cpu }) => cpu)),
      cold,
    };
  });
  const [node, ls] = rows;
  process.stdout.write(`${'ms'.padEnd(38)}    warm    cold     CPU  - start  times ls\n`);
  for (const { name, wall, cpu, cold } of rows) {
    const numbers = [wall, cold, cpu, cpu - node.cpu].map((ms) => ms.toFixed(0).padStart(6)).join('  ');
    process.stdout.write(`${name.padEnd(38)}  ${numbers}  ${(wall / ls.wall).toFixed(1).padStart(8)}\n`);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
