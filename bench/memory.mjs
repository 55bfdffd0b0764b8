/**
 * What reading a guest's memory costs: finding its kernel, the first snapshot, warm ones with their dump, text and log,
 * a sample, and a second guest of the same build. Needs `npm run build`, and images of guests (`dump-guest-memory`,
 * `virsh dump --memory-only`): read from disk they cost what a running guest's memfd does, and stay the same.
 *   node bench/memory.mjs IMAGE…
 */
/* global performance */
import { basename } from 'node:path';
import process from 'node:process';
import { createBuilds } from '../dist/core/memory/builds.js';
import { KnownGuest } from '../dist/core/memory/known-guest.js';
import { readLog } from '../dist/core/memory/printk.js';
import { takeSnapshot } from '../dist/core/memory/snapshot.js';
import { openImage } from '../dist/io/memory/elf-file.js';

const RUNS = 20;
const STANDING_S = 60;

/** What the work returns, and its CPU and wall time in milliseconds. */
function timed(work) {
  const from = [process.cpuUsage(), performance.now()];
  const value = work();
  const { user, system } = process.cpuUsage(from[0]);
  return { value, cpu: (user + system) / 1000, wall: performance.now() - from[1] };
}

function medianOf(work) {
  const runs = Array.from({ length: RUNS }, () => timed(work));
  const middle = (name) => runs.map((run) => run[name]).sort((a, b) => a - b)[RUNS >> 1];
  return { cpu: middle('cpu'), wall: middle('wall') };
}

/** Counts what is read. */
function counted(ram) {
  const counter = { ranges: ram.ranges, calls: 0, bytes: 0 };
  counter.read = (gpa, into) => {
    counter.calls += 1;
    counter.bytes += into.length;
    return ram.read(gpa, into);
  };
  return counter;
}

const ms = ({ cpu, wall }) => `${cpu.toFixed(1)} / ${wall.toFixed(1)}`;

const heads = [
  'image',
  'tasks',
  'open',
  'first',
  'stacks, warm',
  'all, warm',
  'of it the log',
  'reads',
  'sample',
  'next guest',
  'RSS',
];
process.stdout.write(`ms of CPU / of wall time\n${heads.join(' | ')}\n`);
for (const path of process.argv.slice(2)) {
  const image = openImage(path);
  if (!image.ok) throw new Error(`${path}: ${image.why}`);
  const { registers } = image;
  const [ram, builds] = [counted(image.ram), createBuilds()];
  const guest = new KnownGuest(ram, builds);
  const open = timed(() => guest.kernelNow(registers, 0));
  if (typeof open.value === 'string') throw new Error(`${path}: ${open.value}`);
  const first = timed(() => guest.snapshot(registers, 0));
  const stacks = medianOf(() => takeSnapshot(open.value, { registers }));
  const before = { ...ram };
  const whole = medianOf(() => guest.snapshot(registers, 0));
  const reads = `${Math.round((ram.calls - before.calls) / RUNS)} of ${((ram.bytes - before.bytes) / RUNS / 1e6).toFixed(1)} MB`;
  const log = medianOf(() => readLog(open.value));
  const sample = medianOf(() => guest.sample([], 0, STANDING_S));
  const next = timed(() => new KnownGuest(image.ram, builds).kernelNow(registers, 0));
  const rss = `${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`;
  const row = [
    basename(path),
    first.value.dump.tasks.length,
    ms(open),
    ms(first),
    ms(stacks),
    ms(whole),
    ms(log),
    reads,
  ];
  process.stdout.write(`${[...row, ms(sample), ms(next), rss].join(' | ')}\n`);
}
