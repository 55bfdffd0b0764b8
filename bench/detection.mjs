/**
 * hung_task, at its default of 120 s, and wedgewatch side by side on the same wedge of the same real guest. Needs
 * `npm run build`. Each wedge takes as long as hung_task is given, 4 min: it may report 120 to 240 s after a task blocks.
 *   node bench/detection.mjs [ROUNDS] [KIND,…] [SECONDS]     5 of each kind by default; kinds: job, exec, quiet
 */
/* global performance */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { parseConfig } from '../dist/core/config/parse.js';
import { complaintIn } from '../dist/core/console/complaints.js';
import { Daemon } from '../dist/daemon/daemon.js';
import { buildGuest, guestCache } from '../dist/guest/build.js';
import { startGuest } from '../dist/guest/start.js';
import { runtimeDirectory } from '../dist/io/places.js';

const KINDS = {
  job: { append: 'wedge.mode=job', what: 'page-in on a dead virtiofs, in D (killable)' },
  exec: { append: 'wedge.mode=exec', what: 'exec on a dead virtiofs, in S' },
  quiet: { append: 'wedge.mode=job quiet', what: 'page-in, booted with quiet' },
};
const rounds = Number(process.argv[2] ?? 5);
const kinds = (process.argv[3] ?? Object.keys(KINDS).join(',')).split(',');
const patienceMs = Number(process.argv[4] ?? 240) * 1000;
const BOOT_MS = 120_000;
const now = () => performance.now();

async function until(ask, limitMs) {
  for (const end = now() + limitMs; now() < end; await delay(100)) {
    const answer = ask();
    if (answer) return answer;
  }
  return null;
}

/** Seconds to the archive and to hung_task's first line; null where it did not come. */
async function wedge(kind, image) {
  const state = mkdtempSync(join(tmpdir(), 'wedgewatch-detection-'));
  const vm = 'wedgewatch-detection';
  const guest = await startGuest({ vm, image, append: `${KINDS[kind].append} hung_task_timeout_secs=120` });
  let archived = null;
  let hungTask = null;
  const { config } = parseConfig(
    JSON.stringify({
      ssh: { configFile: guest.sshConfigFile },
      discover: { enabled: false, directory: guest.qmpDirectory },
      guests: [
        { name: vm, ...(guest.unit && { unit: guest.unit }), console: guest.console, ssh: guest.sshHost },
      ],
    }),
    'bench',
  );
  const daemon = new Daemon({
    config,
    state,
    runtime: runtimeDirectory(),
    only: vm,
    log: () => undefined,
    onFiled: (_guest, directory) => (archived ??= directory && { directory, at: now() }),
  });
  try {
    await daemon.start();
    const watched = () => daemon.guests.get(vm);
    if (!(await until(() => watched()?.state.name === 'up', BOOT_MS)))
      throw new Error('the guest did not come up');
    await delay(6_000);
    const at = now();
    guest.wedge();
    const reported = () =>
      watched()?.state.console.tail.some((line) => complaintIn(line)?.kind === 'hung_task');
    await until(() => {
      if (hungTask === null && reported()) hungTask = now();
      return archived !== null && hungTask !== null;
    }, patienceMs);
    const seconds = (moment) => (moment === null ? null : (moment - at) / 1000);
    const verdict = archived && JSON.parse(readFileSync(join(archived.directory, 'incident.json'), 'utf8'));
    return {
      archive: seconds(archived?.at ?? null),
      hungTask: seconds(hungTask),
      whole: verdict?.evidence.complete === true,
      class: verdict?.verdict.class ?? 'not caught',
    };
  } finally {
    await daemon.stop();
    guest.unwedge();
    await guest.stop();
    rmSync(state, { recursive: true, force: true });
  }
}

const spread = (values) => {
  const sorted = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  if (sorted.length === 0) return 'never';
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1);
  const missing = sorted.length < values.length ? ` (${values.length - sorted.length} never)` : '';
  return `${at(0)} / ${at(0.5)} / ${at(0.95)}${missing}`;
};

const image = await buildGuest(guestCache(), { log: () => undefined });
process.stdout.write(
  'wedge | wedge to archived stacks, s: min / median / p95 | first hung_task line, s | whole | class\n',
);
for (const kind of kinds) {
  const runs = [];
  for (let round = 0; round < rounds; round += 1) runs.push(await wedge(kind, image));
  const whole = runs.filter((run) => run.whole).length;
  const classes = [...new Set(runs.map((run) => run.class))].join(', ');
  process.stdout.write(
    `${KINDS[kind].what} | ${spread(runs.map((run) => run.archive))} | ${spread(runs.map((run) => run.hungTask))} within ${patienceMs / 1000} s | ${whole} of ${rounds} | ${classes}\n`,
  );
}
