/** Opening a FIFO blocks until somebody writes to it; a file that the user names must not hang the watchdog. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { loadConfig } from '../../src/io/config-file.js';
import { tailConsole } from '../../src/io/console-file.js';
import type { SourceStatus } from '../../src/io/source-status.js';
import { temporaryDirectory } from '../support/temporary.js';

let path: string;
beforeEach(async () => {
  path = join(await temporaryDirectory(), 'fifo');
  execFileSync('mkfifo', [path]);
});

it('the configuration does not wait for the writer of a FIFO', async () => {
  expect(await loadConfig({ path, required: false })).toMatchObject({
    ok: false,
    problems: [{ message: 'not a regular file' }],
  });
});

it('a console file that is a pipe is refused', async () => {
  const statuses: SourceStatus[] = [];
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  void tailConsole({
    path,
    onRows: () => Promise.resolve(),
    onStatus: (status) => statuses.push(status),
    signal: stop.signal,
  });
  await vi.waitFor(() => expect(statuses.at(-1)?.state).toBe('down'), { timeout: 8000, interval: 10 });
  expect(statuses.at(-1)?.detail).toMatch(/is not a regular file\. Fix:/);
});
