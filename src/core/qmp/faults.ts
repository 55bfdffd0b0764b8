import type { QmpFault } from '../model.js';

/** What each fault means and what to do about it; ends every message of a QMP error. */
export const QMP_ADVICE: Readonly<Record<QmpFault, string>> = {
  missing: 'nothing listens there; start the guest, or give it -qmp unix:PATH,server=on,wait=off',
  busy: 'a QMP socket serves one client; close the other one, or give QEMU a second -qmp socket',
  'no-greeting': 'QEMU does not serve the socket: it is stopped, or stuck; see the state of its process',
  'main-loop-stuck':
    "QEMU's main loop is stuck; look for a backend that it waits for (virtiofsd, NFS, a disk)",
  closed: 'QEMU hung up: it is ending, or the guest was restarted; try again',
  timeout: 'QEMU is slow or stuck; try again, and raise qmp.timeout on a host that is busy',
  protocol: 'that is not the QMP socket of a QEMU; correct the path in the configuration',
  refused:
    'QEMU refused the command, and says why; where it has not found the command, its version is too old',
  'no-resources':
    'this host has no descriptors or memory left for wedgewatch: raise LimitNOFILE= in its unit, or free some',
  'no-permission': 'run wedgewatch as the user that runs QEMU, or open the socket to its group',
  'no-libvirt': 'install libvirt-clients, and try: virsh --connect URI list',
};

const CONNECT_FAULTS: Readonly<Record<string, QmpFault>> = {
  EACCES: 'no-permission',
  EPERM: 'no-permission',
  EAGAIN: 'busy',
  EMFILE: 'no-resources',
  ENFILE: 'no-resources',
  ENOBUFS: 'no-resources',
  ENOMEM: 'no-resources',
  EPIPE: 'closed',
  ECONNRESET: 'closed',
};

/** The fault behind the errno of connect(2) to a unix socket. Whatever means that nobody listens is `missing`. */
export function connectFault(code: string | undefined): QmpFault {
  return CONNECT_FAULTS[code ?? ''] ?? 'missing';
}
