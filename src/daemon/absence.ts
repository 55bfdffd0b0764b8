import type { Guest } from './guest.js';

/**
 * Why a guest without a QMP socket does not run, or null. The journal cannot say: lines of a guest that ended before this
 * daemon started are read late. A guest that answers SSH runs, so its qmp: is wrong.
 */
export function absence({ hadSocket, state: { ssh }, settings }: Guest): string | null {
  if (hadSocket) return 'its QMP socket is gone: QEMU has ended';
  const asked = !settings.ssh.enabled || ssh.last !== null;
  if (!asked || ssh.lastOkAt !== null) return null;
  return `no QMP socket at ${settings.qmpSocket}: the guest is not started, or its qmp: is wrong`;
}
