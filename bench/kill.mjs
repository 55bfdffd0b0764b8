/**
 * kill -9 at random points of a capture: real daemons, a QMP server and a console that are scripted. After the restart
 * there must be one incident or, where nothing had been begun, none; its bytes must be the console's own from their
 * start, up to the last answer of the guest. Every third restart is killed as well. Needs `npm run build`.
 *   node bench/kill.mjs [POINTS] [MAIN]       200 by default, half over a console file, half over a journal
 */
/* global URL */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs';
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { ScriptedGuest, serveQmp, TASKS } from './scripted-guest.mjs';

const points = Number(process.argv[2] ?? 200);
const main = process.argv[3] ?? new URL('../dist/cli/main.js', import.meta.url).pathname;
const fakeJournalctl = new URL('fake-journalctl.mjs', import.meta.url).pathname;
const DEADLINE_MS = 60_000;
/** A round waits more than it computes. */
const AT_ONCE = 4;

/** One guest, one archive, and the daemons that come and go. */
class Scene {
  constructor(kind) {
    this.place = mkdtempSync(join(tmpdir(), 'wedgewatch-kill-'));
    this.incidents = join(this.place, 'wedgewatch/incidents');
    this.guest = new ScriptedGuest(this.place, kind);
    const socket = join(this.place, 'qmp.sock');
    this.server = serveQmp(socket, this.guest);
    mkdirSync(join(this.place, 'wedgewatch'));
    mkdirSync(join(this.place, 'bin'));
    copyFileSync(fakeJournalctl, join(this.place, 'bin/journalctl'));
    chmodSync(join(this.place, 'bin/journalctl'), 0o755);
    const source = kind === 'file' ? `'file:${this.guest.file}'` : 'journal';
    writeFileSync(
      join(this.place, 'wedgewatch/config.yaml'),
      `discover: {enabled: false}\ndetect: {secondLook: 500ms, silence: 1h, bootSilence: 1h}\nguests: [{name: lab, unit: lab.service, qmp: ${socket}, console: ${source}, ssh: false}]\n`,
    );
  }

  start() {
    const env = {
      ...process.env,
      ...{ XDG_RUNTIME_DIR: this.place, XDG_STATE_HOME: this.place, XDG_CONFIG_HOME: this.place },
      PATH: `${join(this.place, 'bin')}:${process.env.PATH}`,
      FAKE_JOURNAL: this.guest.file,
    };
    delete env.NOTIFY_SOCKET;
    delete env.STATE_DIRECTORY;
    this.log = '';
    const daemon = spawn(process.execPath, [main, 'run'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    daemon.stderr.on('data', (data) => (this.log += String(data)));
    daemon.ended = once(daemon, 'exit');
    return daemon;
  }

  ask(method, path) {
    return new Promise((resolve, reject) => {
      const socketPath = join(this.place, 'wedgewatch/control.sock');
      const call = request({ socketPath, method, path }, (answer) => {
        let body = '';
        answer.on('data', (data) => (body += String(data))).on('end', () => resolve(JSON.parse(body)));
      });
      call.on('error', reject).end();
    });
  }

  async ready() {
    let status = null;
    const isReady = async () => {
      status = await this.ask('GET', '/status').catch(String);
      return status.blind === null && (status.guests[0]?.state ?? 'unknown') !== 'unknown';
    };
    await until(() => `the daemon is ready: ${JSON.stringify(status)}; ${this.log}`, isReady);
    // The console is read as well.
    await delay(300);
  }

  names() {
    return existsSync(this.incidents) ? readdirSync(this.incidents) : [];
  }

  end() {
    this.guest.stop();
    this.server.close();
    rmSync(this.place, { recursive: true, force: true });
  }
}

async function until(what, holds) {
  const end = Date.now() + DEADLINE_MS;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${DEADLINE_MS / 1000} s: ${what()}`);
    await delay(20);
  }
}

async function kill(daemon) {
  daemon.kill('SIGKILL');
  await daemon.ended;
}

/** Returns how long a capture takes where nobody is killed. */
async function undisturbed(kind) {
  const scene = new Scene(kind);
  try {
    const daemon = scene.start();
    await scene.ready();
    const begun = Date.now();
    const { directory, problem } = await scene.ask('POST', '/capture?vm=lab');
    if (directory === null) throw new Error(problem);
    const took = Date.now() - begun;
    await kill(daemon);
    return took;
  } finally {
    scene.end();
  }
}

/** Kills one capture and returns what came of it; throws where that is wrong. */
async function round(kind, begun, afterMs, again) {
  const scene = new Scene(kind);
  const { guest } = scene;
  try {
    const first = scene.start();
    await scene.ready();
    void scene.ask('POST', '/capture?vm=lab').catch(() => undefined);
    if (begun)
      await until(
        () => 'the capture has begun',
        () => scene.names().length > 0,
      );
    await delay(afterMs);
    await kill(first);
    const left = scene.names();
    await until(
      () => 'the guest has answered',
      () => guest.idle,
    );
    if (again !== null) {
      const second = scene.start();
      await delay(again);
      await kill(second);
    }
    const last = scene.start();
    await scene.ready();
    await until(
      () => `nothing is left of ${left.join()}: ${scene.log}`,
      () => !scene.names().some((name) => name.endsWith('.partial')),
    );
    await kill(last);
    return judge(scene, left, scene.names());
  } finally {
    scene.end();
  }
}

function judge({ incidents, guest, log }, left, ids) {
  const begun = left.length > 0;
  if (ids.length > 1 || (!begun && ids.length > 0))
    throw new Error(`twice: ${left.join()} became ${ids.join()}`);
  if (ids.length === 0) {
    if (guest.answered > 0) throw new Error(`lost: ${left.join()}, the guest had answered: ${log}`);
    return begun ? 'begun, nothing was asked yet' : 'not begun';
  }
  return judgeIncident(join(incidents, ids[0]), guest);
}

function judgeIncident(path, guest) {
  const raw = readFileSync(join(path, 'console.raw'), 'utf8');
  const { evidence, verdict, dumps } = JSON.parse(readFileSync(join(path, 'incident.json'), 'utf8'));
  if (!guest.truth.startsWith(raw)) throw new Error(`${path}: its bytes are not the console's`);
  if (readFileSync(join(path, 'verdict.txt'), 'utf8').split('\n')[0] !== verdict.title)
    throw new Error(`${path}: verdict.txt says something else`);
  if (evidence.complete) return 'filed before the kill, complete';
  const missing = guest.answered - raw.length;
  const why = evidence.incompleteBecause.join('; ');
  if (missing > 0) throw new Error(`${path}: ${missing} bytes of the guest's answers are missing: ${why}`);
  const t = evidence.dumps.find(({ key }) => key === 't');
  if (t === undefined) return `cut, ${evidence.dumps.length === 0 ? 'nothing was asked yet' : 'w only'}`;
  const tasks = dumps.findLast(({ key }) => key === 't')?.tasks.length ?? 0;
  if (tasks !== TASKS) throw new Error(`${path}: ${tasks} of ${TASKS} tasks in t`);
  return t.complete ? 'cut, t whole' : 'cut, t with all tasks, its fence was not asked for yet';
}

const outcomes = new Map();
let failed = 0;

async function point(kind, whole, n) {
  const afterMs = Math.random() * whole;
  const again = n % 3 === 2 ? Math.random() * 1500 : null;
  // Most points are counted from the making of its directory: what comes before leaves nothing behind.
  const what = await round(kind, n % 5 !== 4, afterMs, again).catch((error) => {
    failed += 1;
    return `FAILED: ${error.message}`;
  });
  const twice = again === null ? '' : `, the next one after ${again.toFixed()} ms`;
  process.stdout.write(`${kind}, killed after ${afterMs.toFixed()} ms${twice}: ${what}\n`);
  outcomes.set(`${kind}: ${what}`, (outcomes.get(`${kind}: ${what}`) ?? 0) + 1);
}

for (const kind of ['file', 'journal']) {
  // The shortest: a busy host must not put most of the points behind the end.
  const whole = Math.min(await undisturbed(kind), await undisturbed(kind), await undisturbed(kind));
  process.stdout.write(`${kind}: an undisturbed capture takes ${whole} ms\n`);
  const numbers = Array.from({ length: points / 2 }, (_, n) => n).values();
  const worker = async () => {
    for (const n of numbers) await point(kind, whole, n);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
for (const [what, count] of [...outcomes].sort())
  process.stdout.write(`${String(count).padStart(4)}  ${what}\n`);
process.exitCode = failed > 0 ? 1 : 0;
