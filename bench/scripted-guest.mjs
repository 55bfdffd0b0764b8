/** Guests for kill.mjs, idle.mjs and flood.mjs: what it prints is a script, and so is its QMP. */
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';

const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', '');
/** In its t dump. */
export const TASKS = 60;

/** Prints as a guest does: what it is asked for, in order and at its own pace, whoever listens. */
export class ScriptedGuest {
  /** All that it ever printed. */
  truth = '';
  answered = 0;
  #queue = [];
  #printed = 0;
  #timers = [];

  constructor(place, kind) {
    this.kind = kind;
    this.file = join(place, kind === 'journal' ? 'entries' : 'console');
    writeFileSync(this.file, '');
    for (let n = 0; n < 20; n += 1) this.#print(`systemd[1]: Started unit ${n}.`);
    this.#timers.push(
      globalThis.setInterval(() => this.#next(), 4),
      globalThis.setInterval(() => {
        if (this.#queue.length === 0)
          this.#print(`[*     ] A start job is running for x (${this.#printed}s / no limit)`);
      }, 250),
    );
  }

  press(key) {
    const stack = ['__schedule', 'schedule', 'io_schedule', 'folio_wait_bit_common', 'filemap_fault'];
    const task = (n) => [
      `task:job${n}         state:D stack:0     pid:${100 + n}   ppid:1      flags:0x00000002`,
      'Call Trace:',
      ' <TASK>',
      ...stack.map((name) => ` ${name}+0x10/0x20`),
      ' </TASK>',
    ];
    const tasks = (count) => Array.from({ length: count }, (_, n) => task(n)).flat();
    const says = {
      h: ['sysrq: HELP : loglevel(0-9) reboot(b) crash(c) show-blocked-tasks(w)'],
      w: ['sysrq: Show Blocked State', ...tasks(8)],
      t: ['sysrq: Show State', ...tasks(TASKS)],
    };
    const lines = says[key] ?? ['sysrq: Changing Loglevel', `sysrq: Loglevel set to ${key}`];
    this.#queue.push(...lines);
  }

  get idle() {
    return this.#queue.length === 0;
  }

  stop() {
    this.#timers.forEach((timer) => globalThis.clearInterval(timer));
  }

  #next() {
    for (const line of this.#queue.splice(0, 5)) {
      this.#print(line);
      this.answered = this.truth.length;
    }
  }

  #print(line) {
    this.#printed += 1;
    const row = `[${(100 + this.#printed / 1000).toFixed(6).padStart(12)}] ${line}`;
    this.truth += `${row}\n`;
    if (this.kind === 'file') appendFileSync(this.file, `${row}\n`);
    else appendFileSync(this.file, entryOf(this.#printed, 'lab.service', row));
  }
}

/** What journalctl says of a row of a unit's console, in its export format. */
export function entryOf(number, unit, row) {
  const fields = {
    __CURSOR: `s=1;i=${number}`,
    __REALTIME_TIMESTAMP: Date.now() * 1000,
    __MONOTONIC_TIMESTAMP: process.hrtime.bigint() / 1000n,
    _BOOT_ID: bootId,
    _UID: process.getuid(),
    _PID: process.pid,
    _TRANSPORT: 'stdout',
    _SYSTEMD_USER_UNIT: unit,
    _SYSTEMD_INVOCATION_ID: '0123456789abcdef0123456789abcdef',
    MESSAGE: row,
  };
  return `${Object.entries(fields)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')}\n`;
}

export function serveQmp(path, guest) {
  const answers = {
    'query-status': { status: 'running', running: true },
    'query-cpus-fast': [],
    'query-blockstats': [],
  };
  const server = createServer((client) => {
    client.on('error', () => undefined);
    client.write(
      '{"QMP": {"version": {"qemu": {"micro": 0, "minor": 0, "major": 9}, "package": ""}, "capabilities": []}}\r\n',
    );
    // It passes on the errors of its input.
    const lines = createInterface({ input: client }).on('error', () => undefined);
    lines.on('line', (line) => {
      const { execute, arguments: args, id } = JSON.parse(line);
      if (execute === 'send-key') guest.press(args.keys.at(-1).data);
      const monitor = execute === 'human-monitor-command' ? guest.monitor?.(args['command-line']) : undefined;
      client.write(`${JSON.stringify({ return: monitor ?? answers[execute] ?? {}, id })}\r\n`);
    });
  });
  server.listen(path);
  return server;
}
