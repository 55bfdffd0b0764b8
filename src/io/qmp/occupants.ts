import { readFile } from 'node:fs/promises';
import { connectionsTo, type UnixConnections } from '../../core/host/unix-table.js';
import { setTimeout as sleep } from 'node:timers/promises';
import type { QmpFault } from '../../core/model.js';
import { Deadline } from '../deadline.js';

/**
 * Connections of ours that QEMU had accepted when it stopped answering. A stuck QEMU does not notice that we hung
 * up: without this, our own dead connection would be taken for another client, and a stuck QEMU for a busy one.
 */
const leftBehind = new Map<string, Set<number>>();

/** Call this before hanging up on a QEMU that greeted and then went silent. */
export async function leaveBehind(socketPath: string): Promise<void> {
  const { accepted } = await connections(socketPath);
  // With more than one it is not known which is ours.
  const [inode] = accepted;
  if (accepted.length === 1 && inode !== undefined) leftBehind.set(socketPath, new Set([inode]));
}

/** Call this when QEMU has answered: it has then also cleaned up. */
export function forget(socketPath: string): void {
  leftBehind.delete(socketPath);
}

/**
 * Why QEMU does not greet: another client is served, QEMU is known to be stuck, or it serves nobody at all. Call
 * this while our own connection is still open. If other clients wait in the backlog, an accepted connection counts as
 * one of theirs. `assumed` holds if the kernel's table does not show the socket.
 */
export async function whyNoGreeting(socketPath: string, assumed: QmpFault): Promise<QmpFault> {
  const { accepted, waiting } = await connections(socketPath);
  if (accepted.length + waiting === 0) return assumed;
  const others = ofOthers(socketPath, accepted);
  if (others >= 2 || (others === 1 && waiting > 0)) return 'busy';
  return others < accepted.length ? 'main-loop-stuck' : 'no-greeting';
}

const ROOM_POLL_MS = 25;

/** Why the queue does not move; `late`: this process was, and nobody is to blame. */
interface Crowded {
  fault: QmpFault;
  late: boolean;
}

/**
 * Resolves with null once nobody waits in QEMU's queue of clients; after `ms`, with the reason why the queue does not
 * move. The queue has two places, and a client that gives up keeps its place until QEMU reaches it: if we filled it, a
 * unit's ExecStop could not even get in.
 */
export async function roomInQueue(
  socketPath: string,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<Crowded | null> {
  const patience = new Deadline(ms);
  try {
    const fault = await room(socketPath, patience, signal);
    return fault === null ? null : { fault, late: patience.late };
  } finally {
    patience.end();
  }
}

async function room(
  socketPath: string,
  patience: Deadline,
  signal: AbortSignal | undefined,
): Promise<QmpFault | null> {
  for (;;) {
    const { accepted, waiting } = await connections(socketPath);
    if (waiting === 0) return null;
    if (patience.left() <= 0) {
      const others = ofOthers(socketPath, accepted);
      if (others > 0) return 'busy';
      return accepted.length > 0 ? 'main-loop-stuck' : 'no-greeting';
    }
    await sleep(ROOM_POLL_MS);
    signal?.throwIfAborted();
  }
}

function ofOthers(socketPath: string, accepted: readonly number[]): number {
  const ours = leftBehind.get(socketPath);
  return accepted.filter((inode) => ours?.has(inode) !== true).length;
}

async function connections(socketPath: string): Promise<UnixConnections> {
  try {
    return connectionsTo(socketPath, await readFile('/proc/net/unix', 'utf8'));
  } catch {
    return { accepted: [], waiting: 0 };
  }
}
