import { readFileSync } from 'node:fs';
import { open, readdir, readFile } from 'node:fs/promises';
import { parseCmdline } from '../core/host/argv.js';
import {
  isAlive,
  parseSession,
  parseStat,
  parseTimes,
  parseUids,
  type ProcessStat,
  type ThreadTimes,
} from '../core/host/stat.js';

const MAX_CMDLINE = 64 * 1024;
const MAX_PROCESSES = 50_000;

/** This boot of the host, in the form of journald's `_BOOT_ID`: 32 hexadecimal digits. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim().replaceAll('-', '');
}

/** State and CPU time of a process, or of one of its threads; null if it is gone. */
export async function readStat(pid: number, threadId?: number): Promise<ProcessStat | null> {
  const thread = threadId === undefined ? '' : `/task/${threadId}`;
  try {
    return parseStat(await readFile(`/proc/${pid}${thread}/stat`, 'utf8'));
  } catch {
    return null;
  }
}

/** The users that a process acts for, all four of them; null if it is gone or hidden. */
export async function readUids(pid: number): Promise<number[] | null> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return parseUids(text);
}

/** How long a thread, or all threads of a process, ran and waited for a CPU; null if the kernel does not count it. */
export async function readTimes(pid: number, threadId?: number): Promise<ThreadTimes | null> {
  const tasks = `/proc/${pid}/task`;
  try {
    const threads = threadId === undefined ? await readdir(tasks) : [String(threadId)];
    const texts = await Promise.all(threads.map((id) => readFile(`${tasks}/${id}/schedstat`, 'utf8')));
    const sum = { ranMs: 0, waitedMs: 0 };
    for (const text of texts) {
      const times = parseTimes(text);
      if (times === null) return null;
      sum.ranMs += times.ranMs;
      sum.waitedMs += times.waitedMs;
    }
    return sum;
  } catch {
    return null;
  }
}

/** The text of /proc/PID/cgroup; null if it is gone. */
export async function readCgroup(pid: number): Promise<string | null> {
  return readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => null);
}

/** All processes there are, up to a bound. */
export async function processIds(): Promise<number[]> {
  const names = await readdir('/proc').catch(() => []);
  return names
    .filter((name) => /^\d+$/.test(name))
    .slice(0, MAX_PROCESSES)
    .map(Number);
}

/** The processes of a session that have not ended. */
export async function sessionMembers(session: number): Promise<number[]> {
  const members: number[] = [];
  for (const pid of await processIds()) {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const stat = parseStat(text);
    if (stat !== null && isAlive(stat) && parseSession(text) === session) members.push(pid);
  }
  return members;
}

/**
 * Reading a command line takes the lock of that process's memory, and never returns if the process died in the
 * kernel with it. One thread of libuv's four is lost then; reading one at a time keeps it at that.
 */
let turn: Promise<unknown> = Promise.resolve();

/** Runs a call that may never return, when its turn comes; null if the signal comes first. */
export function inTurn<T>(signal: AbortSignal, read: () => Promise<T>): Promise<T | null> {
  const mine = turn.then(() => (signal.aborted ? null : read()));
  turn = mine.catch(() => null);
  return Promise.race([mine, whenAborted(signal)]);
}

function whenAborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener('abort', () => resolve(null), { once: true });
  });
}

/** The command line of a process; null if it is gone, hidden, or does not come before the signal. */
export function readArgv(pid: number, signal: AbortSignal): Promise<string[] | null> {
  return inTurn(signal, () => argvOf(pid));
}

/** Command lines of all processes, of which `pick` keeps what it wants; what was found until the signal. */
export async function scanProcesses<T>(
  pick: (pid: number, argv: string[]) => T | null,
  signal: AbortSignal,
): Promise<T[]> {
  const found: T[] = [];
  await inTurn(signal, async () => {
    for (const pid of await processIds()) {
      if (signal.aborted) return;
      const argv = await argvOf(pid);
      const picked = argv === null || argv.length === 0 ? null : pick(pid, argv);
      if (picked !== null) found.push(picked);
    }
  });
  return [...found];
}

async function argvOf(pid: number): Promise<string[] | null> {
  try {
    const file = await open(`/proc/${pid}/cmdline`);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(MAX_CMDLINE), 0, MAX_CMDLINE, 0);
      return parseCmdline(buffer.toString('utf8', 0, bytesRead));
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}
