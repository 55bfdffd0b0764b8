import { appendFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { tailConsole } from '../../src/io/console-file.js';
import type { SourceStatus } from '../../src/io/source-status.js';
import { temporaryDirectory } from '../support/temporary.js';

it('passes over all but the end of a file that grew by gigabytes at once', async () => {
  const path = join(await temporaryDirectory(), 'console.log');
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  await writeFile(path, 'one\n');
  let bytes = 0;
  let last = '';
  const statuses: SourceStatus[] = [];
  void tailConsole({
    path,
    onRows: ({ rows }) => {
      for (const row of rows) bytes += row.bytes.length;
      last =
        Buffer.from(rows.at(-1)?.bytes ?? [])
          .toString()
          .split('\n')
          .at(-2) ?? '';
    },
    onStatus: (status) => statuses.push(status),
    signal: stop.signal,
  });
  await vi.waitFor(() => expect(last).toBe('one'), { timeout: 8000, interval: 10 });
  await truncate(path, 3 * 2 ** 30);
  await appendFile(path, '\nend\n');
  await vi.waitFor(() => expect(last).toBe('end'), { timeout: 60_000, interval: 10 });
  expect(bytes).toBeLessThanOrEqual((64 << 20) + 3);
  expect(statuses).toContainEqual({ state: 'catching-up', detail: `3008 MiB of ${path} were passed over` });
}, 70_000);
