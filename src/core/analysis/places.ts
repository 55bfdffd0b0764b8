import { isStorage, isVirtiofs, serverFault, serverIs, stuckText } from '../host/share-server.js';
import { diskOf } from '../kernel-lines/devices.js';
import type { Share, Task } from '../model.js';
import { type Backend, backendOf } from './backends.js';
import { type BootPlace, onlyMount } from './boot-places.js';
import { suspectOf } from './devices.js';
import { firmSymbols, operationFrame } from './frames.js';
import { awaitsAnswer, provenPlace } from './proven-place.js';
import { waitOf } from './wait-kinds.js';
import { layerOf } from './layers.js';
import type { SeenTrouble } from './log-places.js';
import { beginning } from './patterns.js';
import { isUnknownModule, subjectOf, subjectOfSymbol } from './subjects.js';
import { SUBSYSTEMS } from '../subsystems.js';

/** What is known from outside the dumps. */
export interface AnalysisContext {
  /** Seconds between the first and the second dump of blocked tasks, by the host's clock; null if unknown. */
  secondsBetweenLooks: number | null;
  /** What servers of the host give this guest, with the state of each; empty if unknown. */
  shares: Share[];
  /** From QEMU or from the boot log; null if unknown. */
  kernelCommandLine: string | null;
  /** Filesystems that the log names, for logs without a QEMU to ask. */
  bootPlaces?: BootPlace[];
  /** A task that only sleeps oddly is not told: whoever decides by the verdict takes it for an accusation. */
  proofOnly?: true;
  /** Devices and servers that failed by the log, in the order of the log. */
  troubles?: SeenTrouble[];
}

export interface Place {
  /** Last part of the title; null if no frame and nothing from outside tells. */
  where: string | null;
  /** The same in fewer words. */
  brief?: string;
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

/**
 * Where a stuck task's wait ends: a filesystem, a server, a layer of the kernel. `dump` is the first that shows it stuck,
 * by index among those of its boot.
 */
export function placeOf(task: Task, context: AnalysisContext, dump: number): Place {
  const backend = backendOf(task.frames);
  const subject = subjectOf(task.frames);
  const named = subject === null || subject.general === true ? null : subject.name;
  const proven = fromMemory(task, named, context);
  if (proven) return proven;
  const share = shareOf(task, named, context);
  if (share) return share;
  const found = deviceOf(named, task, context, dump);
  const where = found.where ?? backend?.where ?? lockTaker(named, task) ?? named;
  return {
    where: where === null ? null : where + calledFrom(named, task) + workerOf(task),
    inferred: found.inferred ?? [],
    outside: found.outside ?? 'none',
  };
}

/** What memory shows of the wait, where it is for a filesystem: nothing is inferred then. */
function fromMemory(task: Task, named: string | null, context: AnalysisContext): Place | null {
  const found = task.objects === undefined ? null : provenPlace(task, context.shares);
  if (!found) return null;
  const its = /^filesystem (\w+)$/.exec(named ?? '')?.[1];
  const same = its !== undefined && found.type.startsWith(its);
  if (!same && !awaitsAnswer(waitOf(task)?.kind ?? null)) return null;
  const outside = found.dead ? 'dead' : 'none';
  const where = named === null || same || SHARED.test(found.type) ? found.where : `${named}, ${found.where}`;
  return { where: where + workerOf(task), brief: found.brief, inferred: [], outside };
}

const SHARED = /^(?:fuse|fuseblk|virtiofs|9p)$/;

/** A share of the host, where the stack is that of one, or reads a page of whatever file. */
function shareOf(task: Task, named: string | null, context: AnalysisContext): Place | null {
  const operation = operationFrame(task.frames);
  const shared =
    backendOf(task.frames)?.shared === true ||
    firmSymbols(task.frames).some((name) => SHARED_METHOD.test(name));
  const anyFile = operation !== null && PAGE_WAIT.test(operation.symbol) && named === null;
  return shared || anyFile ? fromOutside(context, shared) : null;
}

/** What a worker's own line says of its device: `flush-8:1`, a queue such as `xfs-inodegc/vdb`. */
function workerOf({ workqueue }: Task): string {
  const { name = '', about = '' } = workqueue ?? {};
  const told = /^flush-\S{1,40}$/.exec(about) ?? /^[\w-]{1,30}\/[\w.-]{1,30}$/.exec(name);
  return told ? ` (${told[0]})` : '';
}

/** The device below, or the server behind, what the stack names: where host and log leave no choice. */
function deviceOf(named: string | null, task: Task, context: AnalysisContext, dump: number): Partial<Place> {
  const mount = mountOf(named, context);
  return (
    (named === 'the block layer' ? servedDisk(context.shares) : null) ??
    failedBefore(named, task, context, mount, dump) ??
    mountPlace(mount) ??
    rootServer(backendOf(task.frames), context.kernelCommandLine) ??
    {}
  );
}

interface Mount {
  filesystem: string;
  device: string;
}

function mountOf(named: string | null, { bootPlaces = [] }: AnalysisContext): Mount | null {
  const filesystem = /^filesystem (\w+)$/.exec(named ?? '')?.[1];
  const device = filesystem === undefined ? null : onlyMount(bootPlaces, filesystem);
  return filesystem === undefined || device === null ? null : { filesystem, device };
}

function mountPlace(mount: Mount | null): Partial<Place> | null {
  if (mount === null) return null;
  const { filesystem, device } = mount;
  const inferred = `That it is on ${device} is inferred: of the log's filesystems it alone is ${filesystem}.`;
  return { where: `filesystem ${filesystem} on ${device} (inferred)`, inferred: [inferred] };
}

/** The log says that a device or a server failed that the wait is about. */
function failedBefore(
  named: string | null,
  task: Task,
  { troubles = [] }: AnalysisContext,
  mount: Mount | null,
  dump: number,
): Partial<Place> | null {
  const suspect = suspectOf(task, mount && diskOf(mount.device), troubles, dump);
  if (!suspect) return null;
  const where = named === null || suspect.alone ? suspect.where : `${named}, ${suspect.where}`;
  return { where, inferred: [suspect.inferred] };
}

/** Whose code takes such a lock says more than the name of the lock, or of the helper that takes it, once again. */
const TAKEN_FOR_OTHERS = /^(?:_*rtnl_lock\w*|_*lock_sock\w*)$/;

function lockTaker(named: string | null, { frames }: Task): string | null {
  const names = firmSymbols(frames);
  const helper = operationFrame(frames)?.symbol ?? '';
  const socket = /^_*lock_sock/.test(helper);
  if (named !== 'the RTNL mutex' && !socket) return null;
  const outwards = names
    .slice(names.findLastIndex((name) => TAKEN_FOR_OTHERS.test(name)) + 1)
    .filter((name) => layerOf(name) === 'operation');
  const driver = socket ? undefined : outwards.find((name) => subjectOfSymbol(name) === null);
  const taker = driver ?? outwards[0];
  if (taker === undefined) return null;
  const part = socket ? (partOf(taker) ?? named) : null;
  return `wanted by ${taker}${part === null ? '' : `, ${part}`}`;
}

function partOf(symbol: string): string | null {
  const subject = subjectOfSymbol(symbol);
  return subject === null || subject.general === true ? null : subject.name;
}

/** A driver that no table knows may be the one that calls the kernel's own code at the wrong time. */
function calledFrom(named: string | null, { frames }: Task): string {
  if (named === null || named.startsWith('module ')) return '';
  const own = operationFrame(frames)?.module ?? null;
  const caller = frames.find(
    ({ module, reliable }) => reliable && module !== null && module !== own && isUnknownModule(module),
  );
  return typeof caller?.module === 'string' ? `, called by module ${caller.module}` : '';
}

function rootServer(backend: Backend | null, commandLine: string | null): Partial<Place> | null {
  if (backend?.rootParameter === undefined) return null;
  const { where, rootParameter } = backend;
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
  if (!isStorage(share)) return null;
  const fault = serverFault(share);
  if (fault !== null) return `${serverOf(share)} ${fault}`;
  const stuck = stuckText(share);
  return stuck && `${serverOf(share)} is itself ${stuck}`;
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
