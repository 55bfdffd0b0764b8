/** A loop that is held up blames nobody: servers in another thread, and this one blocked. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Deadline } from '../../src/io/deadline.js';
import { look } from '../../src/io/look.js';
import { runGroup } from '../../src/io/process-group.js';
import { QmpError } from '../../src/io/qmp/error.js';
import { withQmp } from '../../src/io/qmp/with-qmp.js';
import { probeTcp } from '../../src/io/ssh/tcp.js';
import { block, serverElsewhere } from '../support/other-thread.js';
import { GREETING } from '../support/qmp-server.js';

/** Greets after a while, and answers each command likewise; `silent`: greets, and answers nothing. */
const qmp = (afterMs: number, silent = false) => `
  setTimeout(() => client.write(${JSON.stringify(GREETING)}), ${afterMs});
  let text = '';
  client.on('data', (data) => {
    text += data;
    const lines = text.split('\\n');
    text = lines.pop();
    for (const line of lines) {
      const { id, execute } = JSON.parse(line);
      const value = execute === 'query-status' ? { status: 'running' } : {};
      if (!${silent}) setTimeout(() => client.write(JSON.stringify({ return: value, id }) + '\\r\\n'), ${afterMs});
    }
  });
`;

async function qmpServer(script: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'qmp-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, 'qmp.sock');
  await serverElsewhere(script, path);
  return path;
}

/** Blocks this thread for `ms` of each turn, until the promise settles. */
async function whileBlocked<T>(ms: number, work: Promise<T>): Promise<T> {
  const state = { done: false };
  const settled = () => {
    state.done = true;
  };
  void work.then(settled, settled);
  while (!state.done) {
    block(ms);
    await delay(1);
  }
  return work;
}

const failure = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

describe('QMP', () => {
  it('is read although its deadline passed while the loop was blocked', async () => {
    const path = await qmpServer(qmp(30));
    const status = withQmp(path, { timeoutMs: 200 }, (session) => {
      const answer = session.execute('query-status');
      setImmediate(() => block(900));
      return answer;
    });
    expect(await status).toEqual({ status: 'running' });
  });

  it('that does not answer a loop that is late is late, and not stuck', async () => {
    const path = await qmpServer(qmp(0, true));
    const error = await whileBlocked(
      300,
      failure(withQmp(path, { timeoutMs: 200 }, () => Promise.resolve())),
    );
    expect(error).toBeInstanceOf(QmpError);
    expect(error).toMatchObject({ late: true });
    expect((error as QmpError).message).toMatch(/this host was late itself/);
  });

  it('that does not answer a loop that is on time is stuck', async () => {
    const path = await qmpServer(qmp(0, true));
    const error = await failure(withQmp(path, { timeoutMs: 200 }, () => Promise.resolve()));
    expect(error).toMatchObject({ fault: 'main-loop-stuck', late: false });
  });

  it('a look says that it was late', async () => {
    const path = await qmpServer(qmp(0, true));
    const seen = await whileBlocked(400, look({ qmpSocket: path, pid: null }, { timeoutMs: 150 }));
    expect(seen.qmp).toMatchObject({ ok: false, late: true });
  });
});

describe('SSH', () => {
  const host = '127.0.0.1';

  it('is heard although its deadline passed while the loop was blocked', async () => {
    const port = await serverElsewhere(`setTimeout(() => client.write('SSH-2.0-test\\r\\n'), 100);`, {
      port: 0,
      host,
    });
    const probe = probeTcp(host, port, { timeoutMs: 300 });
    await delay(20);
    block(1_000);
    expect(await probe).toEqual({ kind: 'ok', detail: 'SSH-2.0-test' });
  });

  it('that says nothing to a loop that is late has not failed', async () => {
    const port = await serverElsewhere('', { port: 0, host });
    expect(await whileBlocked(200, probeTcp(host, port, { timeoutMs: 150 }))).toMatchObject({
      kind: 'timed-out',
      late: true,
    });
  });

  it('that says nothing to a loop that is on time has', async () => {
    const port = await serverElsewhere('', { port: 0, host });
    const { late, kind } = await probeTcp(host, port, { timeoutMs: 150 });
    expect([kind, late]).toEqual(['timed-out', undefined]);
  });
});

describe('a program', () => {
  it('that ended while the loop was blocked has ended, and was not killed', async () => {
    const run = runGroup('/bin/sh', ['-c', 'sleep 0.1; echo done'], { timeoutMs: 300 });
    await delay(20);
    block(1_000);
    expect(await run).toMatchObject({ exitCode: 0, stdout: 'done\n', stopped: null });
  });

  it('that does not end is killed in the end, and the loop was late', async () => {
    const started = performance.now();
    const run = await whileBlocked(200, runGroup('/bin/sleep', ['60'], { timeoutMs: 150 }));
    expect(run).toMatchObject({ stopped: 'deadline', late: true });
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});

describe('a deadline', () => {
  it('is not late on a loop that is on time, and comes in its time', async () => {
    const from = performance.now();
    const late = await new Promise<boolean>(
      (resolve) => new Deadline(200, (expired) => resolve(expired.late)),
    );
    expect(late).toBe(false);
    expect(performance.now() - from).toBeLessThan(400);
  });

  it('is extended by what the loop took, and by no more than it may be', async () => {
    const from = performance.now();
    const deadline = new Deadline(200, null, { extraMs: 100 });
    await delay(10);
    block(250);
    await delay(1);
    expect(deadline.left()).toBeLessThan(200 - 150 + 10);
    expect(deadline.left()).toBeGreaterThan(0);
    expect(performance.now() - from).toBeGreaterThan(250);
    deadline.end();
    deadline.end();
  });
});
