/**
 * From the wedge to the archived stacks, beside hung_task at its default of 120 s, on real guests: units of a user on a
 * Debian 13, their consoles through its journal, wedgewatch as its unit with no configuration. Needs `npm run build` and root.
 * All kinds of a round are wedged one after the other; hung_task, which reports 120 to 240 s after a task blocks, is waited
 * for as long as SECONDS say, from the last wedge on.
 *   node bench/detection.mjs [ROUNDS] [KIND,…] [SECONDS] [DIRECTORY]     5 rounds of every kind, and 240 s, by default
 * The incidents are copied into DIRECTORY, where one is given.
 */
/* global performance */
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import stripAnsi from 'strip-ansi';
import { complaintIn } from '../dist/core/console/complaints.js';
import { buildGuest, guestCache } from '../dist/guest/build.js';
import { wedgeRecipe } from '../dist/guest/wedges.js';
import { makeDisk, mountDisk } from './real-guests.mjs';
import { buildModule, guests, shareScenes, user, watchdog, World } from './world.mjs';

const { guestUnit, inGuest, newVm, startGuest, stopGuest, waitForSsh } = guests;
const options = { log: () => undefined };

/** The server of the store is stopped; when, is told by the very shell that does it. */
const stopStore = async ({ vm }) => {
  const kill = `systemctl --user kill --signal=STOP virtiofsd@${vm}-store.service`;
  return (
    new Date(Number(await world.dev(['sh', '-c', `date +%s%3N; exec ${kill}`]))) - performance.timeOrigin
  );
};
const SOON_MS = 3_000;
/** A command in the guest, after a moment: the login that brings it there has ended by then. */
const soon =
  (command, afterMs = 0) =>
  async ({ vm }) => {
    const background = `(sleep ${SOON_MS / 1000}; ${command}) >/dev/null 2>&1 </dev/null &`;
    for (let tries = 1; ; tries += 1) {
      const at = await firstWord(['ssh', vm, `echo armed; ${background}`]);
      if (at !== null) return at + SOON_MS + afterMs;
      if (tries === 3) throw new Error(`${vm} was not told to wedge`);
    }
  };
/** When a command inside prints its first word; null if it ends without one. */
const firstWord = (command) =>
  new Promise((resolve, reject) => {
    const [file, ...args] = world.asDev(command);
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] }).once('error', reject);
    child.stdout.once('data', () => resolve(performance.now()));
    child.once('close', () => resolve(null));
  });
/** As sshd does with lastlog: each login is written to the disk first. */
const recordLogins = `${mountDisk}
printf '#!/bin/sh\\ntouch /mnt/disk/login\\nexec /bin/serve-ssh /bin/dropbear\\n' >/tmp/serve
chmod +x /tmp/serve; killall nc
nc -ll -p 22 -e /tmp/serve >/dev/null 2>&1 </dev/null &`;
/** As the demo's job: a shell whose own text is read from the store, again and again. */
const readStore = `/mnt/store/ash -c 'while :; do echo 1 >/proc/sys/vm/drop_caches; awk "BEGIN { print 1 }"
sort /proc/version; xxd /proc/version; sha256sum /proc/version; /bin/sleep 1; done' >/dev/null 2>&1 </dev/null &`;
const touch = 'fsfreeze --freeze /mnt/disk; touch /mnt/disk/file';

/** `loops`: it holds the CPUs for ever. */
const KINDS = {
  job: { mode: 'job', wedge: stopStore, what: 'page-in on a dead virtiofs, in D (killable)' },
  exec: { mode: 'exec', wedge: stopStore, what: 'exec on a dead virtiofs, in S' },
  login: {
    prepare: recordLogins,
    wedge: soon('fsfreeze --freeze /mnt/disk'),
    what: 'a login is recorded on a frozen ext4, in D',
  },
  realtime: {
    prepare: 'echo -1 >/proc/sys/kernel/sched_rt_runtime_us',
    wedge: soon('hog'),
    loops: true,
    what: 'every CPU in a real-time loop',
  },
  interrupts: {
    wedge: soon('insmod /wedges/abba_spin.ko', 1_000), // by then its threads take their locks
    loops: true,
    what: 'interrupts off on every CPU, in two spinlocks',
  },
  stalled: {
    prepare: readStore,
    wedge: stopStore,
    archiveMs: 150_000,
    what: 'SSH answers; a page-in on a dead virtiofs, in D',
  },
  complaint: {
    timeoutSeconds: 10,
    prepare: mountDisk,
    wedge: soon(touch),
    what: 'SSH answers; hung_task after 10 s, and from its line on',
  },
};
const rounds = Number(process.argv[2] ?? 5);
const kinds = (process.argv[3] ?? Object.keys(KINDS).join(',')).split(',');
const patienceMs = Number(process.argv[4] ?? 240) * 1000;
const keepIn = process.argv[5];
const ARCHIVE_MS = 90_000;
const BOOT_MS = 180_000;
const FIRST_PORT = 2600;
const now = () => performance.now();

async function until(ask, limitMs, everyMs = 25) {
  for (const end = now() + limitMs; now() < end; await delay(everyMs)) {
    const answer = await ask();
    if (answer) return answer;
  }
  return null;
}

/** When the kernel's hung_task spoke first, by the journal. */
function followHungTask(run) {
  const command = ['journalctl', `--user-unit=${guestUnit(run.vm)}`, '--follow', '--output=cat', '--all'];
  const [file, ...args] = world.asDev(command);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (complaintIn(stripAnsi(line))?.kind === 'hung_task') run.line ??= now();
  });
  return () => child.kill();
}

/** When the stacks of a guest, as memory shows them, were on disk first, and when its incident was filed. */
function watch(run) {
  for (const name of existsSync(incidents) ? readdirSync(incidents) : []) {
    if (name.split('.')[1] !== run.vm) continue;
    const id = name.split('.').slice(0, 3).join('.');
    const isFiled = name === id;
    if (!run.stacks.has(id) && existsSync(join(incidents, name, 'memory.txt'))) run.stacks.set(id, now());
    if (isFiled) run.archived ??= { id, at: now() };
  }
  return run.archived;
}

function outcome({ kind, at, stacks, archived, line, vm }) {
  const from = kind === 'complaint' ? line : at;
  const after = (moment) => (moment && from ? (moment - from) / 1000 : null);
  const directory = archived && join(incidents, archived.id);
  const incident = directory && JSON.parse(readFileSync(join(directory, 'incident.json'), 'utf8'));
  if (directory && keepIn) cpSync(directory, join(keepIn, archived.id), { recursive: true });
  return {
    suspect: incident && after(new Date(incident.startedAt) - performance.timeOrigin),
    stacks: after(archived && stacks.get(archived.id)),
    archive: after(archived?.at),
    line: line && (line - at) / 1000,
    whole: incident?.evidence.complete === true,
    class: incident?.verdict.class ?? 'not caught',
    title: incident?.verdict.title,
    vm,
  };
}

async function boot(kind, index) {
  const { mode = 'none', prepare, timeoutSeconds = 120 } = KINDS[kind];
  const run = { kind, vm: newVm(), stacks: new Map(), archived: null, line: null };
  const disk = `${run.vm}.ext4`;
  const extra = makeDisk(join(world.share, disk)).map((word) => word.replace(world.share, '/share'));
  chmodSync(join(world.share, disk), 0o666);
  const append = `loglevel=7 sysctl.kernel.hung_task_timeout_secs=${timeoutSeconds}`;
  await startGuest(world, { vm: run.vm, mode, port: FIRST_PORT + index, append, image, extra });
  await waitForSsh(world, run.vm, BOOT_MS);
  const prepared = () =>
    inGuest(world, run.vm, prepare, 30_000).then(
      () => true,
      () => null,
    );
  if (prepare && !(await until(prepared, BOOT_MS, 1_000))) throw new Error(`${run.vm} was not prepared`);
  const isUp = async () => (await watchdog.guestStatus(world, run.vm))?.state === 'up';
  if (!(await until(isUp, BOOT_MS, 1_000))) throw new Error(`${run.vm} did not come up`);
  return run;
}

async function round(number) {
  const runs = [];
  const ends = [];
  try {
    runs.push(...(await Promise.all(kinds.map((kind, index) => boot(kind, number * kinds.length + index)))));
    ends.push(...runs.map(followHungTask));
    await delay(20_000);
    process.stderr.write(`${number}: wedges\n`);
    for (const run of runs) {
      await delay(3_000 * Math.random()); // of the probes' pace
      run.at = await KINDS[run.kind].wedge(run);
      await until(() => watch(run), KINDS[run.kind].archiveMs ?? ARCHIVE_MS);
      process.stderr.write(`${number} ${run.kind} ${JSON.stringify(outcome(run))}\n`);
      if (!run.archived)
        process.stderr.write(JSON.stringify(await watchdog.guestStatus(world, run.vm)) + '\n');
      if (KINDS[run.kind].loops) await stopGuest(world, run.vm);
    }
    const waited = runs.filter(({ kind }) => !KINDS[kind].loops);
    const until240 = Math.max(...waited.map(({ at }) => at)) + patienceMs;
    await until(() => waited.every(({ line }) => line), Math.max(0, until240 - now()), 500);
    return runs.map((run) => ({ kind: run.kind, ...outcome(run) }));
  } finally {
    for (const end of ends) end();
    for (const { vm } of runs) await stopGuest(world, vm).catch(() => undefined);
  }
}

const spread = (values) => {
  const sorted = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  if (sorted.length === 0) return 'never';
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1);
  const missing = sorted.length < values.length ? ` (${values.length - sorted.length} never)` : '';
  return `${at(0.5)} / ${at(0.95)} / ${at(1)}${missing}`;
};

function printTable() {
  process.stdout.write(
    'wedge | to stacks on disk, s: p50 / p95 / max | to the incident, s | first hung_task line, s | whole | class\n',
  );
  for (const [kind, runs] of results) {
    const whole = runs.filter((run) => run.whole).length;
    const classes = [...new Set(runs.map((run) => run.class))].join(', ');
    const [stacks, archive, line] = ['stacks', 'archive', 'line'].map((what) =>
      spread(runs.map((run) => run[what])),
    );
    process.stdout.write(
      `${KINDS[kind].what} | ${stacks} | ${archive} | ${line} | ${whole} of ${runs.length} | ${classes}\n`,
    );
  }
}

const demo = await buildGuest(guestCache(), options, await wedgeRecipe());
const modules = { abba_spin: await buildModule('abba_spin', demo, guestCache(), options) };
const world = await World.up(demo);
const incidents = world.outside(join(user.home, '.local/state/wedgewatch/incidents'));
const results = new Map(kinds.map((kind) => [kind, []]));
/** What it has measured until then counts. */
const end = async () => {
  printTable();
  await world.down();
  process.exit(130);
};
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void end());
let image;
try {
  image = await shareScenes(demo, world.share, 'demo', modules);
  await watchdog.startWatchdog(world);
  for (let number = 1; number <= rounds; number += 1) {
    for (const run of await round(number)) results.get(run.kind).push(run);
  }
} finally {
  await world.down();
}
printTable();
