/** A guest as its QEMU's own process shows it: what it is called, and where its QMP and its console are. */
import { vmNameProblem } from '../vm-name.js';
import { domainOf, nameOf, qmpAddressIn } from './argv.js';
import { OF_QEMU, printedFilesOf } from './consoles.js';
import { serviceOf } from './units.js';

interface QemuSeen {
  pid: number;
  argv: readonly string[];
  /** The text of /proc/PID/cgroup. */
  cgroup: string;
  /** Where a descriptor of it leads: the target of the link in /proc/PID/fd. */
  link: (fd: number) => string | null;
  /** The URI of its user's libvirt. */
  libvirt: string;
}

export interface FoundGuest {
  /** Of libvirt, which knows its console. */
  isDomain: boolean;
  vm: string;
  pid: number;
  /** As the configuration writes it; null where this QEMU serves none. */
  qmp: string | null;
  /** The file that its console is written to; null for none. */
  consoleFile: string | null;
  /** Its service, where the journal has the console. */
  unit: string | null;
}

/** `taken`: names of others. Two of one name are told apart by their process, as virtme-ng calls all of its guests alike. */
export function foundGuest(
  { pid, argv, cgroup, link, libvirt }: QemuSeen,
  taken: ReadonlySet<string>,
): FoundGuest {
  const given = nameOf(argv) ?? '';
  const name = vmNameProblem(given) === null ? given : `qemu-${pid}`;
  return {
    vm: taken.has(name) ? `${name}-${pid}` : name,
    pid,
    isDomain: domainOf(argv) !== null,
    qmp: qmpAddressIn(argv, libvirt),
    consoleFile: consoleFileBy(argv, link),
    unit: logs(argv, link) ? serviceOf(cgroup) : null,
  };
}

function consoleFileBy(argv: readonly string[], link: QemuSeen['link']): string | null {
  for (const path of printedFilesOf(argv)) {
    const fd = OF_QEMU.exec(path)?.[1];
    const real = fileOf(fd === undefined ? path : link(Number(fd)));
    if (real !== null) return real;
  }
  return null;
}

/** Not a pipe, a terminal or a socket: those have one reader, and it is not this one. */
const fileOf = (target: string | null): string | null =>
  target?.startsWith('/') === true && !/^\/(?:dev|proc|memfd:)/.test(target) && !target.endsWith(' (deleted)')
    ? target
    : null;

/** systemd connects standard output to journald by a socket. */
const logs = (argv: readonly string[], link: QemuSeen['link']): boolean =>
  printedFilesOf(argv).includes('/dev/fd/1') && link(1)?.startsWith('socket:') === true;
