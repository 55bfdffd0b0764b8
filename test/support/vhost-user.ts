/** Tiny processes that stand for QEMU and for the servers of its shares; they end with the test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { signalGroup } from '../../src/io/process-group.js';

const fixture = (name: string): string => join(import.meta.dirname, `../fixtures/${name}.mjs`);

export interface Started {
  pid: number;
  process: ChildProcess;
  /** Waits until it has said so, and gives the whole line. */
  says: (what: RegExp) => Promise<string>;
}

/** Starts a program in a process group of its own; `name` is what it calls itself in argv[0]. */
export function start(command: readonly string[], options: { name?: string; cwd?: string } = {}): Started {
  const [file = '', ...args] = command;
  const child = spawn(file, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
    ...(options.name !== undefined && { argv0: options.name }),
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${file} does not start`);
  onTestFinished(() => signalGroup(pid, 'SIGKILL'));
  let said = '';
  const waiting = new Set<() => void>();
  child.stdout.on('data', (text: Buffer) => {
    said += text.toString();
    for (const look of waiting) look();
  });
  const says = (what: RegExp) =>
    new Promise<string>((resolve) => {
      const look = () => {
        const line = said.split('\n').find((one) => what.test(one));
        if (line !== undefined) resolve(line);
      };
      waiting.add(look);
      look();
    });
  return { pid, process: child, says };
}

/** The id of the process that has taken a connection. */
export const served = async (server: Started): Promise<number> =>
  Number((await server.says(/^serves \d+$/)).split(' ')[1]);

/** A server that listens by itself, as its command line tells. */
export async function listening(socket: string, cwd?: string): Promise<Started> {
  const command = [process.execPath, fixture('vhost-user-server'), `--socket-path=${socket}`];
  const server = start(command, { name: 'virtiofsd', ...(cwd !== undefined && { cwd }) });
  await server.says(/^ready$/);
  return server;
}

/** Takes a path and a command, which it starts as soon as somebody connects. */
export const SOCKET_ACTIVATE = ['env', 'SYSTEMD_LOG_LEVEL=err', 'systemd-socket-activate', '--listen'];

/** A server that systemd starts when somebody connects: `--fd=3`, and no path anywhere in its command line. */
export const activated = (socket: string): Started =>
  start([
    ...[...SOCKET_ACTIVATE, socket],
    ...[process.execPath, fixture('vhost-user-server'), '--sandbox=namespace', '--fd=3'],
  ]);

/** Arguments of one share, as a guest has it. */
export const shareArgs = (tag: string, socket: string): string[] => [
  ...['-chardev', `socket,id=virtiofs_${tag},path=${socket}`],
  ...['-device', `vhost-user-fs-pci,queue-size=1024,chardev=virtiofs_${tag},tag=${tag}`],
];

/** Has connected to its servers, as far as they are there; `by` is a program that starts it. */
export async function client(args: readonly string[], by: readonly string[] = []): Promise<Started> {
  const command = [process.execPath, fixture('vhost-user-client'), ...args];
  const qemu = by.length > 0 ? start([...by, ...command]) : start(command, { name: 'qemu-system-x86_64' });
  await qemu.says(/^ready$/);
  return qemu;
}
