/** The demo as the README has it, on a host without a user manager. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Incident } from '../../src/core/report/incident.js';
import { buildGuest, guestCache } from '../../src/guest/build.js';
import { call } from '../../src/guest/call.js';
import { archiveOf, DEMO_MS, expectWhole } from './demo-output.js';

const main = join(import.meta.dirname, '../../dist/cli/main.js');

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
