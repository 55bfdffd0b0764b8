import { isStorage, isVirtiofs, serverFault, serverIs } from '../host/share-server.js';
import type { Share, Task } from '../model.js';
import { type Backend, backendOf } from './backends.js';
import { type BootPlace, onlyFailing, onlyMount } from './boot-places.js';
import { firmFrames, operationFrame } from './frames.js';
import { baseSymbol } from './layers.js';
import { beginning } from './patterns.js';
import { subjectOf } from './subjects.js';
import { SUBSYSTEMS } from '../subsystems.js';

/** What is known from outside the dumps. */
export interface AnalysisContext {
  /** Seconds between the first and the second dump of blocked tasks, by the host's clock; null if unknown. */
  secondsBetweenLooks: number | null;
  /** What servers of the host give this guest, with the state of each; empty if unknown. */
  shares: Share[];
  /** From QEMU or from the boot log; null if unknown. */
  kernelCommandLine: string | null;
  /** Filesystems and disks that the log names, for logs without a QEMU to ask. */
  bootPlaces?: BootPlace[];
  /** A task that only sleeps oddly is not told: whoever decides by the verdict takes it for an accusation. */
  proofOnly?: true;
}

export interface Place {
  /** Last part of the title; null if no frame and nothing from outside tells. */
  where: string | null;
  /** What was taken from outside the guest, as sentences. */
  inferred: string[];
  /** How the outside agrees: one dead server proves it, several leave a choice, living ones cast doubt. */
  outside: 'dead' | 'several' | 'doubtful' | 'none';
}

/** Waits for a page's data, of whatever file. */
const PAGE_WAIT = /^(?:filemap_fault|filemap_read|generic_file_buffered_read|do_read_cache_(?:page|folio))$/;
/** Methods of a filesystem whose servers may be those of the guest's shares. */
const SHARED_METHOD = beginning(
  SUBSYSTEMS.flatMap(({ server }) => (server?.shared === true ? server.methods : [])),
);
const MOST_LISTED = 3;

/** Where a stuck task's wait ends: a filesystem, a server, a layer of the kernel. */
export function placeOf(task: Task, context: AnalysisContext): Place {
  const backend = backendOf(task.frames);
  const names = firmFrames(task.frames).map(({ symbol }) => baseSymbol(symbol));
  const operation = operationFrame(task.frames);
  const subject = subjectOf(task.frames);
  const named = subject === null || subject.general === true ? null : subject.name;
  const shared = backend?.shared === true || names.some((name) => SHARED_METHOD.test(name));
  const anyFile = operation !== null && PAGE_WAIT.test(operation.symbol) && named === null;
  if (shared || anyFile) {
    const place = fromOutside(context, shared);
    if (place) return place;
  }
  const device = deviceOf(named, task, context);
  const { where = backend?.where ?? named, inferred = [], outside = 'none' } = device;
  return { where: where === null ? null : where + workerOf(task), inferred, outside };
}

/** What a worker's own line says of its device: `flush-8:1`, a queue such as `xfs-inodegc/vdb`. */
function workerOf({ workqueue }: Task): string {
  const { name = '', about = '' } = workqueue ?? {};
  const told = /^flush-\S{1,40}$/.exec(about) ?? /^[\w-]{1,30}\/[\w.-]{1,30}$/.exec(name);
  return told ? ` (${told[0]})` : '';
}

/** The device below a filesystem that the stack names, or a disk that reported errors: where the log leaves no choice. */
function deviceOf(
  named: string | null,
  task: Task,
  { bootPlaces = [], kernelCommandLine, shares }: AnalysisContext,
): Partial<Place> {
  const filesystem = /^filesystem (\w+)$/.exec(named ?? '')?.[1];
  const device = filesystem === undefined ? null : onlyMount(bootPlaces, filesystem);
  if (filesystem !== undefined && device !== null) {
    const inferred = `That it is on ${device} is inferred: of the log's filesystems it alone is ${filesystem}.`;
    return { where: `filesystem ${filesystem} on ${device} (inferred)`, inferred: [inferred] };
  }
  const backend = backendOf(task.frames);
  const root = backend === null ? null : rootServer(backend, kernelCommandLine);
  if (root !== null) return root;
  if (named !== 'the block layer') return {};
  const served = servedDisk(shares);
  if (served !== null) return served;
  const disk = onlyFailing(bootPlaces);
  if (disk === null) return {};
  const inferred = `${disk} is inferred: the log has I/O errors or timeouts of this disk alone.`;
  return { where: `the block layer, perhaps disk ${disk} (inferred)`, inferred: [inferred] };
}

function rootServer({ where, rootParameter }: Backend, commandLine: string | null): Partial<Place> | null {
  if (rootParameter === undefined) return null;
  const share = new RegExp(`\\b${rootParameter}=([^\\s,]{1,100})`).exec(commandLine ?? '')?.[1];
  if (share === undefined) return null;
  const inferred = `${share} is inferred from ${rootParameter}= on the kernel's command line.`;
  return { where: `${where}, perhaps ${share} (inferred)`, inferred: [inferred] };
}

/** The one disk of this guest whose server on the host does not answer. */
function servedDisk(shares: readonly Share[]): Partial<Place> | null {
  const dead = shares.filter((one) => !isVirtiofs(one) && faultOf(one) !== null);
  const [disk] = dead;
  if (disk === undefined || dead.length > 1) return null;
  const fault = faultOf(disk) ?? '';
  const inferred = `${nameOf(disk)} is inferred: of this guest's disks its server alone does not answer (${fault}).`;
  return {
    where: `the block layer, disk ${nameOf(disk)} (inferred; ${fault})`,
    inferred: [inferred],
    outside: 'dead',
  };
}

/** What is wrong with a server on the host that tasks may wait for, in words; null if it runs or is not known. */
function faultOf(share: Share): string | null {
  const fault = isStorage(share) ? serverFault(share) : null;
  return fault && `${serverOf(share)} ${fault}`;
}

const serverOf = (share: Share): string => (isVirtiofs(share) ? 'virtiofsd' : 'its server');

const nameOf = (share: Share): string =>
  isVirtiofs(share) ? `virtiofs:${share.tag}` : `vhost-user-${share.kind ?? ''}:${share.tag}`;

/** Whether a server of this guest on the host is stopped or gone. */
export const anyServerDead = ({ shares }: AnalysisContext): boolean =>
  shares.some((share) => faultOf(share) !== null);

function fromOutside(context: AnalysisContext, fuse: boolean): Place | null {
  const shares = context.shares.filter(fuse ? isVirtiofs : isStorage);
  const dead = shares.filter((share) => faultOf(share) !== null);
  const unknown = shares.filter((share) => serverIs(share) === 'unknown');
  const one = dead.length === 1 ? dead[0] : undefined;
  if (one) {
    const fault = faultOf(one) ?? '';
    const inferred = [
      `${nameOf(one)} is inferred: the stack names no filesystem; of this guest's shares its server alone does not answer (${fault}).`,
      ...(unknown.length === 0 ? [] : [`Whether ${tags(unknown)} is served is not known.`]),
    ];
    const what = isVirtiofs(one) ? 'filesystem' : 'disk';
    return { where: `${what} ${nameOf(one)} (inferred; ${fault})`, inferred, outside: 'dead' };
  }
  if (dead.length > 1) {
    const inferred = [
      `The servers of several shares are dead or stopped (${tags(dead)}); the stack does not say which one it is.`,
    ];
    return {
      where: `one of ${tags(dead)} (inferred; their servers are stopped or gone)`,
      inferred,
      outside: 'several',
    };
  }
  return shares.length > 0 ? perhaps(shares, unknown) : fromLog(context, fuse);
}

/** None is known to be at fault. That one is not known speaks neither for the wait nor against it. */
function perhaps(shares: readonly Share[], unknown: readonly Share[]): Place {
  const which = shares.length === 1 ? `perhaps ${tags(shares)}` : `perhaps one of ${tags(shares)}`;
  const [first] = unknown;
  if (first !== undefined) {
    const because = first.because === undefined ? '' : ` (${first.because})`;
    const inferred = [
      `The guest has ${tags(shares)}; that the wait is for one is a guess, and whether ${tags(unknown)} is served is not known${because}.`,
    ];
    const server = shares.length === 1 ? 'its server is not known' : 'not all servers are known';
    return { where: `${which} (inferred; ${server})`, inferred, outside: 'none' };
  }
  const inferred = [
    `The guest has ${tags(shares)}, and each server runs on the host; that the wait is for one is a guess.`,
  ];
  const server = shares.every(isVirtiofs) ? 'virtiofsd runs' : 'each server runs';
  return { where: `${which} (inferred; ${server})`, inferred, outside: 'doubtful' };
}

const tags = (shares: readonly Share[]): string => {
  const more = shares.length > MOST_LISTED ? ` and ${shares.length - MOST_LISTED} more` : '';
  return shares.slice(0, MOST_LISTED).map(nameOf).join(', ') + more;
};

/** Without QEMU to ask, the guest's own words about its root or its mounts. */
function fromLog({ kernelCommandLine, bootPlaces }: AnalysisContext, fuse: boolean): Place | null {
  const root = /\brootfstype=virtiofs\b/.test(kernelCommandLine ?? '')
    ? /\broot=([^\s,]{1,64})/.exec(kernelCommandLine ?? '')?.[1]
    : undefined;
  if (root !== undefined) {
    const inferred = [`virtiofs:${root} is inferred from root= on the kernel's command line.`];
    return {
      where: `filesystem virtiofs:${root} (inferred from the command line)`,
      inferred,
      outside: 'none',
    };
  }
  if (!bootPlaces?.some(({ filesystem }) => filesystem === 'virtiofs')) return null;
  return {
    where: `${fuse ? '' : 'perhaps '}a virtiofs share (inferred from the boot log)`,
    inferred: ['That it is a virtiofs is inferred from the boot log, which names one.'],
    outside: 'none',
  };
}
