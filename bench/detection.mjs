/**
 * hung_task, at its default of 120 s, and wedgewatch side by side on the same wedges of the same real guests. Needs
 * `npm run build`, and Debian on x86-64 as the demo does. All kinds of a round run under one daemon; they are wedged one
 * after the other, and hung_task is then given 4 min: it reports 120 to 240 s after a task blocks.
 *   node bench/detection.mjs [ROUNDS] [KIND,…] [SECONDS]     5 rounds of every kind by default
 */
/* global performance */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { parseConfig } from '../dist/core/config/parse-config.js';
import { complaintIn } from '../dist/core/console/complaints.js';
import { Daemon } from '../dist/daemon/daemon.js';
import { ProcessMemoryReader } from '../dist/daemon/process-memory-reader.js';
import { buildGuest, guestCache } from '../dist/guest/build.js';
import { startGuest } from '../dist/guest/start.js';
import { wedgeRecipe } from '../dist/guest/wedges.js';
import { incidentsIn } from '../dist/io/archive/directory.js';
import { runtimeDirectory } from '../dist/io/paths.js';
import { inGuest, makeDisk, mountDisk } from './real-guests.mjs';

const stopStore = (guest) => guest.wedge();
const freeze = (guest) => inGuest(guest, 'fsfreeze --freeze /mnt/disk');
/** As sshd does with lastlog: each login is written to the disk first. */
const recordLogins = `${mountDisk}
printf '#!/bin/sh\\ntouch /mnt/disk/login\\nexec /bin/serve-ssh /bin/dropbear\\n' >/tmp/serve
chmod +x /tmp/serve; killall nc
nc -ll -p 22 -e /tmp/serve >/dev/null 2>&1 </dev/null &`;
const hog = 'echo -1 >/proc/sys/kernel/sched_rt_runtime_us; (sleep 1; hog) >/dev/null 2>&1 </dev/null &';

const KINDS = {
  job: { mode: 'job', wedge: stopStore, what: 'page-in on a dead virtiofs, in D (killable)' },
  exec: { mode: 'exec', wedge: stopStore, what: 'exec on a dead virtiofs, in S' },
  quiet: { mode: 'job quiet', wedge: stopStore, what: 'page-in, booted with `quiet`' },
  login: { mode: 'none', prepare: recordLogins, wedge: freeze, what: 'login on a frozen ext4, in D' },
  realtime: { mode: 'none', wedge: (guest) => inGuest(guest, hog), what: 'every CPU in a real-time loop' },
  complaint: {
    mode: 'none',
    timeoutSeconds: 10,
    prepare: mountDisk,
    wedge: (guest) => inGuest(guest, 'fsfreeze --freeze /mnt/disk; touch /mnt/disk/file >/dev/null 2>&1 &'),
    what: 'SSH answers; hung_task after 10 s, and from its line on',
  },
};
const rounds = Number(process.argv[2] ?? 5);
const kinds = (process.argv[3] ?? Object.keys(KINDS).join(',')).split(',');
const patienceMs = Number(process.argv[4] ?? 240) * 1000;
const BOOT_MS = 120_000;
const ARCHIVE_MS = 60_000;
const now = () => performance.now();
const vmOf = (kind) => `detection-${kind}`;

async function until(ask, limitMs) {
  for (const end = now() + limitMs; now() < end; await delay(50)) {
    const answer = ask();
    if (answer) return answer;
  }
  return null;
}

function startDaemon(guests, scratch, onFiled) {
  const configFile = join(scratch, 'ssh_config');
  writeFileSync(configFile, guests.map((guest) => readFileSync(guest.sshConfigFile, 'utf8')).join(''));
  const parsed = parseConfig(
    JSON.stringify({
      ssh: { configFile },
      discover: { enabled: false, directory: guests[0].qmpDirectory },
      guests: guests.map((guest) => ({
        name: guest.vm,
        ...(guest.unit && { unit: guest.unit }),
        qmp: guest.qmpSocket,
        console: guest.console,
        ssh: guest.sshHost,
      })),
    }),
    'bench',
  );
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { config } = parsed;
  const state = join(scratch, 'state');
  const reader = new ProcessMemoryReader();
  return new Daemon({ config, state, runtime: runtimeDirectory(), log: () => undefined, onFiled, reader });
}

/** Milliseconds from the wedge to the archive and to hung_task's first line; null where it did not come. */
async function wedgeOne({ kind, guest, daemon, filed, incidents }) {
  const run = { kind, at: now(), stacks: new Map(), archived: null, line: null };
  const reported = () =>
    daemon.guests.get(guest.vm)?.state.console.tail.some((line) => complaintIn(line)?.kind === 'hung_task');
  run.watch = () => {
    run.archived ??= filed.get(guest.vm) ?? null;
    if (run.line === null && reported()) run.line = now();
    if (run.archived === null) noteStacks(run.stacks, incidents);
  };
  await KINDS[kind].wedge(guest);
  await until(() => (run.watch(), run.archived), ARCHIVE_MS);
  return run;
}

/** When the memory of each incident that is being written was first on disk, by the beginning of its name. */
function noteStacks(stacks, incidents) {
  for (const name of existsSync(incidents) ? readdirSync(incidents) : []) {
    const id = name.split('.').slice(0, 3).join('.');
    if (!stacks.has(id) && existsSync(join(incidents, name, 'memory.txt'))) stacks.set(id, now());
  }
}

/** Seconds from the wedge until all stacks, as memory shows them, were on disk; the keys came later. */
function stacksAfter({ stacks, archived }, from) {
  const at = archived && stacks.get(basename(archived.directory));
  return at && from ? (at - from) / 1000 : null;
}

function outcome(run) {
  const { kind, at, archived, line } = run;
  const from = kind === 'complaint' ? line : at;
  const incident = archived && JSON.parse(readFileSync(join(archived.directory, 'incident.json'), 'utf8'));
  return {
    stacks: stacksAfter(run, from),
    archive: archived && from && (archived.at - from) / 1000,
    line: line && (line - at) / 1000,
    whole: incident?.evidence.complete === true,
    class: incident?.verdict.class ?? 'not caught',
    title: incident?.verdict.title,
  };
}

async function round(image) {
  const scratch = mkdtempSync(join(tmpdir(), 'wedgewatch-detection-'));
  const guests = new Map();
  const filed = new Map();
  let daemon;
  try {
    for (const kind of kinds) {
      const { mode, timeoutSeconds = 120 } = KINDS[kind];
      const append = `loglevel=7 wedge.mode=${mode} sysctl.kernel.hung_task_timeout_secs=${timeoutSeconds}`;
      const extra = makeDisk(join(scratch, kind));
      guests.set(kind, await startGuest({ vm: vmOf(kind), image, append, extra }));
    }
    daemon = startDaemon([...guests.values()], scratch, ({ vm }, { directory }) => {
      if (directory && !filed.has(vm)) filed.set(vm, { directory, at: now() });
    });
    await daemon.start();
    const runs = [];
    for (const [kind, guest] of guests) {
      const up = () => daemon.guests.get(guest.vm)?.state.name === 'up';
      if (!(await until(up, BOOT_MS))) throw new Error(`${guest.vm} did not come up`);
      if (KINDS[kind].prepare) await inGuest(guest, KINDS[kind].prepare);
    }
    await delay(6_000);
    for (const [kind, guest] of guests)
      runs.push(
        await wedgeOne({ kind, guest, daemon, filed, incidents: incidentsIn(join(scratch, 'state')) }),
      );
    const all = () => (runs.forEach((run) => run.watch()), runs.every((run) => run.line && run.archived));
    await until(all, Math.max(0, runs.at(-1).at + patienceMs - now()));
    return runs.map((run) => [run.kind, outcome(run)]);
  } finally {
    await daemon?.stop();
    for (const guest of guests.values()) await guest.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

const spread = (values) => {
  const sorted = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  if (sorted.length === 0) return 'never';
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1);
  const missing = sorted.length < values.length ? ` (${values.length - sorted.length} never)` : '';
  return `${at(0)} / ${at(0.5)} / ${at(0.95)}${missing}`;
};

const image = await buildGuest(guestCache(), { log: () => undefined }, await wedgeRecipe());
const results = new Map(kinds.map((kind) => [kind, []]));
for (let number = 1; number <= rounds; number += 1) {
  for (const [kind, run] of await round(image)) {
    results.get(kind).push(run);
    process.stderr.write(`${number} ${kind} ${JSON.stringify(run)}\n`);
  }
}
process.stdout.write(
  'wedge | to stacks on disk, s: min / median / p95 | to the incident, s | first hung_task line, s | whole | class\n',
);
for (const [kind, runs] of results) {
  const whole = runs.filter((run) => run.whole).length;
  const classes = [...new Set(runs.map((run) => run.class))].join(', ');
  const [stacks, archive, line] = ['stacks', 'archive', 'line'].map((what) =>
    spread(runs.map((run) => run[what])),
  );
  process.stdout.write(
    `${KINDS[kind].what} | ${stacks} | ${archive} | ${line} | ${whole} of ${rounds} | ${classes}\n`,
  );
}
