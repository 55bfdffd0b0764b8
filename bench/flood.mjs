/**
 * One guest that floods its console, and what that does to another: from its wedge to its archive with the flood beside
 * it and without, and how much memory the daemon takes. Both consoles come through one journalctl, which this stands in
 * for. Needs `npm run build`.
 *   node bench/flood.mjs [MB/S] [ROUNDS] [BYTES]      100, 3, and lines of 4096 bytes by default
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
} from 'node:fs';
import { writeFileSync, writeSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { entryOf, ScriptedGuest, serveQmp } from './scripted-guest.mjs';

/* global Buffer, URL, performance, setInterval */
const SLICE_MS = 10;
const UP_MS = 15_000;
const DEADLINE_MS = 90_000;
const main = new URL('../dist/cli/main.js', import.meta.url).pathname;

/** Stands in for journalctl: the lines of the victim as they come, between slices of the flood. */
function journalctl(file, mbPerSecond, bytes) {
  const line = `a line of the flood ${'x'.repeat(bytes)}`.slice(0, bytes);
  const perSlice = Math.floor((mbPerSecond * 1e6 * SLICE_MS) / 1000 / bytes);
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
  let flooded = 0;
  const begun = performance.now();
  setInterval(() => {
    const fd = openSync(file, 'r');
    const length = readSync(fd, buffer, 0, buffer.length, offset);
    closeSync(fd);
    const end = buffer.toString('latin1', 0, length).lastIndexOf('\n\n') + 2;
    if (end > 1) write(buffer.subarray(0, end));
    offset += Math.max(0, end > 1 ? end : 0);
    const entry = Buffer.from(entryOf(offset + flooded, 'flood.service', line));
    write(Buffer.concat(Array.from({ length: perSlice }, () => entry)));
    flooded += perSlice * bytes;
    writeFileSync(`${file}.rate`, String(flooded / 1e3 / (performance.now() - begun)));
  }, SLICE_MS);
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

/** Milliseconds from the wedge to the archive, the most memory in MB, and the flood as it was taken in MB/s. */
async function round(mbPerSecond, bytes) {
  const place = mkdtempSync(join(tmpdir(), 'wedgewatch-flood-'));
  const guest = new ScriptedGuest(place, 'journal');
  const [victim, other] = [greeter(), greeter()];
  const ports = [await listening(victim.server), await listening(other.server)];
  const servers = ['lab', 'flood'].map((vm) =>
    serveQmp(join(place, `${vm}.sock`), vm === 'lab' ? guest : { press: () => undefined }),
  );
  for (const directory of ['bin', 'wedgewatch']) mkdirSync(join(place, directory));
  const self = new URL(import.meta.url).pathname;
  const command = `exec ${process.execPath} ${self} --journalctl ${guest.file} ${mbPerSecond} ${bytes}`;
  writeFileSync(join(place, 'bin/journalctl'), `#!/bin/sh\n${command}\n`);
  chmodSync(join(place, 'bin/journalctl'), 0o755);
  const hosts = ['lab', 'flood'].map((vm, n) => `Host ${vm}\n  HostName 127.0.0.1\n  Port ${ports[n]}\n`);
  writeFileSync(join(place, 'ssh_config'), hosts.join(''));
  writeFileSync(
    join(place, 'wedgewatch/config.yaml'),
    JSON.stringify({
      discover: { enabled: false },
      arm: 'off',
      ssh: { configFile: join(place, 'ssh_config'), login: false },
      guests: ['lab', 'flood'].map((vm) => ({
        name: vm,
        unit: `${vm}.service`,
        qmp: join(place, `${vm}.sock`),
        ssh: vm,
      })),
    }),
  );
  const daemon = spawn(process.execPath, [main, 'run'], {
    stdio: 'ignore',
    env: {
      ...process.env,
      ...{ XDG_RUNTIME_DIR: place, XDG_STATE_HOME: place, XDG_CONFIG_HOME: place },
      PATH: `${join(place, 'bin')}:${process.env.PATH}`,
      STATE_DIRECTORY: '',
      NOTIFY_SOCKET: '',
    },
  });
  const status = () =>
    new Promise((resolve) => {
      const call = request(
        { socketPath: join(place, 'wedgewatch/control.sock'), path: '/status' },
        (answer) => {
          let body = '';
          answer.on('data', (data) => (body += String(data))).on('end', () => resolve(JSON.parse(body)));
        },
      );
      call.on('error', () => resolve(null)).end();
    });
  let peak = 0;
  const until = async (holds) => {
    for (const end = performance.now() + DEADLINE_MS; performance.now() < end; await delay(50)) {
      peak = Math.max(
        peak,
        Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1]) / 1024,
      );
      const guests = (await status())?.guests ?? [];
      if (
        holds(
          guests.find(({ vm }) => vm === 'lab'),
          guests.find(({ vm }) => vm === 'flood'),
        )
      )
        return;
    }
    throw new Error(`not within ${DEADLINE_MS / 1000} s`);
  };
  try {
    await until((lab, flood) => lab?.state === 'up' && flood?.state === 'up');
    await delay(UP_MS);
    const at = performance.now();
    victim.silence();
    await until((lab) => lab.incident !== null);
    const tookMs = performance.now() - at;
    return { tookMs, peak, rate: Number(readFileSync(`${guest.file}.rate`, 'utf8')) };
  } finally {
    daemon.kill('SIGTERM');
    await new Promise((resolve) => daemon.once('exit', resolve));
    guest.stop();
    for (const server of [...servers, victim.server, other.server]) server.close();
    rmSync(place, { recursive: true, force: true });
  }
}

if (process.argv[2] === '--journalctl') {
  const [file, mb, bytes] = process.argv.slice(3);
  journalctl(file, Number(mb), Number(bytes));
} else {
  const [mb = 100, rounds = 3, bytes = 4096] = process.argv.slice(2).map(Number);
  for (const rate of [0, mb]) {
    const runs = [];
    for (let n = 0; n < rounds; n += 1) runs.push(await round(rate, bytes));
    const seconds = runs.map(({ tookMs }) => (tookMs / 1000).toFixed(1)).join(', ');
    const taken = runs.map((run) => run.rate.toFixed(0)).join(', ');
    const peak = Math.max(...runs.map((run) => run.peak)).toFixed(0);
    process.stdout.write(
      `flood of ${rate} MB/s in lines of ${bytes} bytes, taken at ${taken} MB/s: wedge of the other to its archive ${seconds} s; daemon ${peak} MB at most\n`,
    );
  }
  process.exit(0);
}
