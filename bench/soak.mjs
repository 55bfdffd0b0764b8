/**
 * Eight real guests that are well, each in its own way, under one daemon: that must accuse none of them, and its memory,
 * descriptors and children must not grow. Needs `npm run build`, and Debian on x86-64 as the demo does.
 *   node bench/soak.mjs [MINUTES]      45 by default; ends with 1 if anything was filed or has grown
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { buildGuest, guestCache } from '../dist/guest/build.js';
import { startGuest } from '../dist/guest/start.js';
import { wedgeRecipe } from '../dist/guest/wedges.js';
import { inGuest, makeDisk, mountDisk, qmp } from './real-guests.mjs';

/* global URL, performance */
const minutes = Number(process.argv[2] ?? 45);
const SAMPLE_MS = 10_000;
const main = new URL('../dist/cli/main.js', import.meta.url).pathname;
const place = mkdtempSync(join(tmpdir(), 'wedgewatch-soak-'));
const stop = new globalThis.AbortController();
const say = (text) => process.stdout.write(`${(performance.now() / 60_000).toFixed(1)} min  ${text}\n`);

/** Does something again and again, until the end; a guest that is busy may refuse it. */
async function again(everyMs, act) {
  while (!stop.signal.aborted) {
    await delay(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
    if (!stop.signal.aborted) await act().catch((error) => say(String(error).split('\n')[0]));
  }
}

const background = (script) => `(${script}) >/dev/null 2>&1 </dev/null &`;
const ROLES = {
  idle: {},
  store: { mode: 'job' },
  chatty: {
    begin: (guest) =>
      inGuest(
        guest,
        background('n=0; while :; do n=$((n + 1)); echo "chat $n" >/dev/console; sleep 0.05; done'),
      ),
  },
  fsync: {
    disk: true,
    begin: (guest) =>
      inGuest(
        guest,
        `${mountDisk}; ${background('while :; do dd if=/dev/zero of=/mnt/disk/f bs=64k count=64 conv=fsync; sleep 1; done')}`,
      ),
  },
  compiling: {
    begin: (guest) =>
      inGuest(
        guest,
        background(
          'while :; do for n in 1 2; do timeout 10 sha256sum /dev/zero & done; wait; sleep 20; done',
        ),
      ),
  },
  bursts: {
    begin: (guest) =>
      inGuest(
        guest,
        background('while :; do dmesg >/dev/console; find /proc /sys >/dev/console; sleep 45; done'),
      ),
  },
  rebooting: { life: (guest) => again(150_000, () => inGuest(guest, 'reboot -f &', 10_000)) },
  pausing: {
    life: (guest) =>
      again(70_000, async () => {
        await qmp(guest, 'stop');
        await delay(25_000);
        await qmp(guest, 'cont');
      }),
  },
};

async function start(image, role) {
  const { mode = 'none', disk = false } = ROLES[role];
  const extra = disk ? makeDisk(join(place, `${role}.img`)) : [];
  return startGuest({ vm: `soak-${role}`, image, append: `wedge.mode=${mode}`, extra });
}

function startDaemon(guests) {
  for (const directory of ['wedgewatch', 'run']) mkdirSync(join(place, directory), { mode: 0o700 });
  const configFile = join(place, 'ssh_config');
  writeFileSync(configFile, guests.map((guest) => readFileSync(guest.sshConfigFile, 'utf8')).join(''));
  const entries = guests.map((guest) => ({
    name: guest.vm,
    ...(guest.unit && { unit: guest.unit }),
    qmp: guest.qmpSocket,
    console: guest.console,
    ssh: guest.sshHost,
  }));
  const config = { ssh: { configFile }, discover: { enabled: false }, guests: entries };
  writeFileSync(join(place, 'wedgewatch/config.yaml'), JSON.stringify(config));
  const daemon = spawn(process.execPath, [main, 'run'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      ...{ XDG_RUNTIME_DIR: join(place, 'run'), XDG_STATE_HOME: place, XDG_CONFIG_HOME: place },
      ...{ STATE_DIRECTORY: '', NOTIFY_SOCKET: '' },
    },
  });
  let log = '';
  daemon.stderr.setEncoding('utf8').on('data', (text) => (log += text));
  return { daemon, log: () => log };
}

function sample(pid) {
  const residentMb = Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const cpuMs = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
  const descriptors = readdirSync(`/proc/${pid}/fd`).length;
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean);
  return { residentMb, descriptors, children: children.length, cpuMs };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Beginning and end, each the median of a sixth of the samples; the first sixth is the daemon's own start. */
function growth(samples, key) {
  const sixth = Math.floor(samples.length / 6);
  const of = (from) => median(samples.slice(from, from + sixth).map((one) => one[key]));
  return {
    from: of(sixth),
    to: of(samples.length - sixth),
    most: Math.max(...samples.map((one) => one[key])),
  };
}

const incidents = () => {
  try {
    return readdirSync(join(place, 'wedgewatch/incidents'));
  } catch {
    return [];
  }
};

const image = await buildGuest(guestCache(), { log: () => undefined }, await wedgeRecipe());
const guests = [];
let failed;
try {
  for (const role of Object.keys(ROLES)) guests.push(await start(image, role));
  const { daemon, log } = startDaemon(guests);
  try {
    await delay(90_000);
    for (const [index, role] of Object.keys(ROLES).entries()) await ROLES[role].begin?.(guests[index]);
    const lives = Object.keys(ROLES).map((role, index) => ROLES[role].life?.(guests[index]));
    say('all guests live');
    const samples = [];
    for (const end = performance.now() + minutes * 60_000; performance.now() < end;) {
      await delay(SAMPLE_MS);
      if (daemon.exitCode !== null) throw new Error(`the daemon ended: ${log().slice(-2000)}`);
      samples.push(sample(daemon.pid));
    }
    stop.abort();
    await Promise.all(lives);
    const looks = (log().match(/: suspect: /g) ?? []).length;
    const boots = (log().match(/soak-rebooting: starting/g) ?? []).length;
    const pauses = (log().match(/soak-pausing: paused/g) ?? []).length;
    const cpu = (samples.at(-1).cpuMs - samples[0].cpuMs) / (samples.length - 1) / SAMPLE_MS;
    const rss = growth(samples, 'residentMb');
    const fds = growth(samples, 'descriptors');
    const children = growth(samples, 'children');
    const row = (name, { from, to, most }) =>
      `${name} ${from.toFixed(0)} to ${to.toFixed(0)}, at most ${most.toFixed(0)}`;
    process.stdout.write(
      [
        `8 guests for ${minutes} min: ${incidents().length} incidents, ${looks} suspicions, ${boots} boots, ${pauses} pauses`,
        row('MB', rss),
        row('descriptors', fds),
        row('children', children),
        `${(cpu * 100).toFixed(1)} % of one core, children included`,
        '',
      ].join('\n'),
    );
    failed =
      incidents().length > 0 ||
      rss.to > rss.from * 1.15 + 5 ||
      fds.to > fds.from + 4 ||
      children.to > children.from + 1;
    if (failed) process.stdout.write(log());
  } finally {
    stop.abort();
    daemon.kill('SIGTERM');
  }
} finally {
  for (const guest of guests) await guest.stop();
  rmSync(place, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
