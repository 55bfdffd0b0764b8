/**
 * What 200 idle guests cost, ssh and all other children included: a daemon of its own over a console that says nothing
 * more, a server that greets for each guest, and logins into one real guest behind them all. That guest's memory is also
 * the memory of them all: each has a process that is called QEMU and holds it open. Needs `npm run build`.
 *   node bench/idle.mjs [GUESTS] [SECONDS] [on|off]      200 and 220 s by default, after 160 s for the beginning; memory on
 */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { buildGuest, guestCache } from '../dist/guest/build.js';
import { startGuest } from '../dist/guest/start.js';
import { findQemu } from '../dist/io/qemu-process.js';
import { qmp } from './real-guests.mjs';
import { entryOf, serveQmp } from './scripted-guest.mjs';

/* global AbortSignal, URL, clearTimeout, setTimeout */
const count = Number(process.argv[2] ?? 200);
const seconds = Number(process.argv[3] ?? 220);
const memory = process.argv[4] ?? 'on';
const BEGINNING_MS = 160_000;
const main = new URL('../dist/cli/main.js', import.meta.url).pathname;
const place = mkdtempSync(join(tmpdir(), 'wedgewatch-idle-'));
const names = Array.from({ length: count }, (_, n) => `lab${n}`);

/** Greets who waits for that, as the frequent probe does; whoever speaks first wants in, and is led to the guest. */
function greeter(port) {
  let logins = 0;
  const server = createServer((client) => {
    client.on('error', () => undefined);
    const timer = setTimeout(() => client.write('SSH-2.0-bench\r\n'), 20);
    client.once('data', (data) => {
      clearTimeout(timer);
      if (data.toString('latin1').startsWith('SSH-2.0-wedgewatch')) return;
      logins += 1;
      const guest = connect(port, '127.0.0.1').on('error', () => client.destroy());
      guest.write(data);
      guest.pipe(client).pipe(guest);
    });
  });
  return { server, logins: () => logins };
}

/** Milliseconds of CPU of a process, of its children that have ended, and of those that run. */
function cpuMs(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
  } catch {
    return 0;
  }
}

const childrenOf = (pid) =>
  readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').slice(0, -1),
  );

function usage(pid) {
  const all = [pid, ...childrenOf(pid)];
  const sum = (one) => all.reduce((total, each) => total + one(each), 0);
  return { cpuMs: sum(cpuMs), residentMb: sum(residentMb), readMb: sum(readMb) };
}

/** What the reader of memory has read, so far. */
function readMb(pid) {
  try {
    if (!readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('memory-process')) return 0;
    return Number(/^rchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? 0) / 1e6;
  } catch {
    return 0;
  }
}

function residentMb(pid) {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}

const monitor = async (guest, line) =>
  (await qmp(guest, 'human-monitor-command', { 'command-line': line })).return;

/** A process for each guest, with QEMU's name and arguments, that holds the real guest's memory; and what QMP says of it. */
async function share(guest) {
  const { pid } = await findQemu({ qmpSocket: guest.qmpSocket, pid: null }, AbortSignal.timeout(10_000));
  const number = readdirSync(`/proc/${pid}/fd`).find((one) => {
    return readlinkSync(`/proc/${pid}/fd/${one}`).startsWith('/memfd:memory-backend-memfd');
  });
  const fd = openSync(`/proc/${pid}/fd/${number}`, 'r');
  const processes = names.map((name) => {
    const backend = 'memory-backend-memfd,id=mem,size=384M,share=on';
    const args = ['-M', 'q35', '-m', '384M', '-object', backend, '-qmp', `unix:${join(place, 'qmp', name)}`];
    const stdio = ['pipe', 'ignore', 'ignore', fd];
    return spawn('/bin/sh', ['-c', 'read -r _', ...args], { argv0: 'qemu-system-x86_64', stdio });
  });
  const told = {};
  for (const line of ['info mtree -f', 'info registers -a']) told[line] = await monitor(guest, line);
  return { processes, monitor: (line) => told[line] ?? '' };
}

function arrange(guest, port) {
  for (const directory of ['bin', 'wedgewatch', 'qmp']) mkdirSync(join(place, directory));
  const journal = join(place, 'entries');
  writeFileSync(
    journal,
    names
      .flatMap((name, n) =>
        ['Linux version 6.1.0', 'Started SSH server.'].map((line, k) =>
          entryOf(2 * n + k, `${name}.service`, line),
        ),
      )
      .join(''),
  );
  // What waits for entries as journalctl does, at no cost.
  writeFileSync(join(place, 'bin/journalctl'), '#!/bin/sh\nexec tail -n +1 -f "$FAKE_JOURNAL"\n');
  chmodSync(join(place, 'bin/journalctl'), 0o755);
  const login = readFileSync(guest.sshConfigFile, 'utf8')
    .split('\n')
    .slice(1)
    .filter((line) => !line.includes('Port '));
  writeFileSync(join(place, 'ssh_config'), `Host lab*\n  Port ${port}\n${login.join('\n')}\n`);
  writeFileSync(
    join(place, 'wedgewatch/config.yaml'),
    JSON.stringify({
      discover: { enabled: false },
      arm: 'off',
      memory,
      ssh: { configFile: join(place, 'ssh_config') },
      guests: names.map((name) => ({
        name,
        unit: `${name}.service`,
        qmp: join(place, 'qmp', name),
        ssh: name,
      })),
    }),
  );
  return journal;
}

const image = await buildGuest(guestCache(), { log: () => undefined });
const guest = await startGuest({ vm: 'wedgewatch-idle', image, append: 'wedge.mode=none quiet' });
const { server, logins } = greeter(guest.sshPort);
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const journal = arrange(guest, server.address().port);
const { processes, monitor: monitorOf } = await share(guest);
const sockets = names.map((name) =>
  serveQmp(join(place, 'qmp', name), { press: () => undefined, monitor: monitorOf }),
);
const unit = readFileSync(new URL('../systemd/wedgewatch.service', import.meta.url), 'utf8');
const daemon = spawn(process.execPath, [main, 'run'], {
  stdio: ['ignore', 'ignore', 'inherit'],
  env: {
    ...process.env,
    ...{ XDG_RUNTIME_DIR: place, XDG_STATE_HOME: place, XDG_CONFIG_HOME: place, FAKE_JOURNAL: journal },
    PATH: `${join(place, 'bin')}:${process.env.PATH}`,
    NODE_OPTIONS: /NODE_OPTIONS=([^"\n]*)/.exec(unit)[1],
    STATE_DIRECTORY: '',
    NOTIFY_SOCKET: '',
  },
});
try {
  await delay(BEGINNING_MS);
  const [before, loginsBefore] = [usage(daemon.pid), logins()];
  let peak = 0;
  for (let n = 0; n < seconds; n += 1) {
    await delay(1_000);
    peak = Math.max(peak, usage(daemon.pid).residentMb);
  }
  const after = usage(daemon.pid);
  const percent = (after.cpuMs - before.cpuMs) / (10 * seconds);
  const read = (after.readMb - before.readMb) / seconds;
  process.stdout.write(
    `${count} idle guests for ${seconds} s, memory ${memory}: ${percent.toFixed(1)} % of one core (budget 5), ${peak.toFixed(0)} MB at most with children (budget 250), ${logins() - loginsBefore} logins, ${read.toFixed(1)} MB/s of memory read\n`,
  );
} finally {
  daemon.kill('SIGTERM');
  for (const one of processes) one.kill('SIGKILL');
  sockets.forEach((socket) => socket.close());
  server.close();
  await guest.stop();
  rmSync(place, { recursive: true, force: true });
}
process.exit(0);
