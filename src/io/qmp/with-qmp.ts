import type { QmpEvent } from '../../core/qmp/codec.js';
import { Deadline, type Expired } from '../deadline.js';
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
/** A session that this process was late in may have so much more, and no more: somebody else may wait. */
const EXTRA_HOLD_MS = 100;
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
  checkPath(socketPath);
  const { timeoutMs, holdMs = HOLD_MS } = options;
  const extraMs = holdMs > HOLD_MS ? holdMs : EXTRA_HOLD_MS;
  const crowded = await roomInQueue(socketPath, timeoutMs, options.signal);
  if (crowded !== null) {
    const { fault, late } = crowded;
    throw new QmpError(fault, socketPath, 'its queue of clients does not move', { late });
  }
  // An abort while it waited had no listener yet.
  options.signal?.throwIfAborted();
  const wire = new Wire(socketPath, extraMs);
  const onAbort = () => wire.fail(abortReason(options.signal));
  options.signal?.addEventListener('abort', onAbort, { once: true });
  let held: Deadline | null = null;
  let overstay: Deadline | null = null;
  try {
    await wire.greeting(timeoutMs);
    const since = (held = new Deadline(holdMs, null, { extraMs }));
    const left = () => Math.max(0, since.left());
    const deadline = () => Math.max(1, Math.min(timeoutMs, Math.ceil(left())));
    await wire.execute('qmp_capabilities', undefined, deadline(), 'main-loop-stuck');
    forget(socketPath);
    const onOverstay = (expired: Expired) => {
      const what = `held for ${holdMs} ms, the limit of a session`;
      wire.fail(new QmpError('timeout', socketPath, what, expired));
    };
    overstay = new Deadline(Math.max(1, left()), onOverstay, { extraMs });
    const session: QmpSession = {
      events: wire.events,
      execute: (command, args) => wire.execute(command, args, deadline()),
      left,
    };
    return await Promise.race([body(session), wire.failed]);
  } catch (error) {
    throw await explain(error, socketPath, wire);
  } finally {
    held?.end();
    overstay?.end();
    options.signal?.removeEventListener('abort', onAbort);
    wire.fail(new QmpError('closed', socketPath, 'the session is over'));
  }
}

/** Node cuts a path that is too long. */
function checkPath(socketPath: string): void {
  const bytes = Buffer.byteLength(socketPath);
  const says = `the path has ${bytes} bytes, a unix socket's at most ${MAX_PATH_BYTES}`;
  if (bytes > MAX_PATH_BYTES) throw new QmpError('missing', socketPath, says);
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
  return new QmpError(fault, socketPath, what, { cause: error, late: error.late });
}

function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error(String(reason));
}
