import { readFile } from 'node:fs/promises';
import { connectionsTo, type UnixConnections } from '../../core/host/unix-table.js';
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
  const ours = leftBehind.get(socketPath);
  const others = accepted.filter((inode) => !ours?.has(inode));
  if (others.length >= 2 || (others.length === 1 && waiting > 0)) return 'busy';
  return others.length < accepted.length ? 'main-loop-stuck' : 'no-greeting';
}

async function connections(socketPath: string): Promise<UnixConnections> {
  try {
    return connectionsTo(socketPath, await readFile('/proc/net/unix', 'utf8'));
  } catch {
    return { accepted: [], waiting: 0 };
  }
}
