/**
 * 200 guests under one daemon, of which one floods its console with long lines, one with lines of one byte, and one
 * wedges: from its wedge to its archive, beside the same host without the floods; the daemon's memory; and whether
 * anybody else is accused. Consoles are files, QMP and SSH are scripted; nobody logs in. Needs `npm run build`.
 *   node bench/crowd.mjs [GUESTS] [ROUNDS] [SECONDS]      200, 2, and floods for 40 s before the wedge by default
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { ScriptedGuest, serveQmp } from './scripted-guest.mjs';

/* global URL, performance */
const count = Number(process.argv[2] ?? 200);
const rounds = Number(process.argv[3] ?? 2);
const seconds = Number(process.argv[4] ?? 40);
const DEADLINE_MS = 120_000;
const main = new URL('../dist/cli/main.js', import.meta.url).pathname;
const flood = new URL('./flood.mjs', import.meta.url).pathname;
/** MB a second, and bytes a line with its newline. */
const FLOODS = { long: [100, 4096], short: [1, 2] };
const names = ['lab', ...Object.keys(FLOODS)];
for (let n = 0; names.length < count; n += 1) names.push(`idle${n}`);

function greeter() {
  const server = createServer((client) => {
    client.on('error', () => undefined);
    client.write('SSH-2.0-bench\r\n');
  });
  return { server, silence: () => server.removeAllListeners('connection') };
}

const listening = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));

function status(place) {
  return new Promise((resolve) => {
    const socketPath = join(place, 'wedgewatch/control.sock');
    request({ socketPath, path: '/status' }, (answer) => {
      let body = '';
      answer.on('data', (data) => (body += String(data))).on('end', () => resolve(JSON.parse(body)));
    })
      .on('error', () => resolve(null))
      .end();
  });
}

function configure(place, ports) {
  const hosts = names.map(
    (name) => `Host ${name}\n  HostName 127.0.0.1\n  Port ${name === 'lab' ? ports[0] : ports[1]}\n`,
  );
  writeFileSync(join(place, 'ssh_config'), hosts.join(''));
  const consoleOf = (name) => join(place, name === 'lab' ? 'console' : `${name}.console`);
  for (const name of names.slice(1))
    writeFileSync(
      consoleOf(name),
      '[    0.000000] Linux version 6.1.0\n[    9.000000] Started SSH server.\n',
    );
  const guests = names.map((name) => ({
    name,
    unit: `${name}.service`,
    qmp: join(place, `${name}.sock`),
    ssh: name,
    console: `file:${consoleOf(name)}`,
  }));
  const ssh = { configFile: join(place, 'ssh_config'), login: false };
  mkdirSync(join(place, 'wedgewatch'), { mode: 0o700 });
  writeFileSync(
    join(place, 'wedgewatch/config.yaml'),
    JSON.stringify({ discover: { enabled: false }, arm: 'off', ssh, guests }),
  );
  return consoleOf;
}

function startDaemon(place) {
  const log = openSync(join(place, 'log'), 'a');
  return spawn(process.execPath, [main, 'run'], {
    stdio: ['ignore', log, log],
    env: {
      ...process.env,
      ...{ XDG_RUNTIME_DIR: place, XDG_STATE_HOME: place, XDG_CONFIG_HOME: place },
      ...{ STATE_DIRECTORY: '', NOTIFY_SOCKET: '' },
    },
  });
}

/** Of the kernel's account of the process, in MB. */
const memory = (pid, field) =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) /
  1024;

function cpuMs(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
}

async function round(floods) {
  const place = mkdtempSync(join(tmpdir(), 'wedgewatch-crowd-'));
  const guest = new ScriptedGuest(place, 'file');
  const [victim, others] = [greeter(), greeter()];
  const consoleOf = configure(place, [await listening(victim.server), await listening(others.server)]);
  const sockets = names.map((name) =>
    serveQmp(join(place, `${name}.sock`), name === 'lab' ? guest : { press: () => undefined }),
  );
  const daemon = startDaemon(place);
  const children = [];
  const until = async (holds) => {
    for (const end = performance.now() + DEADLINE_MS; performance.now() < end; await delay(100)) {
      if (daemon.exitCode !== null) throw new Error(readFileSync(join(place, 'log'), 'utf8').slice(-2000));
      const guests = (await status(place))?.guests;
      if (guests !== undefined && holds(guests)) return;
    }
    throw new Error(
      `not within ${DEADLINE_MS / 1000} s: ${readFileSync(join(place, 'log'), 'utf8').slice(-2000)}`,
    );
  };
  try {
    await until((guests) => guests.length === count && guests.every(({ state }) => state === 'up'));
    if (floods)
      for (const [name, [mb, bytes]] of Object.entries(FLOODS))
        children.push(
          spawn(process.execPath, [flood, '--print', consoleOf(name), String(mb), String(bytes), '1']),
        );
    const [before, begun] = [cpuMs(daemon.pid), performance.now()];
    await delay(seconds * 1000);
    const at = performance.now();
    victim.silence();
    await until((guests) => guests.find(({ vm }) => vm === 'lab').incident !== null);
    const tookMs = performance.now() - at;
    const busy = (100 * (cpuMs(daemon.pid) - before)) / (performance.now() - begun);
    await delay(1_000);
    const filed = readdirSync(join(place, 'wedgewatch/incidents')).filter(
      (name) => !name.endsWith('.partial'),
    );
    return {
      tookMs,
      busy,
      peak: memory(daemon.pid, 'VmHWM'),
      others: filed.filter((name) => !name.includes('.lab.')),
    };
  } finally {
    for (const child of children) child.kill('SIGKILL');
    daemon.kill('SIGKILL');
    guest.stop();
    for (const server of [...sockets, victim.server, others.server]) server.close();
    rmSync(place, { recursive: true, force: true });
  }
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const results = { quiet: [], flooded: [] };
for (let n = 0; n < rounds; n += 1)
  for (const kind of n % 2 === 0 ? ['quiet', 'flooded'] : ['flooded', 'quiet'])
    results[kind].push(await round(kind === 'flooded'));
for (const [kind, all] of Object.entries(results)) {
  const of = (key) => median(all.map((one) => one[key]));
  const accused = all.flatMap(({ others }) => others);
  process.stdout.write(
    `${kind}: wedge to archive ${(of('tookMs') / 1000).toFixed(1)} s, ${of('busy').toFixed(0)} % of a core, at most ${Math.max(...all.map(({ peak }) => peak)).toFixed(0)} MB; others accused: ${accused.join(', ') || 'none'}\n`,
  );
}
const ratio =
  median(results.flooded.map(({ tookMs }) => tookMs)) / median(results.quiet.map(({ tookMs }) => tookMs));
process.stdout.write(
  `${count} guests: ${ratio.toFixed(2)} times as long beside 100 MB/s and 1 MB/s of one-byte lines (budget 1.5)\n`,
);
process.exit(0);
