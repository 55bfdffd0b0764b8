/** Whether what the log says of a device or a server explains a hang: it came before, and the hang is about it. */
import { calledOf, type TroubleKind } from '../kernel-lines/devices.js';
import type { Task } from '../model.js';
import { backendOf } from './backends.js';
import { operationFrame } from './frames.js';
import type { SeenTrouble } from './log-places.js';
import { subjectOf } from './subjects.js';
import { waitOf } from './wait-kinds.js';

interface Suspect {
  /** For the end of a title, behind the part of the kernel. */
  where: string;
  inferred: string;
  /** It says more than the part of the kernel that waits for it. */
  alone: boolean;
}

/** The one device or server that failed and that this task's wait is about; null where none is, or there is a choice. */
export function suspectOf(
  task: Task,
  mountedFrom: string | null,
  troubles: readonly SeenTrouble[],
  dump: number,
): Suspect | null {
  const about = troubles.filter((trouble) => isAbout(trouble, task));
  const own = deviceOf(task) ?? mountedFrom;
  const fitting = own === null ? about : about.filter(({ name }) => name === null || mayBe(name, own));
  const trouble = theOnly(fitting);
  if (!trouble) return null;
  const called = calledOf(trouble);
  const sure = trouble.dumpsBefore <= dump && !trouble.over && operationFrame(task.frames) !== null;
  const when = trouble.dumpsBefore <= dump ? 'before the hang' : 'during the hang';
  return {
    where: sure ? `${called}, ${trouble.row.did} (inferred)` : `perhaps ${called} (inferred)`,
    inferred: `${called} is inferred: ${when} the log says "${trouble.line}"${trouble.over ? ', and later that it answers again' : ''}, and the like of no other.`,
    alone: sure || trouble.row.kind === 'server',
  };
}

/** What the log says of the others, as reasons. */
export const troubleReasons = (troubles: readonly SeenTrouble[], told: readonly string[]): string[] =>
  troubles
    .filter(({ line }) => !told.some((sentence) => sentence.includes(line)))
    .slice(0, TOLD_MAX)
    .map((trouble) => `The log says as well of ${calledOf(trouble)}: "${trouble.line}".`);

const TOLD_MAX = 3;

/** A disk's name, and the controller or the port that it hangs on. */
const mayBe = (name: string, disk: string): boolean =>
  isOne(name, disk) || !NAMED_DISK.test(name) || !NAMED_DISK.test(disk);

const NAMED_DISK = /^(?:sd|vd|xvd|hd|nvme|mmcblk)/;

/** `jbd2/sdc1-8`, `xfsaild/vda2`, a queue such as `xfs-conv/sdb1`. */
function deviceOf({ comm, workqueue }: Task): string | null {
  const told =
    /^(?:jbd2|xfsaild|dmcrypt_write)\/([\w-]{2,15}?)(?:-\d+)?$/.exec(comm) ??
    /^xfs-\w+\/(\w{2,15})$/.exec(workqueue?.name ?? '');
  return (
    told?.[1]
      ?.replace(/^((?:sd|vd|xvd|hd)[a-z]{1,3})\d+$/, '$1')
      .replace(/^(nvme\d+n\d+|mmcblk\d+)p\d+$/, '$1') ?? null
  );
}

function theOnly(troubles: readonly SeenTrouble[]): SeenTrouble | undefined {
  const named = troubles.filter(({ name }) => name !== null);
  const disks = named.filter(({ name }) => NAMED_DISK.test(name ?? ''));
  // A port fails with its disk: the disk's own name says more.
  const telling = [disks, named].find(({ length }) => length > 0) ?? troubles;
  const [first] = telling;
  const one = telling.every(({ name }) => isOne(first?.name ?? '', name ?? ''));
  return one ? (telling.find(({ over }) => !over) ?? first) : undefined;
}

/** `nvme0` and `nvme0n1` are one. */
const isOne = (name: string, other: string): boolean =>
  name === other || name.startsWith(`${other}n`) || other.startsWith(`${name}n`);

const SERVERS: Readonly<Record<string, string>> = { nfs: 'NFS', smb: 'SMB', ceph: 'Ceph' };

interface Wanted {
  task: Task;
  /** The part of the kernel it is in, and the server that it asks; null where the stack tells none. */
  subject: ReturnType<typeof subjectOf>;
  server: string | null;
  wait: ReturnType<typeof waitOf>;
}

const ABOUT: Readonly<Record<TroubleKind, (wanted: Wanted, trouble: SeenTrouble) => boolean>> = {
  disk: (wanted) => isOnDisk(wanted),
  gpu: ({ subject, wait }) => subject?.name === 'graphics' || wait?.what.includes('GPU') === true,
  usb: ({ task, subject }, { line }) => subject?.name === 'USB' || isOfDriver(task, line),
  server: ({ server }, { row }) => server !== null && row.called.startsWith(SERVERS[server] ?? '-'),
  filesystem: ({ subject }) => subject?.name === 'filesystem xfs',
  memory: ({ wait }) => wait?.kind === 'reclaim',
  time: () => false,
};

/** The line begins with the name of a driver whose module, or whose family's, the wait is in. */
function isOfDriver(task: Task, line: string): boolean {
  const driver = /(?:^|\s)([a-z]\w{2,16}) [\da-f]{1,4}[-:][\da-f.:-]+: /.exec(line)?.[1];
  const module = operationFrame(task.frames)?.module;
  if (driver === undefined || module === undefined || module === null) return false;
  return module.slice(0, FAMILY) === driver.slice(0, FAMILY);
}

const FAMILY = 5;

function isAbout(trouble: SeenTrouble, task: Task): boolean {
  const { kind } = trouble.row;
  // Without a stack it may be about anything that failed.
  if (operationFrame(task.frames) === null) return kind !== 'memory' && kind !== 'time';
  const subject = subjectOf(task.frames);
  const named = /^filesystem (nfs|smb|ceph)$/.exec(subject?.name ?? '')?.[1];
  const server = backendOf(task.frames)?.kind ?? named ?? null;
  return ABOUT[kind]({ task, subject, server, wait: waitOf(task) }, trouble);
}

function isOnDisk({ subject, server, wait }: Wanted): boolean {
  if (server !== null) return false;
  if (subject === null) return wait !== null && IO.has(wait.kind);
  if (SERVED_ELSEWHERE.has(subject.name)) return false;
  return ON_DISK.has(subject.layer) || DISK_DRIVERS.has(subject.name);
}

const IO: ReadonlySet<string> = new Set([
  'page',
  'buffer',
  'io',
  'block-io',
  'block-tag',
  'queue-freeze',
  'writeback',
]);
const ON_DISK: ReadonlySet<string> = new Set(['block', 'journal', 'filesystem']);
const DISK_DRIVERS: ReadonlySet<string> = new Set(['NVMe', 'SCSI or ATA', 'MMC']);
const SERVED_ELSEWHERE: ReadonlySet<string> = new Set([
  'FUSE',
  'filesystem nfs',
  'filesystem smb',
  'filesystem ceph',
  'filesystem 9p',
  'filesystem afs',
  'filesystem lustre',
  'the automounter',
  'kernfs or proc',
]);
