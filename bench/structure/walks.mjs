/**
 * Runs the daemon of a checkout over a scripted guest, whose console is a scripted journalctl, and records which functions are
 * entered on the way of one console line, and of one chord. All that is known of the checkout is its command line, its
 * control socket, and that a function `step` takes events and returns effects.
 */
/* global setTimeout, clearTimeout */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { entryOf, serveQmp } from '../scripted-guest.mjs';

const DEADLINE_MS = 90_000;
const NOBODY_WALKED = { files: [], rooms: 0, functions: 0 };

/** QEMU answers before the keys are delivered. */
const DELIVERED_MS = 200;
/** The first line of its answer to each key. */
const ANSWERS = { h: 'sysrq: HELP : loglevel(0-9) show-blocked-tasks(w)', w: 'sysrq: Show Blocked State' };

/** Prints nothing of itself, so that a walk is not mixed with another. */
class QuietGuest {
  #printed = 0;

  constructor(file) {
    this.file = file;
    writeFileSync(file, '');
    this.print('systemd[1]: Started the first unit.');
  }

  print(line) {
    this.#printed += 1;
    const row = `[${String(100 + this.#printed).padStart(5)}.000000] ${line}`;
    appendFileSync(this.file, entryOf(this.#printed, 'lab.service', row));
  }

  press(key) {
    const answer = ANSWERS[key] ?? `sysrq: Loglevel set to ${key}`;
    setTimeout(() => this.print(answer), DELIVERED_MS).unref();
  }
}

/** Both walks; one that does not come to its end has a problem instead. */
export async function walks(directory) {
  const place = mkdtempSync(join(tmpdir(), 'wedgewatch-walks-'));
  const guest = new QuietGuest(join(place, 'entries'));
  const qmp = serveQmp(join(place, 'qmp.sock'), guest);
  const sshd = createServer((client) => {
    client.on('error', () => undefined);
    client.end('SSH-2.0-scripted\r\n');
  }).listen(0, '127.0.0.1');
  await once(sshd, 'listening');
  prepare(place, sshd.address().port);
  const daemon = start(directory, place, guest.file);
  try {
    const entry = await walk('one journal entry', daemon, { walk: 'entry' }, () =>
      guest.print('usb 1-1: new device'),
    );
    const chord = await walk('one chord', daemon, { walk: 'chord' }, () => askForCapture(place));
    return [entry, chord];
  } finally {
    daemon.kill('SIGKILL');
    if (daemon.exitCode === null) await once(daemon, 'exit');
    qmp.close();
    sshd.close();
    rmSync(place, { recursive: true, force: true });
  }
}

function prepare(place, port) {
  mkdirSync(join(place, 'config/wedgewatch'), { recursive: true });
  mkdirSync(join(place, 'bin'));
  copyFileSync(join(import.meta.dirname, '../fake-journalctl.mjs'), join(place, 'bin/journalctl'));
  writeFileSync(
    join(place, 'bin/ssh'),
    `#!/bin/sh\n[ "$1" = -G ] || exit 255\nprintf 'hostname 127.0.0.1\\nport ${port}\\nuser root\\n'\n`,
  );
  for (const name of ['journalctl', 'ssh']) chmodSync(join(place, 'bin', name), 0o755);
  writeFileSync(
    join(place, 'config/wedgewatch/config.yaml'),
    `discover: {enabled: false}\nguests: [{name: lab, unit: lab.service, qmp: ${join(place, 'qmp.sock')}, ssh: lab}]\n`,
  );
}

function start(directory, place, journal) {
  const env = {
    ...process.env,
    ...{ XDG_RUNTIME_DIR: place, XDG_STATE_HOME: place, XDG_CONFIG_HOME: join(place, 'config') },
    ...{ PATH: `${join(place, 'bin')}:${process.env.PATH}`, FAKE_JOURNAL: journal, WALKED: directory },
  };
  delete env.NOTIFY_SOCKET;
  delete env.STATE_DIRECTORY;
  const probe = join(import.meta.dirname, 'probe.mjs');
  const main = join(directory, 'src/cli/main.ts');
  const daemon = spawn(process.execPath, ['--import', probe, main, 'run'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  daemon.said = '';
  daemon.stderr.on('data', (data) => (daemon.said += String(data)));
  return daemon;
}

/** Asks for a walk; `go` begins it once the daemon is ready to record it. */
function walk(what, daemon, order, go) {
  return new Promise((resolve) => {
    const done = (problem, walked = NOBODY_WALKED) => {
      clearTimeout(timer);
      daemon.off('message', hear).off('exit', fail);
      resolve({ what, problem, ...walked });
    };
    const fail = () => done(`it did not come to its end: ${daemon.said.slice(-500)}`);
    const hear = (message) => {
      if (message === 'ready') go();
      else done(null, message);
    };
    const timer = setTimeout(fail, DEADLINE_MS);
    daemon.on('message', hear).on('exit', fail);
    if (daemon.exitCode !== null) fail();
    else daemon.send(order);
  });
}

function askForCapture(place) {
  const socketPath = join(place, 'wedgewatch/control.sock');
  request({ socketPath, method: 'POST', path: '/capture?vm=lab' })
    .on('error', () => undefined)
    .end();
}
