import { type QmpAddress, qmpAddressOf, qmpAddressProblem } from '../../core/qmp-address.js';
import { Deadline, type Expired } from '../deadline.js';
import { QmpError } from './error.js';
import { forget, leaveBehind, roomInQueue, whyNoGreeting } from './occupants.js';
import type { QmpOptions, QmpSession } from './session.js';
import { whyNoTcpGreeting } from './tcp-occupants.js';
import { withDomain } from './virsh.js';
import { Wire } from './wire.js';

type SocketAddress = Exclude<QmpAddress, { kind: 'libvirt' }>;
type TcpAddress = Extract<QmpAddress, { kind: 'tcp' }>;

export type { QmpOptions, QmpSession };

/**
 * The socket serves one client at a time, from the greeting on, and a unit's ExecStop stops the guest through it. An
 * ExecStop that feeds socat waits for 0.5 s after its input, and loses its power-down if the socket is held for longer.
 */
export const HOLD_MS = 350;
/** A session that this process was late in may have so much more, and no more: somebody else may wait. */
const EXTRA_HOLD_MS = 100;

/**
 * Connects to where QMP is served (core/qmp-address.ts), runs `body`, and hangs up whatever happens. It does not retry: a caller that
 * finds the socket busy decides how long to wait. If others queue for the socket, it waits for its turn for one more
 * deadline, without holding anything.
 * @throws QmpError, or the reason of the signal
 */
export async function withQmp<T>(
  address: string,
  options: QmpOptions,
  body: (session: QmpSession) => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted();
  const found = qmpAddressOf(address);
  if (found === null) throw new QmpError('missing', address, qmpAddressProblem(address));
  if (found.kind === 'libvirt') return withDomain(address, found, options, body);
  return withSocket(address, found, options, body);
}

async function withSocket<T>(
  address: string,
  socket: SocketAddress,
  options: QmpOptions,
  body: (session: QmpSession) => Promise<T>,
): Promise<T> {
  const { timeoutMs, holdMs = HOLD_MS } = options;
  const extraMs = holdMs > HOLD_MS ? holdMs : EXTRA_HOLD_MS;
  if (socket.kind === 'unix') await takePlace(socket.path, timeoutMs, options.signal);
  // An abort while it waited had no listener yet.
  options.signal?.throwIfAborted();
  const wire = new Wire({ address, options: socket }, extraMs);
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
    forget(address);
    const onOverstay = (expired: Expired) => {
      const what = `held for ${holdMs} ms, the limit of a session`;
      wire.fail(new QmpError('timeout', address, what, expired));
    };
    overstay = new Deadline(Math.max(1, left()), onOverstay, { extraMs });
    const session: QmpSession = {
      events: wire.events,
      execute: (command, args) => wire.execute(command, args, deadline()),
      left,
    };
    return await Promise.race([body(session), wire.failed]);
  } catch (error) {
    throw socket.kind === 'unix'
      ? await explain(error, address, wire)
      : await explainTcp(error, socket, wire);
  } finally {
    held?.end();
    overstay?.end();
    options.signal?.removeEventListener('abort', onAbort);
    wire.fail(new QmpError('closed', address, 'the session is over'));
  }
}

/** Waits for room in the queue of clients. */
async function takePlace(path: string, ms: number, signal: AbortSignal | undefined): Promise<void> {
  const crowded = await roomInQueue(path, ms, signal);
  if (crowded === null) return;
  const { fault, late } = crowded;
  throw new QmpError(fault, path, 'its queue of clients does not move', { late });
}

async function explainTcp(error: unknown, { host, port }: TcpAddress, wire: Wire): Promise<unknown> {
  if (!(error instanceof QmpError) || error.fault !== 'no-greeting') return error;
  const fault = await whyNoTcpGreeting(host, port, wire.ownPort);
  if (fault === error.fault) return error;
  return new QmpError(fault, error.socketPath, 'no greeting in time', { cause: error, late: error.late });
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
