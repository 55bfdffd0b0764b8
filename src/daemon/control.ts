/** The daemon's control socket: HTTP on a unix socket that only its user can reach. */
import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import type { GuestStatus } from '../core/watch/status.js';

export interface DaemonStatus {
  pid: number;
  version: string;
  /** Why the journal cannot be read now, or null. */
  blind: string | null;
  /** What of an edited configuration is not in force, and why. */
  configProblems: string[];
  guests: GuestStatus[];
}

export interface CaptureResult {
  /** The finished directory, or null with a problem. */
  directory: string | null;
  problem: string | null;
}

interface ControlHandlers {
  status: () => DaemonStatus;
  capture: (vm: string, note: string | null) => Promise<CaptureResult>;
}

const ASK_MS = 3_000;
/** A capture waits for its turn and for a guest that prints slowly. */
const CAPTURE_MS = 180_000;
const MAX_ANSWER = 64 << 20;

export const controlSocket = (runtime: string): string => join(runtime, 'wedgewatch', 'control.sock');

/** Serves until closed. Throws where another daemon of this user answers on the socket already. */
export async function serveControl(path: string, handlers: ControlHandlers): Promise<Server> {
  const other = await askStatus(path).catch(() => null);
  if (other !== null)
    throw new Error(
      `another wedgewatch runs already (pid ${other.pid}); stop it with: systemctl --user stop wedgewatch`,
    );
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await rm(path, { force: true });
  const server = createServer((incoming, answer) => void serve(handlers, incoming, answer));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve);
  });
  await chmod(path, 0o600);
  return server;
}

async function serve(
  handlers: ControlHandlers,
  incoming: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const url = new URL(incoming.url ?? '/', 'http://daemon');
  const send = (code: number, body: unknown) => {
    answer.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  if (incoming.method === 'GET' && url.pathname === '/status') send(200, handlers.status());
  else if (incoming.method === 'POST' && url.pathname === '/capture') {
    const vm = url.searchParams.get('vm') ?? '';
    send(
      200,
      await handlers
        .capture(vm, url.searchParams.get('note'))
        .catch((error: unknown) => ({ directory: null, problem: String(error) })),
    );
  } else send(404, { problem: `no such call: ${url.pathname}` });
}

/** What the daemon says of itself and its guests. Rejects where none runs. */
export async function askStatus(path: string): Promise<DaemonStatus> {
  return (await ask(path, 'GET', '/status', ASK_MS)) as DaemonStatus;
}

/** Lets the daemon capture a guest now; resolves when it is filed. Rejects where no daemon runs. */
export async function askCapture(path: string, vm: string, note: string | null): Promise<CaptureResult> {
  const query = new URLSearchParams({ vm, ...(note === null ? {} : { note }) });
  return (await ask(path, 'POST', `/capture?${query.toString()}`, CAPTURE_MS)) as CaptureResult;
}

async function ask(socketPath: string, method: string, path: string, timeoutMs: number): Promise<unknown> {
  const text = await new Promise<string>((resolve, reject) => {
    const call = request({ socketPath, method, path, signal: AbortSignal.timeout(timeoutMs) }, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > MAX_ANSWER) answer.destroy(new Error('the daemon answers without end'));
      });
      answer.once('end', () => resolve(body)).once('error', reject);
    });
    call.once('error', reject).end();
  });
  return JSON.parse(text);
}
