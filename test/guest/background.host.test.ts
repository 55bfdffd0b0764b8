import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startBackground } from '../../src/guest/background.js';
import { Reaper } from '../../src/guest/reaper.js';
import { isRunning } from '../support/processes.js';

let directory: string;
let reaper: Reaper;
let socket: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'background-'));
  socket = join(directory, 'socket');
  reaper = new Reaper();
});

afterEach(async () => {
  reaper.release();
  await rm(directory, { recursive: true });
});

const shell = (script: string) => startBackground(['sh', '-c', script], { socket, reaper });

test('a program that ends before it is ready says why', async () => {
  await expect(shell('echo no such device >&2; exit 1')).rejects.toThrow('no such device');
});

test('a program that is not there is named', async () => {
  await expect(startBackground(['no-such-program'], { socket, reaper })).rejects.toThrow('no-such-program');
});

test('an abort while it starts ends it', async () => {
  const abort = new AbortController();
  const start = startBackground(['sleep', '60'], { socket, reaper, signal: abort.signal });
  setImmediate(() => abort.abort());
  await expect(start).rejects.toThrow(/abort/);
});

test('stop ends the whole group, also when it is stopped', async () => {
  const child = join(directory, 'child');
  const background = await shell(`sleep 60 & echo $! >${child}; touch ${socket}; wait`);
  const pids = [background.pid, Number(await readFile(child, 'utf8'))];
  expect(pids.map(isRunning)).toEqual([true, true]);
  process.kill(-background.pid, 'SIGSTOP');
  await background.stop();
  await expect.poll(() => pids.map(isRunning)).toEqual([false, false]);
});
