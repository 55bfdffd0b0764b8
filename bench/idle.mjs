/**
 * What 200 idle guests cost, ssh and all other children included: a daemon of its own over a console that says nothing
 * more, a server that greets for each guest, and logins into one real guest behind them all. Needs `npm run build`.
 *   node bench/idle.mjs [GUESTS] [SECONDS]      200 and 220 by default, after 80 s for the beginning
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { buildGuest, guestCache } from '../dist/guest/build.js';
import { startGuest } from '../dist/guest/start.js';
import { entryOf, serveQmp } from './scripted-guest.mjs';

/* global URL, clearTimeout, setTimeout */
const count = Number(process.argv[2] ?? 200);
const seconds = Number(process.argv[3] ?? 220);
const BEGINNING_MS = 80_000;
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

/** Milliseconds of CPU of a process and of its children that have ended; pages of its children that run. */
function usage(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const cpuMs = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    const text = readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ');
  });
  return { cpuMs, residentMb: [pid, ...children].reduce((sum, one) => sum + residentMb(one), 0) };
}

function residentMb(pid) {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
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
const sockets = names.map((name) => serveQmp(join(place, 'qmp', name), { press: () => undefined }));
const daemon = spawn(process.execPath, [main, 'run'], {
  stdio: ['ignore', 'ignore', 'inherit'],
  env: {
    ...process.env,
    ...{ XDG_RUNTIME_DIR: place, XDG_STATE_HOME: place, XDG_CONFIG_HOME: place, FAKE_JOURNAL: journal },
    PATH: `${join(place, 'bin')}:${process.env.PATH}`,
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
  const share = (usage(daemon.pid).cpuMs - before.cpuMs) / (10 * seconds);
  process.stdout.write(
    `${count} idle guests for ${seconds} s: ${share.toFixed(1)} % of one core (budget 5), ${peak.toFixed(0)} MB at most with children (budget 200), ${logins() - loginsBefore} logins\n`,
  );
} finally {
  daemon.kill('SIGTERM');
  sockets.forEach((socket) => socket.close());
  server.close();
  await guest.stop();
  rmSync(place, { recursive: true, force: true });
}
process.exit(0);
