import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { keepIndexPage } from '../../src/io/archive/index-page.js';
import { updateIncident } from '../../src/io/archive/update.js';
import { archive, put } from '../support/archive.js';
import { temporaryDirectory } from '../support/temporary.js';

const stopping: AbortController[] = [];
afterEach(() => {
  for (const controller of stopping.splice(0)) controller.abort();
});

function keep(root: string): string[] {
  const faults: string[] = [];
  const controller = new AbortController();
  stopping.push(controller);
  keepIndexPage({ root, onFault: (why) => void faults.push(why), signal: controller.signal }, 20);
  return faults;
}

const read = (root: string) => readFile(join(root, 'index.html'), 'utf8').catch(() => '');

it('keeps a private page of an archive, as incidents come and recover', async () => {
  const root = await archive();
  const faults = keep(root);
  await vi.waitFor(async () => expect(await read(root)).toContain('<h1>3 incidents</h1>'));
  expect((await stat(join(root, 'index.html'))).mode & 0o777).toBe(0o600);
  const path = await put(root, 50, 'cc000004');
  await vi.waitFor(async () => expect(await read(root)).toContain('<h1>4 incidents</h1>'));
  await updateIncident(path, { recoveredAt: '2026-09-18T11:11:11.000Z' });
  await vi.waitFor(async () => expect(await read(root)).toContain('recovered 2026-09-18 11:11:11'));
  expect(faults).toEqual([]);
});

it('writes nothing where there is no archive yet, and begins with the first incident', async () => {
  const root = await temporaryDirectory();
  keep(root);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await read(root)).toBe('');
  await put(root, 50, 'cc000004');
  await vi.waitFor(async () => expect(await read(root)).toContain('<h1>1 incident</h1>'));
});

it('says once what keeps it from writing, and goes on', async () => {
  const root = await archive();
  await mkdir(join(root, 'index.html', 'x'), { recursive: true });
  const faults = keep(root);
  await vi.waitFor(() => expect(faults).toHaveLength(1));
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(faults).toHaveLength(1);
});
