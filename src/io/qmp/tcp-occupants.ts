/** Who else is on a QMP port of this host. What is served on another host cannot be seen from here. */
import { readFile } from 'node:fs/promises';
import { type TcpPort, tcpPort } from '../../core/host/tcp-table.js';
import type { QmpFault } from '../../core/model.js';
import { isLoopback } from '../../core/qmp-address.js';

async function readTcpPort(port: number): Promise<TcpPort | null> {
  const texts = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  return texts.every((text) => text === '') ? null : tcpPort(port, texts);
}

/** False where somebody surely does not listen. */
export async function listens(host: string, port: number): Promise<boolean> {
  if (!isLoopback(host)) return true;
  const found = await readTcpPort(port);
  return found === null || found.listens;
}

/**
 * Why QEMU accepts a connection and does not greet. Call this while our own is open. A kernel accepts for a QEMU that serves
 * somebody else, so where it cannot be seen who that is, nobody is called stuck.
 */
export async function whyNoTcpGreeting(
  host: string,
  port: number,
  ownPort: number | undefined,
): Promise<QmpFault> {
  const found = isLoopback(host) ? await readTcpPort(port) : null;
  if (found === null) return 'busy';
  return found.accepted.some((other) => other !== ownPort) ? 'busy' : 'no-greeting';
}
