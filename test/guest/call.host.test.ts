import { expect, test } from 'vitest';
import { call, CallError } from '../../src/guest/call.js';
import { isRunning } from '../support/processes.js';

test('returns what the program printed', async () => {
  expect(await call('echo', ['a', 'b'], { timeoutMs: 5_000 })).toBe('a b');
});

test('a daemon that keeps the output open is not waited for', async () => {
  expect(await call('sh', ['-c', 'sleep 3 & echo started'], { timeoutMs: 2_000 })).toBe('started');
});

test('a failure carries the exit code and all output', async () => {
  const failure = call('sh', ['-c', 'echo out; echo err >&2; exit 3'], { timeoutMs: 5_000 });
  await expect(failure).rejects.toMatchObject({ name: 'CallError', exitCode: 3 });
  await expect(failure).rejects.toThrow(/exit code 3\nout\nerr/);
});

test('a program that is not there is named', async () => {
  const failure = call('no-such-program', [], { timeoutMs: 5_000 });
  await expect(failure).rejects.toBeInstanceOf(CallError);
  await expect(failure).rejects.toThrow(/no-such-program.*ENOENT/s);
});

test('at the deadline the whole process group ends', async () => {
  const failure = call('sh', ['-c', 'sleep 60 & echo $!; wait'], { timeoutMs: 300 });
  await expect(failure).rejects.toThrow('did not end within 0.3 s');
  const grandchild = Number(/\n(\d+)/.exec(await failure.catch(String))?.[1]);
  expect(grandchild).toBeGreaterThan(1);
  await expect.poll(() => isRunning(grandchild)).toBe(false);
});

test('an abort ends the program and rejects with its reason', async () => {
  const abort = new AbortController();
  const failure = call('sleep', ['60'], { timeoutMs: 60_000, signal: abort.signal });
  abort.abort(new Error('enough'));
  await expect(failure).rejects.toThrow('enough');
});
