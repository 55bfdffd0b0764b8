import { appendFile, mkdir, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { tailConsole } from '../../src/io/console-file.js';
import type { SourceStatus } from '../../src/io/source-status.js';

let directory: string;
let path: string;
let stop: AbortController;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'wedgewatch-console-'));
  path = join(directory, 'vm1', 'console.log');
  await mkdir(join(directory, 'vm1'));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await rm(directory, { recursive: true });
});

function start(onRows?: () => Promise<void>) {
  const rows: string[] = [];
  const times: number[] = [];
  const statuses: SourceStatus[] = [];
  const done = tailConsole({
    path,
    onRows: async (batch) => {
      const text = batch.rows.map(({ bytes }) => Buffer.from(bytes).toString('latin1')).join('');
      for (const row of text.split('\n').slice(0, -1)) {
        rows.push(`${batch.replayed ? 'replayed ' : ''}${row}`);
        times.push(batch.at);
      }
      await onRows?.();
    },
    onStatus: (status) => statuses.push(status),
    signal: stop.signal,
  });
  const see = (expected: readonly string[]) =>
    vi.waitFor(() => expect(rows).toEqual(expected), { timeout: 8000, interval: 10 });
  const state = (expected: SourceStatus['state']) =>
    vi.waitFor(() => expect(statuses.at(-1)?.state).toBe(expected), { timeout: 8000, interval: 10 });
  return { rows, times, statuses, done, see, state };
}

describe('tailConsole', () => {
  it('gives what is there as replayed, then what comes, also of a row that was begun before', async () => {
    await writeFile(path, 'one\ntwo\r\nthr');
    const { see, times } = start();
    await see(['replayed one', 'replayed two\r']);
    await appendFile(path, 'ee\n\xff\0four\n', 'latin1');
    await see(['replayed one', 'replayed two\r', 'three', '\xff\0four']);
    expect(times[3]).toBeCloseTo(Number(process.hrtime.bigint()) / 1e6, -4);
  });

  it('begins 64 KiB before the end, at the start of a row', async () => {
    const line = (i: number) => `row ${String(i).padStart(6, '0')}`;
    await writeFile(path, Array.from({ length: 10_000 }, (_, i) => `${line(i)}\n`).join(''));
    const { rows, state } = start();
    await state('live');
    const expected = Math.floor((64 << 10) / 11);
    expect(rows).toEqual(
      Array.from({ length: expected }, (_, i) => `replayed ${line(10_000 - expected + i)}`),
    );
  });

  it('waits for a file, and reads it from its start', async () => {
    const { see, state, statuses } = start();
    await state('down');
    expect(statuses.at(-1)?.detail).toMatch(/console\.log does not exist/);
    await writeFile(path, 'SeaBIOS\n');
    await see(['SeaBIOS']);
    await state('live');
  });

  it('waits for the directory too', async () => {
    await rm(join(directory, 'vm1'), { recursive: true });
    const { see, state } = start();
    await state('down');
    await mkdir(join(directory, 'vm1'));
    await writeFile(path, 'SeaBIOS\n');
    await see(['SeaBIOS']);
  });

  it('goes on after truncation, and after replacement with what the old one still got', async () => {
    await writeFile(path, 'a long first life\n');
    const { see } = start();
    await see(['replayed a long first life']);
    await truncate(path);
    await appendFile(path, 'second\n');
    await see(['replayed a long first life', 'second']);
    await writeFile(`${path}.new`, 'third\n');
    await appendFile(path, 'last words\nand half a row');
    await rename(`${path}.new`, path);
    await see(['replayed a long first life', 'second', 'last words', 'and half a row', 'third']);
  });

  it('follows a file that was deleted until another takes its place', async () => {
    await writeFile(path, '');
    const { see, state } = start();
    await state('live');
    await rm(path);
    await writeFile(path, 'again\n');
    await see(['again']);
  });

  it('ends with what onRows throws, though it looks like a fault of the file', async () => {
    await writeFile(path, 'one\n');
    const full = Object.assign(new Error('disk full'), { code: 'ENOSPC' });
    await expect(start(() => Promise.reject(full)).done).rejects.toBe(full);
  });

  it('stops at once', async () => {
    const { done, state } = start();
    await state('down');
    const from = performance.now();
    stop.abort();
    await done;
    expect(performance.now() - from).toBeLessThan(500);
  });
});
