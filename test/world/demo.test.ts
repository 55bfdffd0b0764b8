/** The demo as the README has it: of a host without a user manager, and of a user who has one. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Incident } from '../../src/core/report/incident.js';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { call } from '../../src/guest/call.js';
import { user, World } from './world.js';

const main = join(import.meta.dirname, '../../dist/cli/main.js');
const DEMO_MS = 110_000;

/** The path that the demo printed at its end, behind a verdict and a time that are as promised. */
function archiveOf(printed: string): string {
  expect(printed).toMatch(/page-in of a mapped file \(filemap_fault\) → filesystem virtiofs:store/);
  const took = Number(/^wedge to archive: (\S+) s$/m.exec(printed)?.[1]);
  expect(took).toBeLessThan(20);
  return /^archive: (\S+)$/m.exec(printed)?.[1] ?? 'no path';
}

function expectWhole({ evidence }: Incident): void {
  expect(evidence).toMatchObject({ complete: true, incompleteBecause: [] });
  expect(evidence.dumps.map(({ name, endedBy }) => `${name} ${endedBy}`)).toEqual([
    'sysrq-w.1 fence',
    'sysrq-w.2 fence',
    'sysrq-t fence',
  ]);
}

test('with QEMU as a child, its console in a file', async () => {
  await buildGuest(guestCache(), { log: () => undefined });
  const state = await mkdtemp(join(tmpdir(), 'wedgewatch-test-'));
  onTestFinished(() => rm(state, { recursive: true, force: true }));
  const environment = ['-u', 'XDG_RUNTIME_DIR', '-u', 'STATE_DIRECTORY', `XDG_STATE_HOME=${state}`];
  const printed = await call('env', [...environment, process.execPath, main, 'demo'], { timeoutMs: DEMO_MS });
  expect(printed).toMatch(/console: file:/);
  const archive = archiveOf(printed);
  expectWhole(JSON.parse(await readFile(join(archive, 'incident.json'), 'utf8')) as Incident);
  const text = await readFile(join(archive, 'sysrq-t.txt'), 'utf8');
  expect(text).toMatch(/sysrq: Show State[^]*task:[^]*sysrq: HELP : /);
});

test('as a user with a manager and a journal of its own', async () => {
  const world = await World.up(await buildGuest(guestCache(), { log: () => undefined }));
  onTestFinished(() => world.down());
  // There is no way to a package mirror inside: the image is brought along.
  const image = await buildGuest(guestCache(), { log: () => undefined });
  const cache = join(user.home, '.cache/wedgewatch');
  await world.dev(['mkdir', '-p', cache]);
  await world.root(['cp', '-r', world.image.directory, join(cache, basename(image.directory))]);
  await world.root(['chown', '-R', user.name, cache]);
  const printed = await world.dev([process.execPath, main, 'demo'], DEMO_MS);
  expect(printed).toMatch(/console: journal of wedgewatch-demo@/);
  const archive = archiveOf(printed);
  expectWhole(JSON.parse(await world.dev(['cat', join(archive, 'incident.json')])) as Incident);
  const units = await world.dev([
    'systemctl',
    '--user',
    'list-units',
    '--plain',
    '--no-legend',
    'wedgewatch-demo*',
  ]);
  expect(units).toBe('');
});
