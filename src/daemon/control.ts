/** The daemon's control socket: HTTP on a unix socket that only its user can reach. */
import { chmod, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { parseKeys } from '../core/capture/dump-keys.js';
import type { DumpSysrqKey } from '../core/model.js';
import { printable } from '../core/printable.js';
import { safeJson } from '../core/report/json.js';
import type { GuestStatus } from '../core/watch/status.js';
import type { PendingStatus } from './pending.js';
import { ownDirectory } from '../io/files.js';

export interface DaemonStatus {
  pid: number;
  version: string;
  /** Why the journal cannot be read now, or null. */
  blind: string | null;
  /** The parts of an edited configuration that are not in force, and why. */
  configProblems: string[];
  /** Incidents that the archive could not take yet. Absent from a daemon of an older version. */
  pending?: PendingStatus[];
  /** `read`: how many lines of its console this daemon has read since its QEMU was started, and when the newest was logged. */
  guests: (GuestStatus & { read: { rows: number; newestMs: number | null } })[];
}

export interface CaptureResult {
  /** The finished directory, or null with a problem. */
  directory: string | null;
  problem: string | null;
  /** There is no such guest. Absent otherwise, and from a daemon of an older version. */
  code?: 'no-guest';
}

export interface CaptureOrder {
  /** Kept with the incident: printable, at most NOTE_MAX characters. */
  note: string | null;
  /** The dumps to ask for, in their order; null for w and t. */
  keys: DumpSysrqKey[] | null;
}

interface ControlHandlers {
  /** `watched`: somebody watches the load of the guests, so the daemon has to look for it. */
  status: (watched: boolean) => DaemonStatus;
  capture: (vm: string, order: CaptureOrder) => Promise<CaptureResult>;
  /** In the format of OpenMetrics. Absent where nobody watches for long. */
  metrics?: () => Promise<string>;
}

/** Not from the library, which no verb but `run` needs to load. */
export const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
export const NOTE_MAX = 500;
const ASK_MS = 3_000;
/** A capture waits for its turn and for a guest that prints slowly. */
const CAPTURE_MS = 40 * 60_000;
const MAX_ANSWER = 64 << 20;

export const controlSocket = (runtime: string): string => join(runtime, 'wedgewatch', 'control.sock');

/** The call itself, with a note at its longest in it, is in the headers: Node's own limit of 16 KiB holds. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;
/** Connections at once; those that say nothing go after HEADERS_MS. */
const MAX_CONNECTIONS = 128;

/**
 * Serves until closed. Call it as the owner only: a socket that is there is a dead one's, and is replaced. No request
 * ends the daemon, whatever it says and however slowly. `onFault` gets what a handler threw.
 */
export async function serveControl(
  path: string,
  handlers: ControlHandlers,
  onFault: (error: unknown) => void,
): Promise<Server> {
  await ownDirectory(dirname(path)).catch((error: unknown) => {
    throw new Error(`${dirname(path)}: ${error instanceof Error ? error.message : String(error)}`);
  });
  await rm(path, { force: true });
  const limits = {
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: 1_000,
    keepAliveTimeout: 1_000,
  };
  const server = createServer(limits, (incoming, answer) => {
    // Whoever hangs up in the middle is no fault of ours.
    incoming.on('error', () => undefined);
    answer.on('error', () => undefined);
    serve(handlers, incoming, answer).catch((error: unknown) => {
      onFault(error);
      if (!answer.headersSent) answer.writeHead(500);
      answer.end();
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve);
  });
  server.on('error', onFault);
  await chmod(path, 0o600);
  return server;
}

async function serve(
  handlers: ControlHandlers,
  incoming: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  // Not by URL, which throws for some that Node's parser of HTTP lets through, such as `//`.
  const [path = '', query = ''] = (incoming.url ?? '').split('?', 2);
  const asked = new URLSearchParams(query);
  // A body means nothing to any call.
  incoming.resume();
  const send = (code: number, body: unknown) => {
    answer.writeHead(code, { 'content-type': 'application/json' }).end(safeJson(body));
  };
  if (incoming.method === 'GET' && path === '/status') send(200, handlers.status(asked.has('watched')));
  else if (incoming.method === 'GET' && path === '/metrics' && handlers.metrics !== undefined)
    answer.writeHead(200, { 'content-type': OPENMETRICS }).end(await handlers.metrics());
  else if (incoming.method === 'POST' && path === '/capture') {
    const failed = (error: unknown) => ({ directory: null, problem: String(error) });
    send(200, await capture(handlers, asked).catch(failed));
  } else send(404, { problem: `no such call: ${printable(path, 100)}` });
}

function capture(handlers: ControlHandlers, asked: URLSearchParams): Promise<CaptureResult> {
  const note = asked.get('note');
  const letters = asked.get('keys');
  const parsed = letters === null ? null : parseKeys(letters);
  if (parsed?.ok === false) return Promise.resolve({ directory: null, problem: parsed.problem });
  const order = { note: note && printable(note, NOTE_MAX), keys: parsed && parsed.keys };
  return handlers.capture(asked.get('vm') ?? '', order);
}

/** What the daemon says of itself and its guests. Rejects if none runs. */
export async function askStatus(
  path: string,
  { watched = false, timeoutMs = ASK_MS } = {},
): Promise<DaemonStatus> {
  return (await ask(path, 'GET', watched ? '/status?watched' : '/status', timeoutMs)) as DaemonStatus;
}

/** Lets the daemon capture a guest now; resolves when it is filed. Rejects if no daemon runs. */
export async function askCapture(
  path: string,
  vm: string,
  { note, keys }: CaptureOrder,
): Promise<CaptureResult> {
  const query = new URLSearchParams({
    vm,
    ...(note !== null && { note }),
    ...(keys !== null && { keys: keys.join('') }),
  });
  return (await ask(path, 'POST', `/capture?${query.toString()}`, CAPTURE_MS)) as CaptureResult;
}

async function ask(socketPath: string, method: string, path: string, timeoutMs: number): Promise<unknown> {
  const text = await new Promise<string>((resolve, reject) => {
    const call = request({ socketPath, method, path, signal: AbortSignal.timeout(timeoutMs) }, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > MAX_ANSWER) answer.destroy(new Error('the daemon sent more than 64 MiB'));
      });
      answer.once('end', () => resolve(body)).once('error', reject);
    });
    call.once('error', reject).end();
  });
  return JSON.parse(text);
}
