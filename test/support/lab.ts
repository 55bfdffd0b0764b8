import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { askCapture, askStatus, controlSocket } from '../../src/daemon/control.js';
import { polite, QmpServer, reply } from './qmp-server.js';

const READY_MS = 15_000;

const task = [
  'task:job             state:D stack:0     pid:100   ppid:1      flags:0x00000002',
  'Call Trace:',
  ' <TASK>',
  ' __schedule+0x10/0x20',
  ' io_schedule+0x10/0x20',
  ' folio_wait_bit_common+0x10/0x20',
  ' filemap_fault+0x10/0x20',
  ' </TASK>',
];

/** What a guest prints to each key; digits are answered as the kernel does. */
export const HEALTHY: Readonly<Record<string, string[]>> = {
  h: ['sysrq: HELP : loglevel(0-9) reboot(b) crash(c) show-blocked-tasks(w)'],
  w: ['sysrq: Show Blocked State', ...task],
  t: ['sysrq: Show State', ...task],
};
/** It begins a dump and never ends it: no fence comes. */
export const STUCK: Readonly<Record<string, string[]>> = { ...HEALTHY, h: [] };

const STATUS = { status: 'running', running: true };

/** One user with scripted guests, their consoles in files, and the real programs that watch them. */
export class Lab {
  /** The keys that each guest got, in their order. */
  readonly keys = new Map<string, string[]>();
  private readonly answers = new Map<string, Readonly<Record<string, string[]>>>();
  private readonly servers: QmpServer[] = [];
  private readonly daemons: Running[] = [];
  private lines = 0;

  private constructor(
    private readonly main: string,
    readonly place: string,
  ) {}

  static async start(main: string, guests: Record<string, Readonly<Record<string, string[]>>>): Promise<Lab> {
    const lab = new Lab(main, await mkdtemp(join(tmpdir(), 'wedgewatch-lab-')));
    const entries: string[] = [];
    for (const [vm, answers] of Object.entries(guests)) entries.push(await lab.guest(vm, answers));
    await mkdir(join(lab.place, 'wedgewatch'));
    await writeFile(
      join(lab.place, 'wedgewatch/config.yaml'),
      `discover: {enabled: false}\ndetect: {secondLook: 500ms, silence: 1h, bootSilence: 1h}\nguests: [${entries.join(', ')}]\n`,
    );
    return lab;
  }

  get incidents(): string {
    return join(this.place, 'wedgewatch/incidents');
  }

  get control(): string {
    return controlSocket(this.place);
  }

  names(): Promise<string[]> {
    return readdir(this.incidents).catch(() => []);
  }

  console(vm: string): string {
    return join(this.place, `${vm}.console`);
  }

  /** The guest prints these lines. */
  async print(vm: string, lines: readonly string[]): Promise<void> {
    const rows = lines.map((line) => `[${(100 + ++this.lines / 1000).toFixed(6).padStart(12)}] ${line}\n`);
    await appendFile(this.console(vm), rows.join(''));
  }

  /** Runs a verb as this user. */
  run(args: string[], environment: NodeJS.ProcessEnv = {}): Running {
    const { place } = this;
    const own = { XDG_RUNTIME_DIR: place, XDG_STATE_HOME: place, XDG_CONFIG_HOME: place };
    const child = runNode([this.main, ...args], { ...own, ...environment });
    this.daemons.push(child);
    return child;
  }

  /** A daemon that has read the consoles. */
  async daemon(): Promise<Running> {
    const child = this.run(['run']);
    const end = performance.now() + READY_MS;
    for (;;) {
      const status = await askStatus(this.control).catch(() => null);
      const isRead = status?.guests.every(({ read }) => read.rows > 0) === true;
      if (status?.pid === child.pid && status?.guests.length === this.keys.size && isRead) return child;
      if (performance.now() > end || child.exitCode !== null) throw new Error(`no daemon: ${child.said()}`);
      await delay(50);
    }
  }

  capture(vm: string) {
    return askCapture(this.control, vm, { note: null, keys: null });
  }

  async end(): Promise<void> {
    for (const daemon of this.daemons) daemon.kill('SIGKILL');
    await Promise.all(
      this.daemons
        .filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
        .map((daemon) => once(daemon, 'exit')),
    );
    for (const server of this.servers) await server.stop();
    await rm(this.place, { recursive: true, force: true });
  }

  private async guest(vm: string, answers: Readonly<Record<string, string[]>>): Promise<string> {
    this.keys.set(vm, []);
    this.answers.set(vm, answers);
    await this.print(vm, ['systemd[1]: Started the SSH server.']);
    const server = await QmpServer.start(
      polite(({ execute, arguments: args, id }) => {
        if (execute === 'send-key') this.press(vm, args as { keys: { data: string }[] });
        return reply(id, execute === 'query-status' ? STATUS : execute.startsWith('query-') ? [] : {});
      }),
    );
    this.servers.push(server);
    return `{name: ${vm}, qmp: ${server.path}, console: 'file:${this.console(vm)}', ssh: false}`;
  }

  private press(vm: string, { keys }: { keys: { data: string }[] }): void {
    const key = keys.at(-1)?.data ?? '';
    this.keys.get(vm)?.push(key);
    const digit = ['sysrq: Changing Loglevel', `sysrq: Loglevel set to ${key}`];
    const lines = this.answers.get(vm)?.[key] ?? (/^\d$/.test(key) ? digit : []);
    void this.print(vm, lines);
  }
}

export type Running = ChildProcess & {
  /** What it has printed so far. */
  said: () => string;
};

/** Runs a program of Node, out of reach of systemd. */
export function runNode(args: string[], environment: NodeJS.ProcessEnv): Running {
  const env: NodeJS.ProcessEnv = { ...process.env, ...environment };
  delete env['NOTIFY_SOCKET'];
  delete env['STATE_DIRECTORY'];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += String(data)));
  return Object.assign(child, { said: () => said });
}

/** Resolves with the exit code, or the signal's name, once the process has ended; rejects after `ms`. */
export async function ended(child: ChildProcess, ms: number): Promise<number | string | null> {
  if (child.exitCode === null && child.signalCode === null)
    await once(child, 'exit', { signal: AbortSignal.timeout(ms) });
  return child.exitCode ?? child.signalCode;
}
