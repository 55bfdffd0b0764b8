import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { SshStep } from '../../../src/core/ssh/command-probe.js';
import { runCommand } from '../../../src/io/ssh/run-command.js';
import { behave, ssh } from '../../support/fake-ssh.js';
import { isRunning } from '../../support/processes.js';
import { scratch } from '../../support/qmp-failure.js';

const GREETED = 'debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1\n';
const LET_IN = 'Authenticated to vm ([127.0.0.1]:22) using "publickey".\n';

async function run(behaviour: object, timeoutMs = 10_000) {
  behave(behaviour);
  const steps: SshStep[] = [];
  const result = await runCommand('vm', { timeoutMs, connectMs: 3_000, ssh }, (step) => steps.push(step));
  return { ...result, steps };
}

it('is well when the guest says that it read past its page cache', async () => {
  const stdout = 'wedgewatch-begin\nwedgewatch-end direct\n';
  expect(await run({ stdout, stderr: GREETED + LET_IN })).toMatchObject({
    kind: 'ok',
    step: 'command',
    detail: 'read past the page cache',
  });
});

it('is well with a doubt when the page cache may have answered, or a shell that is none', async () => {
  const cached = await run({ stdout: 'wedgewatch-end cached\n', stderr: GREETED + LET_IN });
  expect(cached).toMatchObject({ kind: 'ok', doubt: 'its disk may have been read from the page cache' });
  expect(await run({ code: 1, stderr: `${GREETED}${LET_IN}no shell here` })).toMatchObject({
    kind: 'ok',
    detail: 'exit code 1',
    doubt: 'it read no disk',
  });
});

it.each([
  ['command', GREETED + LET_IN],
  ['login', GREETED],
  ['banner', 'debug1: Connection established.\n'],
  ['connect', ''],
])('a hang is told with its step, here %s, and all of it is killed at the deadline', async (step, stderr) => {
  const grandchild = join(await scratch(), 'pid');
  const result = await run({ stderr, hang: true, grandchild }, 1_500);
  expect(result).toMatchObject({ kind: 'timed-out', step });
  expect(result.steps.at(-1) ?? 'connect').toBe(step);
  expect(result.tookMs).toBeLessThan(3_000);
  const pid = Number(await readFile(grandchild, 'utf8'));
  await expect.poll(() => isRunning(pid)).toBe(false);
});

it.each([
  ['root@vm: Permission denied (publickey).', 'no-login', 'login'],
  ['Host key verification failed.', 'no-login', 'login'],
  ['Timeout, server vm not responding.', 'timed-out', 'connect'],
  ['Connection closed by 127.0.0.1 port 22', 'refused', 'login'],
])('%s is %s', async (line, kind, step) => {
  expect(await run({ code: 255, stderr: `${GREETED}${line}\n` })).toMatchObject({ kind, step });
});

it('says nothing of the guest without an ssh', async () => {
  const options = { timeoutMs: 1_000, connectMs: 500, ssh: '/no/such/ssh' };
  expect(await runCommand('vm', options, () => undefined)).toMatchObject({ kind: 'host-fault' });
});
