import { expect, it } from 'vitest';
import { runGroup } from '../../src/io/process-group.js';
import { isRunning } from '../support/processes.js';

const sh = (script: string, timeoutMs = 5_000) => runGroup('sh', ['-c', script], { timeoutMs });

it('returns what a command said and how it ended', async () => {
  expect(await sh('echo out; echo err >&2; exit 3')).toEqual({
    exitCode: 3,
    stdout: 'out\n',
    stderr: 'err\n',
    stopped: null,
    startFailure: null,
  });
});

it.each([
  ['/no/such/program', 'ENOENT'],
  ['/etc/passwd', 'EACCES'],
  ['a\0b', 'ERR_INVALID_ARG_VALUE'],
])('returns why %j does not start', async (file, code) => {
  expect(await runGroup(file, [], { timeoutMs: 1000 })).toMatchObject({ startFailure: code, exitCode: null });
});

it('keeps 64 KiB of a flood and drops the rest', async () => {
  const { exitCode, stdout } = await sh('head -c 10000000 /dev/zero', 15_000);
  expect(exitCode).toBe(0);
  expect(stdout).toHaveLength(65_536);
});

it('kills what ignores its signals', async () => {
  const started = performance.now();
  const { stopped, exitCode, stdout } = await sh('trap "" TERM; echo $$; while :; do sleep 1; done', 300);
  expect({ stopped, exitCode }).toEqual({ stopped: 'deadline', exitCode: null });
  expect(performance.now() - started).toBeLessThan(1_500);
  await expect.poll(() => isRunning(Number(stdout))).toBe(false);
});

it('kills what stays behind without its pipes', async () => {
  const { stdout } = await sh('sleep 60 >/dev/null 2>&1 & echo $!');
  await expect.poll(() => isRunning(Number(stdout))).toBe(false);
});

it('does not wait for what left the group and holds the pipes', async () => {
  const started = performance.now();
  expect(await sh('setsid sleep 4 & echo here')).toMatchObject({ exitCode: 0, stdout: 'here\n' });
  expect(performance.now() - started).toBeLessThan(2_000);
});

it('stops when its caller gives up, and does not start for one that has', async () => {
  const giveUp = new AbortController();
  const run = runGroup('sleep', ['60'], { timeoutMs: 60_000, signal: giveUp.signal });
  setImmediate(() => giveUp.abort());
  expect(await run).toMatchObject({ stopped: 'aborted' });
  expect(await runGroup('sleep', ['60'], { timeoutMs: 60_000, signal: giveUp.signal })).toMatchObject({
    stopped: 'aborted',
  });
});
