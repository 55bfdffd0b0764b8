import type { QmpEvent } from '../../core/qmp/codec.js';
import { QmpError } from './error.js';
import { forget, leaveBehind, roomInQueue, whyNoGreeting } from './occupants.js';
import { Wire } from './wire.js';

export interface QmpOptions {
  /** Deadline in milliseconds of the greeting and of each command. */
  timeoutMs: number;
  /** How long the socket may be held from the greeting on, in milliseconds; default: HOLD_MS. */
  holdMs?: number;
  signal?: AbortSignal | undefined;
}

/** A QEMU that has greeted and takes commands. */
export interface QmpSession {
  /** What happened meanwhile, oldest first; the first thousand. */
  readonly events: readonly QmpEvent[];
  /** Resolves with what the command returns. @throws QmpError */
  execute(command: string, args?: object): Promise<unknown>;
  /** Milliseconds that are left of the time that the socket may be held. */
  left(): number;
}

/**
 * The socket serves one client at a time, from the greeting on, and a unit's ExecStop stops the guest through it. An
 * ExecStop that feeds socat waits for 0.5 s after its input, and loses its power-down if the socket is held for longer.
 */
export const HOLD_MS = 350;
/** sun_path of sockaddr_un has 108 bytes with its NUL (unix(7)); Node cuts a longer path silently. */
const MAX_PATH_BYTES = 107;

/**
 * Connects to a QMP socket, runs `body`, and hangs up whatever happens. It does not retry: a caller that
 * finds the socket busy decides how long to wait. If others queue for the socket, it waits for its turn for one more
 * deadline, without holding anything.
 * @throws QmpError, or the reason of the signal
 */
export async function withQmp<T>(
  socketPath: string,
  options: QmpOptions,
  body: (session: QmpSession) => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted();
  const bytes = Buffer.byteLength(socketPath);
  if (bytes > MAX_PATH_BYTES) {
    throw new QmpError(
      'missing',
      socketPath,
      `the path has ${bytes} bytes, a unix socket's at most ${MAX_PATH_BYTES}`,
    );
  }
  const { timeoutMs, holdMs = HOLD_MS } = options;
  const crowded = await roomInQueue(socketPath, timeoutMs, options.signal);
  if (crowded !== null) throw new QmpError(crowded, socketPath, 'its queue of clients does not move');
  // An abort while it waited had no listener yet.
  options.signal?.throwIfAborted();
  const wire = new Wire(socketPath);
  const onAbort = () => wire.fail(abortReason(options.signal));
  options.signal?.addEventListener('abort', onAbort, { once: true });
  let overstay: NodeJS.Timeout | undefined;
  try {
    await wire.greeting(timeoutMs);
    const until = performance.now() + holdMs;
    const left = () => Math.max(0, until - performance.now());
    const deadline = () => Math.max(1, Math.min(timeoutMs, Math.ceil(left())));
    await wire.execute('qmp_capabilities', undefined, deadline(), 'main-loop-stuck');
    forget(socketPath);
    const tooLong = new QmpError('timeout', socketPath, `held for ${holdMs} ms, the limit of a session`);
    overstay = setTimeout(() => wire.fail(tooLong), Math.max(1, left()));
    const session: QmpSession = {
      events: wire.events,
      execute: (command, args) => wire.execute(command, args, deadline()),
      left,
    };
    return await Promise.race([body(session), wire.failed]);
  } catch (error) {
    throw await explain(error, socketPath, wire);
  } finally {
    clearTimeout(overstay);
    options.signal?.removeEventListener('abort', onAbort);
    wire.fail(new QmpError('closed', socketPath, 'the session is over'));
  }
}

/** Asks the kernel who else is on the socket, while our own connection is still there to be told from theirs. */
async function explain(error: unknown, socketPath: string, wire: Wire): Promise<unknown> {
  if (!(error instanceof QmpError)) return error;
  const silent = error.fault === 'main-loop-stuck' || error.fault === 'timeout';
  if (silent && wire.open) await leaveBehind(socketPath);
  // A full backlog may be full of our own earlier connections, to a QEMU that serves nobody.
  const full = (error.cause as NodeJS.ErrnoException | undefined)?.code === 'EAGAIN';
  if (error.fault !== 'no-greeting' && !full) return error;
  const fault = await whyNoGreeting(socketPath, error.fault);
  if (fault === error.fault) return error;
  const what = full ? 'its queue of clients is full' : 'no greeting in time';
  return new QmpError(fault, socketPath, what, { cause: error });
}

function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error(String(reason));
}
