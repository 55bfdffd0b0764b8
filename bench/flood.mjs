/**
 * One guest that floods its console, and what that does to another: from its wedge to its archive with the flood beside
 * it and without, how much memory and CPU the daemon takes, and how late its event loop was. Needs `npm run build`.
 *   node bench/flood.mjs [MB/S] [ROUNDS] [BYTES]      100, 3, and lines of 4096 bytes by default
 *     --file          the consoles are files; else both come through one journalctl, which this stands in for
 *     --captured      the guest that floods is captured again and again
 *     --vary          no two lines of the flood in succession are equal
 *     --seconds=60    for so long before the other guest wedges; 15 by default
 *     --only          without the rounds beside no flood
 *     --json          a round a line, for programs
 *     --main=FILE     of another wedgewatch
 */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { entryOf, ScriptedGuest, serveQmp } from './scripted-guest.mjs';

/* global Buffer, URL, performance, setInterval */
const SLICE_MS = 10;
const DEADLINE_MS = 90_000;
const self = new URL(import.meta.url).pathname;
const loopDelay = new URL('loop-delay.mjs', import.meta.url).pathname;

/** Different lines of so many bytes each, newline included. */
function linesOf(bytes, vary) {
  const text = `a line of the flood ${'x'.repeat(bytes)}`.slice(0, bytes - 2);
  return Array.from({ length: 26 }, (_, n) => `${text}${String.fromCharCode(97 + (vary ? n : 0))}\n`);
}

/** Calls back with how many bytes are due, and notes how many were taken; a second of lateness is made up for. */
function paced(file, mbPerSecond, write) {
  const begun = performance.now();
  let flooded = 0;
  setInterval(() => {
    const due = ((performance.now() - begun) / 1000) * mbPerSecond * 1e6 - flooded;
    flooded += write(Math.min(due, mbPerSecond * 1e6));
    writeFileSync(`${file}.rate`, String(flooded / 1e3 / (performance.now() - begun)));
  }, SLICE_MS);
}

/** A guest that floods, with its console in a file. */
function print(file, mbPerSecond, bytes, vary) {
  const lines = linesOf(bytes, vary);
  const perSlice = Math.ceil((mbPerSecond * 1e6 * SLICE_MS) / 1000 / bytes);
  const slice = Buffer.from(Array.from({ length: perSlice }, (_, n) => lines[n % lines.length]).join(''));
  const fd = openSync(file, 'a');
  paced(file, mbPerSecond, (due) => {
    let written = 0;
    while (written < due) written += writeSync(fd, slice);
    return written;
  });
}

/** Stands in for journalctl: the lines of the victim as they come, between slices of the flood. */
function journalctl(file, mbPerSecond, bytes, vary) {
  const lines = linesOf(bytes, vary);
  const write = (data) => {
    for (let done = 0; done < data.length;) {
      try {
        done += writeSync(1, data, done);
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
      }
    }
  };
  const buffer = Buffer.alloc(1 << 20);
  let offset = 0;
  paced(file, mbPerSecond, (due) => {
    const fd = openSync(file, 'r');
    const length = readSync(fd, buffer, 0, buffer.length, offset);
    closeSync(fd);
    const end = buffer.toString('latin1', 0, length).lastIndexOf('\n\n') + 2;
    if (end > 1) write(buffer.subarray(0, end));
    offset += Math.max(0, end > 1 ? end : 0);
    const entries = lines.map((line) => Buffer.from(entryOf(offset, 'flood.service', line.trimEnd())));
    const count = Math.floor(due / bytes);
    write(Buffer.concat(Array.from({ length: count }, (_, n) => entries[n % entries.length])));
    return count * bytes;
  });
}

function greeter() {
  const open = new Set();
  const server = createServer((client) => {
    open.add(client.on('error', () => undefined).on('close', () => open.delete(client)));
    client.write('SSH-2.0-bench\r\n');
  });
  return { server, silence: () => server.removeAllListeners('connection') };
}

const listening = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));

function call(place, method, path) {
  return new Promise((resolve) => {
    const asked = request({ socketPath: join(place, 'wedgewatch/control.sock'), method, path }, (answer) => {
      let body = '';
      answer.on('data', (data) => (body += String(data))).on('end', () => resolve(JSON.parse(body)));
    });
    asked.on('error', () => resolve(null)).end();
  });
}

function configure(place, { file, ports }) {
  const hosts = ['lab', 'flood'].map((vm, n) => `Host ${vm}\n  HostName 127.0.0.1\n  Port ${ports[n]}\n`);
  writeFileSync(join(place, 'ssh_config'), hosts.join(''));
  const guests = ['lab', 'flood'].map((vm) => ({
    name: vm,
    unit: `${vm}.service`,
    qmp: join(place, `${vm}.sock`),
    ssh: vm,
    ...(file && { console: `file:${join(place, vm === 'lab' ? 'console' : 'flood')}` }),
  }));
  writeFileSync(
    join(place, 'wedgewatch/config.yaml'),
    JSON.stringify({
      discover: { enabled: false },
      arm: 'off',
      ssh: { configFile: join(place, 'ssh_config'), login: false },
      guests,
    }),
  );
}

function startDaemon(place, main) {
  return spawn(process.execPath, ['--import', loopDelay, main, 'run'], {
    stdio: ['ignore', openSync(join(place, 'log'), 'w'), openSync(join(place, 'log'), 'a')],
    env: {
      ...process.env,
      ...{ XDG_RUNTIME_DIR: place, XDG_STATE_HOME: place, XDG_CONFIG_HOME: place },
      PATH: `${join(place, 'bin')}:${process.env.PATH}`,
      STATE_DIRECTORY: '',
      NOTIFY_SOCKET: '',
      WEDGEWATCH_LOOP_DELAY: join(place, 'loop'),
    },
  });
}

/** Of the daemon: the longest turn of its loop, the most memory in MB, percent of a core. */
function measure(place, pid, forMs) {
  const { max, cpu } = JSON.parse(readFileSync(join(place, 'loop'), 'utf8'));
  const peak = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
  return { max, peak, busy: (cpu.user + cpu.system) / 10 / forMs };
}

/** Captures the guest that floods, one capture after the other; returns what was filed of it. */
function keepCapturing(place) {
  const ends = [];
  let over = false;
  void (async () => {
    while (!over) {
      const end = await call(place, 'POST', '/capture?vm=flood&keys=w');
      if (end !== null) ends.push(end);
      await delay(200);
    }
  })();
  return { ends, stop: () => (over = true) };
}

function answerTo(key) {
  const says = { h: 'HELP : loglevel(0-9) reboot(b)', w: 'Show Blocked State', t: 'Show State' };
  return `[  999.000000] sysrq: ${says[key] ?? `Loglevel set to ${key}`}\n`;
}

/** The commands of a round: a journalctl of its own, and a child that floods the file. */
function prepare(place, { guest, noisy, mbPerSecond, bytes, vary, file }) {
  for (const directory of ['bin', 'wedgewatch']) mkdirSync(join(place, directory));
  const flood = [
    file ? '--print' : '--journalctl',
    file ? noisy : guest.file,
    mbPerSecond,
    bytes,
    vary ? 1 : 0,
  ];
  const command = file ? 'exec sleep 1d' : `exec ${process.execPath} ${self} ${flood.join(' ')}`;
  writeFileSync(join(place, 'bin/journalctl'), `#!/bin/sh\n${command}\n`);
  chmodSync(join(place, 'bin/journalctl'), 0o755);
  if (file) writeFileSync(noisy, '');
  return () => (file && mbPerSecond > 0 ? [spawn(process.execPath, [self, ...flood.map(String)])] : []);
}

/** Milliseconds from the wedge to the archive, the most memory in MB, and the flood as it was taken in MB/s. */
async function round(mbPerSecond, options) {
  const { file, captured, seconds, main } = options;
  const place = mkdtempSync(join(tmpdir(), 'wedgewatch-flood-'));
  const guest = new ScriptedGuest(place, file ? 'file' : 'journal');
  const [victim, other] = [greeter(), greeter()];
  const ports = [await listening(victim.server), await listening(other.server)];
  const noisy = join(place, 'flood');
  const answer = (key) => {
    if (file) writeFileSync(noisy, answerTo(key), { flag: 'a' });
  };
  const servers = ['lab', 'flood'].map((vm) =>
    serveQmp(join(place, `${vm}.sock`), vm === 'lab' ? guest : { press: answer }),
  );
  const flood = prepare(place, { ...options, guest, noisy, mbPerSecond });
  configure(place, { file, ports });
  const daemon = startDaemon(place, main);
  let ended = false;
  daemon.once('exit', () => (ended = true));
  const children = [];
  const state = async (vm) => (await call(place, 'GET', '/status'))?.guests.find((one) => one.vm === vm);
  const until = async (vm, holds) => {
    for (const end = performance.now() + DEADLINE_MS; performance.now() < end; await delay(50)) {
      if (ended)
        throw new Error(`the daemon has ended: ${readFileSync(join(place, 'log'), 'utf8').slice(-2000)}`);
      const one = await state(vm);
      if (one !== undefined && holds(one)) return;
    }
    throw new Error(`not within ${DEADLINE_MS / 1000} s`);
  };
  let capturing = null;
  try {
    await until('lab', ({ state: name }) => name === 'up');
    await until('flood', ({ state: name }) => name === 'up');
    children.push(...flood());
    if (captured && mbPerSecond > 0) capturing = keepCapturing(place);
    await delay(seconds * 1000);
    const at = performance.now();
    victim.silence();
    await until('lab', ({ incident }) => incident !== null);
    const tookMs = performance.now() - at;
    await delay(600);
    const measured = measure(place, daemon.pid, seconds * 1000 + tookMs);
    const rate = mbPerSecond === 0 ? 0 : Number(readFileSync(`${file ? noisy : guest.file}.rate`, 'utf8'));
    const { catchingUp, reasons } = (await state('flood')) ?? {};
    const lab = await state('lab');
    return { tookMs, ...measured, rate, catchingUp, reasons, lab, captures: capturing?.ends ?? [] };
  } finally {
    capturing?.stop();
    for (const child of children) child.kill('SIGKILL');
    daemon.kill('SIGKILL');
    guest.stop();
    for (const server of [...servers, victim.server, other.server]) server.close();
    rmSync(place, { recursive: true, force: true });
  }
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === '--journalctl' || mode === '--print') {
  const [file, mb, bytes, vary] = rest;
  (mode === '--print' ? print : journalctl)(file, Number(mb), Number(bytes), vary === '1');
} else {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      ...{ file: { type: 'boolean' }, captured: { type: 'boolean' }, vary: { type: 'boolean' } },
      ...{ seconds: { type: 'string', default: '15' }, only: { type: 'boolean' }, json: { type: 'boolean' } },
      main: { type: 'string', default: new URL('../dist/cli/main.js', import.meta.url).pathname },
    },
  });
  const [mb = 100, rounds = 3, bytes = 4096] = positionals.map(Number);
  for (const rate of values.only ? [mb] : [0, mb]) {
    const runs = [];
    for (let n = 0; n < rounds; n += 1)
      runs.push(await round(rate, { ...values, bytes, seconds: Number(values.seconds) }));
    if (values.json) {
      for (const run of runs) process.stdout.write(`${JSON.stringify(run)}\n`);
      continue;
    }
    const each = (number) => runs.map(number).join(', ');
    process.stdout.write(
      `flood of ${rate} MB/s in lines of ${bytes} bytes, taken at ${each((run) => run.rate.toFixed(1))} MB/s: ` +
        `wedge of the other to its archive ${each(({ tookMs }) => (tookMs / 1000).toFixed(1))} s; ` +
        `daemon ${each(({ peak }) => peak.toFixed(0))} MB, ${each(({ busy }) => busy.toFixed(0))} % of a core, ` +
        `longest turn ${each(({ max }) => max.toFixed(0))} ms; ${each(({ captures }) => captures.length)} captures of it; ` +
        `${each(({ catchingUp, reasons }) => JSON.stringify([catchingUp, reasons]))}\n`,
    );
  }
  process.exit(0);
}
