/** Loaded into a daemon with --import: notes in a file how late its event loop was at most, in milliseconds. */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { setInterval } from 'node:timers';

/** The start of a process loads and compiles: no turn of the daemon's. */
const STARTED_MS = 5_000;
const RESOLUTION = 5;
const delay = monitorEventLoopDelay({ resolution: RESOLUTION });
delay.enable();
setInterval(() => {
  const late = (ns) => Math.max(0, ns / 1e6 - RESOLUTION);
  if (process.uptime() * 1000 < STARTED_MS) delay.reset();
  else
    writeFileSync(
      process.env.WEDGEWATCH_LOOP_DELAY,
      JSON.stringify({ max: late(delay.max), p99: late(delay.percentile(99)), cpu: process.cpuUsage() }),
    );
}, 500).unref();
