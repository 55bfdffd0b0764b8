/** Finds the QEMU process of a guest, and reads its arguments. Without QMP, whose socket serves one client. */
import { realpath } from 'node:fs/promises';
import { isQemu, isQemuOf, qmpSocketsOf } from '../core/host/argv.js';
import { qmpAddressOf } from '../core/qmp-address.js';
import { type Machine, machineOf } from '../core/host/machine.js';
import { monotonicMs } from './clock.js';
import { readArgv, scanProcesses } from './proc.js';
import { actsFor, usersBehind } from './trust.js';

interface QemuProcess {
  pid: number;
  argv: string[];
}

export interface Whose {
  qmpSocket: string;
  /** The process that was this guest's QEMU before, if any: it is asked first. */
  pid: number | null;
  /** The first that wrote under the guest's unit: QEMU, a wrapper of it, or a helper such as varlinkctl. */
  writer?: number | null;
}

const IDENTIFY_MS = 2_000;
/** Guests that are found at once share a reading of /proc. */
const SCAN_KEPT_MS = 1_000;

/**
 * The QEMU whose arguments name the guest's QMP socket; else the unit's first writer, where that is a QEMU and not
 * another guest's. Null if neither is there: a process that merely wrote is nobody's, and one of a user who is neither
 * this one nor the socket's owner may say anything.
 */
export async function findQemu(
  { qmpSocket, pid, writer = null }: Whose,
  signal: AbortSignal,
  scan: (signal: AbortSignal) => Promise<QemuProcess[]> = scanQemus,
): Promise<QemuProcess | null> {
  const users = await usersOf(qmpSocket);
  const likely = [...new Set([pid, writer])].filter((one) => one !== null);
  const wrote = new Map<number, string[]>();
  for (const one of likely) {
    const argv = await readArgv(one, signal);
    if (argv === null || !(await actsFor(one, users))) continue;
    if (isQemuOf(argv, qmpSocket)) return { pid: one, argv };
    if (one === writer) wrote.set(one, argv);
  }
  for (const found of await scan(signal))
    if (isQemuOf(found.argv, qmpSocket) && (await actsFor(found.pid, users))) return found;
  for (const [one, argv] of wrote) if (await mayServe(argv, qmpSocket)) return { pid: one, argv };
  return null;
}

/** libvirt's own directory is its QEMUs' user's, where root's libvirt runs them as one of their own. */
const LIBVIRT = '/var/lib/libvirt/qemu';

function usersOf(address: string): Promise<Set<number>> {
  const found = qmpAddressOf(address);
  if (found?.kind === 'libvirt' && found.uri !== null && !found.uri.endsWith('/session'))
    return usersBehind(LIBVIRT);
  return usersBehind(found?.kind === 'unix' ? found.path : '/proc/self');
}

/** A QEMU that names QMP by a link, a relative path or a file; its pid may now be another guest's. */
async function mayServe(argv: readonly string[], socket: string): Promise<boolean> {
  if (!isQemu(argv) || !socket.startsWith('/')) return false;
  const told = qmpSocketsOf(argv);
  if (told.length === 0) return true;
  const real = (path: string) => realpath(path).catch(() => path);
  const own = await real(socket);
  return (await Promise.all(told.map(real))).includes(own);
}

const scanQemus = (signal: AbortSignal): Promise<QemuProcess[]> =>
  scanProcesses((pid, argv) => (isQemu(argv) ? { pid, argv } : null), signal);

let shared: { at: number; found: Promise<QemuProcess[]> } | null = null;

function scanShared(): Promise<QemuProcess[]> {
  const now = monotonicMs();
  if (shared === null || now - shared.at >= SCAN_KEPT_MS)
    shared = { at: now, found: scanQemus(AbortSignal.timeout(IDENTIFY_MS)) };
  return shared.found;
}

/** Reads the arguments of the guest's QEMU, within two seconds; null if it is not found. Never throws. */
export async function identify(whose: Whose, signal?: AbortSignal): Promise<Machine | null> {
  const deadline = AbortSignal.timeout(IDENTIFY_MS);
  const end = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  const found = await findQemu(whose, end, scanShared);
  return found === null ? null : machineOf(found.pid, found.argv);
}
