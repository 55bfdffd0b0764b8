import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBackground, type BackgroundOptions } from './background.js';
import { signalGroup } from '../io/process-group.js';
import type { GuestImage } from './build.js';
import { qemuArguments, type QemuOptions } from './qemu-command.js';
import { Reaper } from './reaper.js';
import { runtimeDirectory, startUnit, userManagerUsable } from './user-unit.js';
import { virtiofsdCommand } from './virtiofsd.js';

interface StartOptions {
  /** Letters, digits, `-` and `_`. */
  vm: string;
  image: GuestImage;
  /** More of the kernel command line, e.g. `quiet wedge.mode=job`. */
  append: string;
  /** More of QEMU's arguments, e.g. another device. */
  extra?: readonly string[] | undefined;
  /** Of QEMU's `-m`; default: 384M. */
  memory?: string | undefined;
  signal?: AbortSignal | undefined;
}

export interface RunningGuest {
  vm: string;
  /** The user unit whose journal has the console; null if QEMU is a child of this process. */
  unit: string | null;
  /** As a guest's `console` in the configuration: `journal`, or `file:` and a path. */
  console: string;
  /** Holds a directory a VM with its qmp.sock, as `discover.directory` of the configuration. */
  qmpDirectory: string;
  qmpSocket: string;
  sshHost: string;
  sshPort: number;
  /** Knows `sshHost`; for `ssh -F`. */
  sshConfigFile: string;
  /** Stops the server of the guest's store: tasks that need it wait for ever. */
  wedge: () => void;
  /** Continues the server. */
  unwedge: () => void;
  /** Ends the guest, its servers and all their files. */
  stop: () => Promise<void>;
}

const program = 'qemu-system-x86_64';

type Launch = Omit<QemuOptions, 'console' | 'qmpSocket'>;
type Launched = Pick<RunningGuest, 'unit' | 'console' | 'qmpDirectory' | 'stop'>;

async function launchUnit(
  launch: Launch,
  { reaper, signal }: Omit<BackgroundOptions, 'socket'>,
): Promise<Launched> {
  const qmpDirectory = runtimeDirectory();
  const qmpSocket = join(qmpDirectory, launch.vm, 'qmp.sock');
  const args = qemuArguments({ ...launch, qmpSocket, console: 'stdio' });
  const unit = await startUnit(launch.vm, [program, ...args], signal);
  reaper.add('unit', unit.name);
  return { unit: unit.name, console: 'journal', qmpDirectory, stop: unit.stop };
}

async function launchChild(
  launch: Launch,
  directory: string,
  options: Omit<BackgroundOptions, 'socket'>,
): Promise<Launched> {
  const qmpDirectory = join(directory, 'qemu-system');
  await mkdir(join(qmpDirectory, launch.vm), { recursive: true });
  const qmpSocket = join(qmpDirectory, launch.vm, 'qmp.sock');
  const file = join(directory, `${launch.vm}.console`);
  const args = qemuArguments({ ...launch, qmpSocket, console: { file } });
  const child = await startBackground([program, ...args], { ...options, socket: qmpSocket });
  return { unit: null, console: `file:${file}`, qmpDirectory, stop: child.stop };
}

/** A TCP port of the loopback that nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** An ssh_config for one guest; its host key is new with each image, so nobody knows it. */
export function sshConfig(host: string, port: number, key: string): string {
  const lines = [
    'HostName 127.0.0.1',
    `Port ${port}`,
    'User root',
    `IdentityFile "${key}"`,
    'IdentitiesOnly yes',
    'StrictHostKeyChecking no',
    'UserKnownHostsFile /dev/null',
    'LogLevel ERROR',
  ];
  return `Host ${host}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

async function start(
  options: StartOptions,
  directory: string,
  reaper: Reaper,
  undo: (() => Promise<void>)[],
) {
  const { vm, image, signal } = options;
  const virtiofsdSocket = join(directory, 'store.sock');
  const user = process.getuid?.() === 0 ? 'root' : 'other';
  const serve = virtiofsdCommand(image.store, virtiofsdSocket, user);
  const virtiofsd = await startBackground(serve, { socket: virtiofsdSocket, reaper, signal });
  undo.push(virtiofsd.stop);
  const sshPort = await freePort();
  const { append, extra, memory } = options;
  const launch = { vm, image, virtiofsdSocket, sshPort, append, extra, memory };
  const launched = (await userManagerUsable(signal))
    ? await launchUnit(launch, { reaper, signal })
    : await launchChild(launch, directory, { reaper, signal });
  // QEMU cannot end while it waits for its store.
  const unwedge = () => signalGroup(virtiofsd.pid, 'SIGCONT');
  undo.push(async () => {
    unwedge();
    await launched.stop();
  });
  const sshConfigFile = join(directory, 'ssh_config');
  await writeFile(sshConfigFile, sshConfig(vm, sshPort, image.sshKey), { mode: 0o600 });
  const qmpSocket = join(launched.qmpDirectory, vm, 'qmp.sock');
  const wedge = () => signalGroup(virtiofsd.pid, 'SIGSTOP');
  return { vm, ...launched, qmpSocket, sshHost: vm, sshPort, sshConfigFile, wedge, unwedge };
}

/**
 * Starts a guest: as a unit of the user's systemd manager if there is one, else as a child of this process.
 * However this process ends, the guest ends with it.
 * @throws Error with what QEMU or virtiofsd printed; nothing stays behind
 */
export async function startGuest(options: StartOptions): Promise<RunningGuest> {
  if (!/^[\w-]+$/.test(options.vm))
    throw new Error(`${options.vm} is not a valid VM name; use letters, digits, - and _.`);
  const reaper = new Reaper();
  const directory = await mkdtemp(join(tmpdir(), 'wedgewatch-demo-'));
  reaper.add('directory', directory);
  const undo = [() => rm(directory, { recursive: true, force: true })];
  const stop = async () => {
    for (const step of undo.splice(0).reverse()) await step();
    reaper.release();
  };
  try {
    return { ...(await start(options, directory, reaper, undo)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
