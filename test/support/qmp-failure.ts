import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { QmpFault } from '../../src/core/model.js';
import { QmpError } from '../../src/io/qmp/error.js';
import { withQmp, type QmpSession } from '../../src/io/qmp/with-qmp.js';
import { QmpServer } from './qmp-server.js';

export const TIMEOUT_MS = 100;
/** For a busy host. */
const SLACK_MS = 400;

/** A scripted server, stopped when the test is over. */
export async function serve(script: (client: Socket, nth: number) => void): Promise<QmpServer> {
  const server = await QmpServer.start(script);
  onTestFinished(() => server.stop());
  return server;
}

export const status = (session: QmpSession) => session.execute('query-status');

/** The error of a session that must fail with this fault, within the deadlines that it has by then met. */
export async function failure(
  path: string,
  fault: QmpFault,
  deadlines = 1,
  body: (session: QmpSession) => Promise<unknown> = status,
  timeoutMs = TIMEOUT_MS,
): Promise<QmpError> {
  const started = performance.now();
  const error: unknown = await withQmp(path, { timeoutMs, holdMs: 2 * timeoutMs }, body).catch(
    (thrown: unknown) => thrown,
  );
  expect(performance.now() - started).toBeLessThan(deadlines * timeoutMs + SLACK_MS);
  expect(error).toBeInstanceOf(QmpError);
  expect(error).toMatchObject({ fault, socketPath: path });
  expect((error as QmpError).message).toContain(path);
  return error as QmpError;
}

/** A directory that goes when the test is over. */
export async function scratch(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'qmp-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
