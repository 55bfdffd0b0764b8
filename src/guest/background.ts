import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { signalGroup } from '../io/process-group.js';
import type { Reaper } from './reaper.js';

/** A program that runs beside this one, in a process group of its own. */
interface Background {
  /** Also the id of its process group. */
  pid: number;
  /** Ends it and all its children, even stopped ones; returns when they are gone. */
  stop: () => Promise<void>;
}

export interface BackgroundOptions {
  /** The program is ready once this socket is there. */
  socket: string;
  reaper: Reaper;
  signal?: AbortSignal | undefined;
}

const readyMs = 10_000;
const pollMs = 20;
const graceMs = 3_000;
const outputTail = 4_000;

/** Waits until `path` is there. @throws what `failed` returns, or Error at the deadline */
export async function waitForSocket(
  path: string,
  failed: () => Promise<Error | null>,
  signal?: AbortSignal,
): Promise<void> {
  for (let waited = 0; !existsSync(path); waited += pollMs) {
    const error = await failed();
    if (error !== null) throw error;
    if (waited > readyMs) throw new Error(`${path} did not appear within ${readyMs / 1000} s.`);
    await delay(pollMs, undefined, { signal });
  }
}

/**
 * Starts a program and waits until its socket is there.
 * @throws Error with what the program printed if it ends before that; it never stays behind
 */
export async function startBackground(
  command: readonly string[],
  options: BackgroundOptions,
): Promise<Background> {
  const [file = '', ...args] = command;
  const child = execa(file, args, {
    detached: true,
    stdin: 'ignore',
    all: true,
    buffer: false,
    reject: false,
  });
  let output = '';
  child.all.on('data', (chunk: Buffer) => (output = (output + chunk.toString('latin1')).slice(-outputTail)));
  let ended = false;
  const exited = child.then(() => (ended = true));
  const failed = () => Promise.resolve(ended ? new Error(`${file} exited at startup:\n${output}`) : null);
  const { pid } = child;
  if (pid === undefined) {
    const { message } = await child;
    throw new Error(`${file} does not start: ${message ?? 'unknown cause'}`);
  }
  options.reaper.add('group', String(pid));
  const stop = async () => {
    signalGroup(pid, 'SIGTERM');
    signalGroup(pid, 'SIGCONT');
    const killer = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs);
    await exited;
    clearTimeout(killer);
  };
  try {
    await waitForSocket(options.socket, failed, options.signal);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid, stop };
}
