/** Guests by their processes: each QEMU of this user, whoever started it. */
import { readlink } from 'node:fs/promises';
import { isQemu } from '../core/host/argv.js';
import { domainConsoleFile } from '../core/host/domain-xml.js';
import { type FoundGuest, foundGuest } from '../core/host/found-guest.js';
import { qmpAddressOf } from '../core/qmp-address.js';
import { readCgroup, scanProcesses } from './proc.js';
import { runVirsh } from './qmp/virsh.js';
import { actsFor, ownUser } from './trust.js';

const SCAN_MS = 2_000;
const VIRSH_MS = 3_000;
const GUESTS_MAX = 1_000;
/** Only QEMU's standard output and error are ever asked for. */
const DESCRIPTORS = [1, 2];

/** What is known of a QEMU while it lives: a process does not change its arguments. */
export class ProcessGuests {
  private known = new Map<number, FoundGuest>();

  /** The guests that run now. Never throws. What could not be read in time is as it was. */
  async scan(signal?: AbortSignal): Promise<FoundGuest[]> {
    const deadline = AbortSignal.timeout(SCAN_MS);
    const end = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    const seen = await scanProcesses((pid, argv) => (isQemu(argv) ? { pid, argv } : null), end);
    if (end.aborted) return [...this.known.values()];
    const next = new Map<number, FoundGuest>();
    for (const { pid, argv } of seen.slice(0, GUESTS_MAX)) {
      const before = this.known.get(pid);
      const found = before ?? (await this.describe(pid, argv, next));
      if (found !== null) next.set(pid, found);
    }
    this.known = next;
    return [...next.values()];
  }

  private async describe(
    pid: number,
    argv: readonly string[],
    next: ReadonlyMap<number, FoundGuest>,
  ): Promise<FoundGuest | null> {
    // Whatever another user starts may say anything.
    if (!(await actsFor(pid, new Set([ownUser()])))) return null;
    const links = await Promise.all(
      DESCRIPTORS.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => null)),
    );
    const taken = new Set([...this.known.values(), ...next.values()].map(({ vm }) => vm));
    const link = (fd: number) => links[DESCRIPTORS.indexOf(fd)] ?? null;
    const libvirt = ownUser() === 0 ? 'qemu:///system' : 'qemu:///session';
    const found = foundGuest({ pid, argv, cgroup: (await readCgroup(pid)) ?? '', link, libvirt }, taken);
    return found.isDomain ? { ...found, consoleFile: await domainConsole(found) } : found;
  }
}

async function domainConsole({ qmp }: FoundGuest): Promise<string | null> {
  const domain = qmpAddressOf(qmp ?? '');
  if (domain?.kind !== 'libvirt') return null;
  const { stdout } = await runVirsh(domain, ['dumpxml', '--domain', domain.domain], VIRSH_MS);
  return domainConsoleFile(stdout);
}
