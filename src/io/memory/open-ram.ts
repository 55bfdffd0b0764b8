/** Opens the RAM of a QEMU from outside: its shared memory, or its own; each way that is closed says why. */
import { closeSync, fstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import type { Closed } from '../../core/memory/answers.js';
import type { RamWay } from '../../core/model.js';
import { optionValues, parseOptions } from '../../core/host/argv.js';
import { memoriesOfNodes, usualRegions, type Region } from '../../core/memory/memory-map.js';
import { ownUser } from '../trust.js';
import { FileRam, identityOf, openFile, type Segment } from './file-ram.js';
import { SavedRam } from './saved-ram.js';
import type { MemorySource } from './source.js';

export interface OpenedRam {
  ok: true;
  way: RamWay;
  ram: FileRam | SavedRam;
  /** Why the ways before this one are closed, which read more. */
  instead?: Closed;
}

const SHARE =
  'give the guest shared memory: -object memory-backend-memfd,id=mem,size=SIZE,share=on -numa node,memdev=mem';
const MEMFD = '/memfd:memory-backend-memfd';
const DESCRIPTORS_MAX = 4_096;
const MAPS_MAX = 4 * 2 ** 20;

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

interface Shared {
  path: string;
  size: number;
  identity: string;
}

/** Null where QEMU has none. */
function openShared(source: MemorySource): OpenedRam | null {
  const { pid, argv } = source;
  const files = sharedFiles(pid, argv);
  const { regions } = source;
  const segments = regions === null ? usualSegments(argv, files) : placedSegments(regions, files, source);
  if (segments.length === 0) return null;
  return { ok: true, way: 'shared memory', ram: new FileRam(files, segments) };
}

function placedSegments(
  regions: readonly Region[],
  files: readonly Shared[],
  source: MemorySource,
): Segment[] {
  const homes = homesOf(regions, files, source);
  return regions.flatMap((region): Segment[] => {
    const file = homes.get(region.id);
    return file === undefined ? [] : [{ ...bounds(region), file: files.indexOf(file), at: region.offset }];
  });
}

/** Where QEMU does not answer: node behind node, as its machines put them. A wrong guess leads to no kernel. */
function usualSegments(argv: readonly string[], files: readonly Shared[]): Segment[] {
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
function ramOf(argv: readonly string[], files: readonly Shared[]): Shared[] {
  const ids = memoryObjects(argv).map(({ values }) => values['id']);
  const named = memoriesOfNodes(argv).flatMap((id) => files[ids.indexOf(id)] ?? []);
  if (ids.length === files.length && named.length > 0) return named;
  return files.toSorted((a, b) => b.size - a.size).slice(0, 1);
}

const memoryObjects = (argv: readonly string[]) =>
  optionValues(argv, 'object')
    .map(parseOptions)
    .filter(({ first, values }) => /^memory-backend-(?:memfd|file)$/.test(values['qom-type'] ?? first));

const bounds = ({ first, end }: Region) => ({ first, end });

function sharedFiles(pid: number, argv: readonly string[]): Shared[] {
  const named = memoryObjects(argv).flatMap(({ values }) => values['mem-path'] ?? []);
  const isMemory = (link: string) => link.startsWith(MEMFD) || named.some((path) => link.startsWith(path));
  const numbers = readdirSync(`/proc/${pid}/fd`).slice(0, DESCRIPTORS_MAX).map(Number);
  return numbers
    .sort((a, b) => a - b)
    .map((number) => `/proc/${pid}/fd/${number}`)
    .filter((path) => isMemory(linkOf(path)))
    .flatMap((path) => sharedFile(path));
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function sharedFile(path: string): Shared[] {
  const fd = openFile(path);
  try {
    const kind = fstatSync(fd);
    return kind.isFile() ? [{ path, size: kind.size, identity: identityOf(fd) }] : [];
  } finally {
    closeSync(fd);
  }
}

/**
 * Which file is which memory: by where QEMU has mapped it, else by its size, else in the order of both, which is that of
 * the command line. A wrong guess leads to no kernel.
 */
function homesOf(
  regions: readonly Region[],
  files: readonly Shared[],
  { pid, hostAddresses }: MemorySource,
): Map<string, Shared> {
  const needs = new Map<string, number>();
  for (const { id, offset, first, end } of regions)
    needs.set(id, Math.max(needs.get(id) ?? 0, offset + end - first));
  const maps = files.length > 1 ? mapsOf(pid) : [];
  const homes = new Map<string, Shared>();
  const free = new Set(files);
  for (const [id, need] of needs) {
    const address = hostAddresses[id];
    const inode = maps.find(
      ({ first, end }) => address !== undefined && address >= first && address < end,
    )?.inode;
    const fits = [...free].filter(({ size }) => size >= need);
    const file =
      fits.find(({ identity }) => inode !== undefined && identity.endsWith(`:${inode}`)) ??
      fits.find(({ size }) => size === need);
    if (file === undefined) continue;
    homes.set(id, file);
    free.delete(file);
  }
  return homes;
}

interface Mapping {
  first: number;
  end: number;
  inode: string;
  writable: boolean;
}

function mapsOf(pid: number): Mapping[] {
  const text = readFileSync(`/proc/${pid}/maps`, 'latin1').slice(0, MAPS_MAX);
  return text.split('\n').flatMap((line): Mapping[] => {
    const [, first = '', end = '', rights = '', inode = ''] =
      /^([0-9a-f]{1,13})-([0-9a-f]{1,13}) (\S{4}) \S+ \S+ (\d+)/.exec(line) ?? [];
    if (first === '') return [];
    return [
      {
        first: Number.parseInt(first, 16),
        end: Number.parseInt(end, 16),
        inode,
        writable: rights[1] === 'w',
      },
    ];
  });
}

/** Through /proc/PID/mem. */
function openOwn(source: MemorySource): OpenedRam | Closed {
  const { pid } = source;
  const path = `/proc/${pid}/mem`;
  try {
    closeSync(openFile(path));
  } catch (error) {
    return { ok: false, ...ownRefusal(error, pid) };
  }
  const segments = source.regions === null ? guessedSegments(source) : toldSegments(source, source.regions);
  if (segments.length === 0)
    return { ok: false, why: 'it is not shared, and QEMU does not tell where it lies', fix: SHARE };
  return { ok: true, way: 'QEMU’s own memory', ram: new FileRam([{ path, identity: null }], segments) };
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
