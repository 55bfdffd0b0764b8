/** Loaded into a daemon with --import: notes in a file how long its longest turn was, and what it cost. */
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { setInterval } from 'node:timers';

/* global performance */
/** The start of a process loads and compiles: no turn of the daemon's. */
const STARTED_MS = 5_000;
const EVERY_MS = 5;
const cpuMs = () => (process.cpuUsage().user + process.cpuUsage().system) / 1000;
let last = { at: performance.now(), cpu: cpuMs() };
let max = 0;
setInterval(() => {
  const now = { at: performance.now(), cpu: cpuMs() };
  // Of a late timer on a busy machine only what this process itself computed is its own.
  const late = Math.min(now.at - last.at - EVERY_MS, now.cpu - last.cpu);
  if (process.uptime() * 1000 > STARTED_MS) max = Math.max(max, late);
  last = now;
}, EVERY_MS).unref();
setInterval(() => {
  writeFileSync(process.env.WEDGEWATCH_LOOP_DELAY, JSON.stringify({ max, cpu: process.cpuUsage() }));
}, 500).unref();
