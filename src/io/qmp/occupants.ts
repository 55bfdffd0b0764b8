import { readFile } from 'node:fs/promises';
import { connectionsTo, type UnixConnections } from '../../core/host/unix-table.js';
import { setTimeout as sleep } from 'node:timers/promises';
import type { QmpFault } from '../../core/model.js';

/**
 * Connections of ours that QEMU had accepted when it stopped answering. A stuck QEMU does not notice that we hung
 * up: without this, our own dead connection would be taken for another client, and a stuck QEMU for a busy one.
 */
const leftBehind = new Map<string, Set<number>>();

/** To be called before hanging up on a QEMU that greeted and then went silent. */
export async function leaveBehind(socketPath: string): Promise<void> {
  const { accepted } = await connections(socketPath);
  // With more than one it is not known which is ours.
  const [inode] = accepted;
  if (accepted.length === 1 && inode !== undefined) leftBehind.set(socketPath, new Set([inode]));
}

/** To be called when QEMU has answered: what it answers, it has also cleaned up. */
export function forget(socketPath: string): void {
  leftBehind.delete(socketPath);
}

/**
 * Why QEMU does not greet: another client is served, QEMU is known to be stuck, or it serves nobody at all. To be
 * called while our own connection is still open. Where clients wait in the backlog besides us, an accepted one is
 * taken for the other. `assumed` holds where the kernel's table does not show the socket.
 */
export async function whyNoGreeting(socketPath: string, assumed: QmpFault): Promise<QmpFault> {
  const { accepted, waiting } = await connections(socketPath);
  if (accepted.length + waiting === 0) return assumed;
  const others = ofOthers(socketPath, accepted);
  if (others >= 2 || (others === 1 && waiting > 0)) return 'busy';
  return others < accepted.length ? 'main-loop-stuck' : 'no-greeting';
}

const ROOM_POLL_MS = 25;

/**
 * Waits until nobody waits in QEMU's queue of clients, and resolves with null; with the reason why it does not move
 * after `ms`. The queue has two places, and who gives up stays in his until QEMU comes to it: were we to fill it, a
 * unit's ExecStop would not even get in.
 */
export async function roomInQueue(
  socketPath: string,
  ms: number,
  signal: AbortSignal | undefined,
): Promise<QmpFault | null> {
  const until = performance.now() + ms;
  for (;;) {
    const { accepted, waiting } = await connections(socketPath);
    if (waiting === 0) return null;
    if (performance.now() >= until) {
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
