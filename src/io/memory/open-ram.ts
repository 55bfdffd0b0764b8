/** Opens the RAM of a QEMU from outside: its shared memory, or its own; each way that is closed says why. */
import { closeSync, readFileSync, statSync } from 'node:fs';
import type { Closed } from '../../core/memory/answers.js';
import type { RamWay } from '../../core/model.js';
import { optionValues, parseOptions } from '../../core/host/argv.js';
import { memoriesOfNodes, usualRegions, type Region } from '../../core/memory/memory-map.js';
import { ownUser } from '../trust.js';
import { FileRam, openFile, type RamFile, type Segment } from './file-ram.js';
import { SavedRam } from './saved-ram.js';
import { homesOf, type Mapping, mapsOf, type SharedFile, sharedFiles } from './shared-files.js';
import type { MemorySource } from './source.js';

export interface OpenedRam {
  ok: true;
  way: RamWay;
  ram: FileRam | SavedRam;
  /** Why the ways before this one are closed, which read more. */
  instead?: Closed;
  /** Why a part of the memory is left out. */
  partly?: string;
}

const SHARE =
  'give the guest shared memory: -object memory-backend-memfd,id=mem,size=SIZE,share=on -numa node,memdev=mem';

/** Opens and closes what it finds, so that the RAM is known to open. Never throws. */
export function openRam(source: MemorySource): OpenedRam | Closed {
  try {
    const opened = openShared(source) ?? openOwn(source);
    return opened.ok ? opened : (openSaved(source, opened) ?? opened);
  } catch (error) {
    const closed: Closed = { ok: false, why: refusal(error, source.pid), fix: opens(error, source.pid) };
    return (isRefused(error) ? openSaved(source, closed) : null) ?? closed;
  }
}

/** Null where QEMU does not say where RAM lies, or could not write to a file of this user. */
function openSaved({ pid, qmpSocket, regions }: MemorySource, instead: Closed): OpenedRam | null {
  // Through libvirt each piece would be a run of virsh.
  if (regions === null || userOf(pid) !== ownUser() || qmpSocket.startsWith('libvirt:')) return null;
  return { ok: true, way: 'copies that QEMU makes', ram: new SavedRam(qmpSocket, regions), instead };
}

/** Null where most of it is in none. What of it lies in no file is read from QEMU itself, where that is open too. */
function openShared(source: MemorySource): OpenedRam | null {
  const { pid, argv, regions, hostAddresses } = source;
  const maps = mapsOf(pid);
  const files = sharedFiles(pid, maps);
  if (regions === null) {
    const segments = usualSegments(argv, files);
    return segments.length === 0 ? null : shared(files, segments);
  }
  const homes = homesOf(regions, files, maps, hostAddresses);
  const others = regions.filter(({ id }) => !homes.has(id));
  // What is shared may be a device's alone.
  if (2 * sizeOf(others) >= sizeOf(regions)) return null;
  const segments = regions.flatMap((region): Segment[] => {
    const home = homes.get(region.id);
    if (home === undefined) return [];
    return [{ ...bounds(region), file: files.indexOf(home.file), at: home.at + region.offset }];
  });
  return others.length === 0 ? shared(files, segments) : withOwn(source, others, files, segments);
}

const sizeOf = (regions: readonly Region[]): number =>
  regions.reduce((sum, { first, end }) => sum + end - first, 0);

const shared = (files: readonly RamFile[], segments: readonly Segment[]) => ({
  ok: true as const,
  way: 'shared memory' as const,
  ram: new FileRam(files, segments),
});

/** `others`: what is not shared. */
function withOwn(
  source: MemorySource,
  others: readonly Region[],
  files: readonly SharedFile[],
  segments: readonly Segment[],
): OpenedRam {
  const refused = ownRefused(source.pid);
  if (refused !== null) {
    const partly = `${Math.round(sizeOf(others) / 2 ** 20)} MB of its memory cannot be read: ${refused.why}`;
    return { ...shared(files, segments), partly };
  }
  const own = toldSegments(source, others).map((segment) => ({ ...segment, file: files.length }));
  const all = [...segments, ...own].sort((a, b) => a.first - b.first);
  return shared([...files, { path: ownPath(source.pid), identity: null }], all);
}

/** Where QEMU does not answer: node behind node, as its machines put them. A wrong guess leads to no kernel. */
function usualSegments(argv: readonly string[], files: readonly SharedFile[]): Segment[] {
  let begin = 0;
  const parts = ramOf(argv, files).map((file) => ({
    ...{ file: files.indexOf(file), begin, end: (begin += file.size) },
  }));
  return usualRegions(argv, begin).flatMap((region) =>
    parts.flatMap((part): Segment[] => {
      const from = Math.max(part.begin, region.offset);
      const to = Math.min(part.end, region.offset + region.end - region.first);
      const first = region.first + from - region.offset;
      return from < to ? [{ first, end: first + to - from, file: part.file, at: from - part.begin }] : [];
    }),
  );
}

/** The files of the memories that the command line gives to nodes, in their order; else the largest file. */
function ramOf(argv: readonly string[], files: readonly SharedFile[]): SharedFile[] {
  const ids = memoryObjects(argv).map(({ values }) => values['id']);
  const named = memoriesOfNodes(argv).flatMap((id) => files[ids.indexOf(id)] ?? []);
  if (ids.length === files.length && named.length > 0) return named;
  return files.toSorted((a, b) => b.size - a.size).slice(0, 1);
}

const memoryObjects = (argv: readonly string[]) =>
  optionValues(argv, 'object')
    .map(parseOptions)
    .filter(({ first, values }) => /^memory-backend-(?:memfd|file|shm)$/.test(values['qom-type'] ?? first));

const bounds = ({ first, end }: Region) => ({ first, end });

/** Through /proc/PID/mem. */
function openOwn(source: MemorySource): OpenedRam | Closed {
  const refused = ownRefused(source.pid);
  if (refused !== null) return refused;
  const segments = source.regions === null ? guessedSegments(source) : toldSegments(source, source.regions);
  if (segments.length === 0)
    return { ok: false, why: 'it is not shared, and QEMU does not tell where it lies', fix: SHARE };
  const ram = new FileRam([{ path: ownPath(source.pid), identity: null }], segments);
  return { ok: true, way: 'QEMU’s own memory', ram };
}

const ownPath = (pid: number): string => `/proc/${pid}/mem`;

/** Null where it opens. */
function ownRefused(pid: number): Closed | null {
  try {
    closeSync(openFile(ownPath(pid)));
    return null;
  } catch (error) {
    return { ok: false, ...ownRefusal(error, pid) };
  }
}

function toldSegments({ hostAddresses }: MemorySource, regions: readonly Region[]): Segment[] {
  return regions.flatMap((region): Segment[] => {
    const base = hostAddresses[region.id];
    return base === undefined ? [] : [{ ...bounds(region), file: 0, at: base + region.offset }];
  });
}

/** The largest mapping that could be written is most of QEMU: its guest's RAM. */
function guessedSegments({ pid, argv }: MemorySource): Segment[] {
  const sizes = mapsOf(pid).filter(({ writable }) => writable);
  const largest = sizes.reduce<Mapping | null>(
    (most, one) => (most === null || one.end - one.first > most.end - most.first ? one : most),
    null,
  );
  if (largest === null) return [];
  return usualRegions(argv, largest.end - largest.first).map((region) => ({
    ...bounds(region),
    file: 0,
    at: largest.first + region.offset,
  }));
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error);
const isRefused = (error: unknown): boolean => ['EACCES', 'EPERM'].includes(codeOf(error));

/** The user of a process; null if it is gone. */
function userOf(pid: number): number | null {
  try {
    const uid = /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return uid === undefined ? null : Number(uid);
  } catch {
    return null;
  }
}

function refusal(error: unknown, pid: number): string {
  const user = userOf(pid);
  if (user === null) return 'its QEMU has ended';
  if (!isRefused(error)) return `QEMU’s memory cannot be opened: ${codeOf(error)}`;
  if (user !== ownUser()) return `QEMU runs as another user (uid ${user})`;
  // /proc/PID itself is its user's always; what is below belongs to root where it is not dumpable.
  const dumpable = statSync(`/proc/${pid}/fd`).uid === user;
  return dumpable
    ? 'the system forbids to read QEMU'
    : 'QEMU is not dumpable: its program has capabilities, is set-uid or cannot be read, or it changed its user';
}

function opens(error: unknown, pid: number): string | null {
  const user = userOf(pid);
  if (user === null || !isRefused(error)) return null;
  if (user !== ownUser()) return `run wedgewatch as the user with uid ${user}`;
  return 'start QEMU as this user, from a program file that can be read and has no capabilities (getcap), without -runas';
}

function ownRefusal(error: unknown, pid: number): Pick<Closed, 'why' | 'fix'> {
  if (!isRefused(error)) return { why: refusal(error, pid), fix: SHARE };
  const scope = yamaScope();
  if (scope === null || scope === '0' || userOf(pid) !== ownUser())
    return { why: `it is not shared, and ${refusal(error, pid)}`, fix: SHARE };
  // 3 is not taken back.
  const open = `sysctl kernel.yama.ptrace_scope=0${scope === '3' ? ', after a boot' : ''}`;
  const yama = `Yama forbids to read QEMU’s own (kernel.yama.ptrace_scope=${scope})`;
  return { why: `it is not shared, and ${yama}`, fix: `${SHARE}; or ${open}` };
}

function yamaScope(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/yama/ptrace_scope', 'latin1').trim();
  } catch {
    return null;
  }
}
