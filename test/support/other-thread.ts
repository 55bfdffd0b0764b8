/** A server in a thread of its own: it answers while the loop of the test is blocked. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';

/** `script`: a function body with `client`, called for each connection; listens where `at` says. Resolves with the port. */
export async function serverElsewhere(
  script: string,
  at: string | { port: 0; host: string },
): Promise<number> {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const server = require('node:net').createServer((client) => {
      client.on('error', () => undefined);
      ${script}
    });
    server.listen(workerData, () => parentPort.postMessage(server.address().port ?? 0));
  `;
  const worker = new Worker(code, { eval: true, workerData: at });
  onTestFinished(async () => {
    await worker.terminate();
  });
  const [port] = (await once(worker, 'message')) as [number];
  return port;
}

/** Holds this thread up, as a flood of rows does. */
export function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}
