import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { call } from '../../src/guest/call.js';

const prefix = 'wedgewatch-world-';
const timeoutMs = 30_000;

/** Where the machine of one process of the test suite lives: its mounts, and a directory it shares. */
export interface MachineDirectory {
  base: string;
  name: string;
  tmpfs: string;
  root: string;
  share: string;
}

export function machineDirectory(pid: number): MachineDirectory {
  const name = `${prefix}${pid}`;
  const base = join(tmpdir(), name);
  const tmpfs = join(base, 'tmpfs');
  return { base, name, tmpfs, root: join(tmpfs, 'root'), share: join(base, 'share') };
}

/** Mounts an overlay of the file systems of a root directory: what is written to it lives in memory. */
export async function mountRoot({ tmpfs, root, share }: MachineDirectory, lower: string): Promise<void> {
  for (const directory of [tmpfs, share]) await mkdir(directory, { recursive: true });
  await call('mount', ['-t', 'tmpfs', '-o', 'size=2g,mode=755', 'tmpfs', tmpfs], { timeoutMs });
  const [upper, work] = [join(tmpfs, 'upper'), join(tmpfs, 'work')];
  for (const directory of [upper, work, root]) await mkdir(directory);
  const layers = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  await call('mount', ['-t', 'overlay', '-o', layers, 'overlay', root], { timeoutMs });
}

/**
 * Own control groups for the machine, where this host is not run by systemd, which would make them: two
 * machines in one group would meet in nspawn's `payload`.
 */
export async function controlGroups(name: string): Promise<string[]> {
  if (existsSync('/run/systemd/system')) return [];
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
  return mounts
    .filter(
      ([, , type, options]) => type === 'cgroup2' || options?.split(',').includes('name=systemd') === true,
    )
    .map(([, path = '']) => join(path, name));
}

/** Processes that were started with an argument that contains the text. */
async function processesOf(text: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found: number[] = [];
  for (const pid of pids) {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (pid !== process.pid && commandLine.includes(text)) found.push(pid);
  }
  return found;
}

/** The first process inside: the child of nspawn whose id is 1 there. */
export async function leaderOf(nspawn: number): Promise<number | null> {
  const children = await readFile(`/proc/${nspawn}/task/${nspawn}/children`, 'utf8').catch(() => '');
  for (const child of children.split(' ').filter((text) => text !== '')) {
    const status = await readFile(`/proc/${child}/status`, 'utf8').catch(() => '');
    if (/^NSpid:.*\t1$/m.test(status)) return Number(child);
  }
  return null;
}

function killHard(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

async function killMachine({ root }: MachineDirectory): Promise<void> {
  const argument = `--directory=${root}`;
  for (const nspawn of await processesOf(argument)) {
    killHard((await leaderOf(nspawn)) ?? nspawn);
  }
  for (let waited = 0; waited < timeoutMs && (await processesOf(argument)).length > 0; waited += 50) {
    await delay(50);
    if (waited > 3_000) (await processesOf(argument)).forEach(killHard);
  }
}

async function removeGroup(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeGroup(join(path, entry.name));
  await rmdir(path).catch(() => undefined); // gone, or systemd's to remove
}

/** Ends a machine and removes all that it left: processes, mounts, control groups, files. */
export async function destroyMachine(machine: MachineDirectory): Promise<void> {
  await killMachine(machine);
  for (const path of [machine.root, machine.tmpfs]) {
    const mounts = await readFile('/proc/self/mounts', 'utf8');
    if (mounts.includes(` ${path} `)) await call('umount', ['--lazy', path], { timeoutMs });
  }
  for (const group of await controlGroups(machine.name)) await removeGroup(group);
  await rm(machine.base, { recursive: true, force: true });
}

/** Destroys the machines of earlier runs whose process is gone, or has this one's id again. */
export async function destroyStaleMachines(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(prefix)) continue;
    const pid = Number(name.slice(prefix.length));
    if (pid === process.pid || !existsSync(`/proc/${pid}`)) await destroyMachine(machineDirectory(pid));
  }
}
