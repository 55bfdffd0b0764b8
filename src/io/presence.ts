/** Whether QEMU serves its QMP: asked once a second for each guest, so the cheapest sign that there is. */
import { qmpAddressOf } from '../core/qmp-address.js';
import { monotonicMs } from './clock.js';
import { findQemu, type Whose } from './qemu-process.js';
import { listens } from './qmp/tcp-occupants.js';
import { isSocket } from './unix-sockets.js';

/** A process is looked for among all there are. */
const KEPT_MS = 2_000;
const FIND_MS = 1_500;

const known = new Map<string, { at: number; there: boolean }>();
const KNOWN_MAX = 1_000;

/** False where it surely is not: on another host it is always true. */
export async function isThere(whose: Whose): Promise<boolean> {
  const address = qmpAddressOf(whose.qmpSocket);
  switch (address?.kind) {
    case undefined:
      return false;
    case 'unix':
      return isSocket(address.path);
    case 'tcp':
      return listens(address.host, address.port);
    case 'libvirt':
      return runs(whose);
  }
}

async function runs(whose: Whose): Promise<boolean> {
  const before = known.get(whose.qmpSocket);
  const now = monotonicMs();
  if (before !== undefined && now - before.at < KEPT_MS) return before.there;
  const deadline = AbortSignal.timeout(FIND_MS);
  const found = await findQemu(whose, deadline);
  const there = found !== null || (deadline.aborted && before?.there === true);
  known.delete(whose.qmpSocket);
  known.set(whose.qmpSocket, { at: now, there });
  const [oldest] = known.keys();
  if (known.size > KNOWN_MAX && oldest !== undefined) known.delete(oldest);
  return there;
}
