/** The files among QEMU's descriptors that hold a guest's RAM, by how QEMU has mapped them. */
import { closeSync, fstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { RAM_MIN, type Region } from '../../core/memory/memory-map.js';
import { identityOf, openFile } from './file-ram.js';

export interface Mapping {
  first: number;
  end: number;
  /** Where in its file it begins. */
  offset: number;
  inode: string;
  /** Of the file, as the link of a descriptor says it; empty where there is none. */
  name: string;
  writable: boolean;
  shared: boolean;
}

export interface SharedFile {
  path: string;
  size: number;
  identity: string;
}

/** Where a memory begins. */
interface Home {
  file: SharedFile;
  at: number;
}

const MAPS_MAX = 4 * 2 ** 20;
const DESCRIPTORS_MAX = 4_096;
const ROW = /^([0-9a-f]{1,13})-([0-9a-f]{1,13}) (\S{4}) ([0-9a-f]{1,13}) \S+ (\d+) *(.*)$/;

export function mapsOf(pid: number): Mapping[] {
  const text = readFileSync(`/proc/${pid}/maps`, 'utf8').slice(0, MAPS_MAX);
  return text.split('\n').flatMap((line): Mapping[] => {
    const [, first, end, rights = '', offset, inode = '', name = ''] = ROW.exec(line) ?? [];
    if (first === undefined || end === undefined || offset === undefined) return [];
    const place = { first: hex(first), end: hex(end), offset: hex(offset) };
    return [{ ...place, inode, name, writable: rights[1] === 'w', shared: rights[3] === 's' }];
  });
}

const hex = (digits: string): number => Number.parseInt(digits, 16);

/** What QEMU writes to a private mapping is not in the file. */
const isShared = ({ shared, writable, name }: Mapping): boolean => shared && writable && name !== '';

const isOf = ({ inode }: Mapping, { identity }: SharedFile): boolean => identity.endsWith(`:${inode}`);

/** In the order of QEMU's descriptors. Only the mapped ones are opened: a disk on a dead mount would hang. */
export function sharedFiles(pid: number, maps: readonly Mapping[]): SharedFile[] {
  const mapped = maps.filter(isShared);
  const names = new Set(mapped.map(({ name }) => name));
  const numbers = readdirSync(`/proc/${pid}/fd`).slice(0, DESCRIPTORS_MAX).map(Number);
  const files = numbers
    .sort((a, b) => a - b)
    .map((number) => `/proc/${pid}/fd/${number}`)
    .filter((path) => names.has(linkOf(path)))
    .flatMap((path) => sharedFile(path))
    .filter((file) => mapped.some((mapping) => isOf(mapping, file)));
  const first = ({ identity }: SharedFile) => files.find((file) => file.identity === identity);
  return files.filter((file) => file === first(file));
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function sharedFile(path: string): SharedFile[] {
  const fd = openFile(path);
  try {
    const kind = fstatSync(fd);
    return kind.isFile() && kind.size >= RAM_MIN ? [{ path, size: kind.size, identity: identityOf(fd) }] : [];
  } finally {
    closeSync(fd);
  }
}

/**
 * Which file is which memory: by where QEMU has mapped it, else by its size, else in the order of both, which is that of
 * the command line. A wrong guess leads to no kernel.
 */
export function homesOf(
  regions: readonly Region[],
  files: readonly SharedFile[],
  maps: readonly Mapping[],
  hostAddresses: Readonly<Record<string, number>>,
): Map<string, Home> {
  const needs = new Map<string, number>();
  for (const { id, offset, first, end } of regions)
    needs.set(id, Math.max(needs.get(id) ?? 0, offset + end - first));
  const homes = new Map<string, Home>();
  const free = new Set(files);
  for (const [id, need] of needs) {
    const address = hostAddresses[id];
    const home = address === undefined ? ofSize([...free], need) : mappedAt(address, [...free], maps);
    if (home === null || home.file.size < home.at + need) continue;
    homes.set(id, home);
    free.delete(home.file);
  }
  return homes;
}

function ofSize(files: readonly SharedFile[], size: number): Home | null {
  const file = files.find((one) => one.size === size);
  return file === undefined ? null : { file, at: 0 };
}

function mappedAt(address: number, files: readonly SharedFile[], maps: readonly Mapping[]): Home | null {
  const mapping = maps.find(({ first, end }) => address >= first && address < end);
  if (mapping === undefined || !isShared(mapping)) return null;
  const file = files.find((one) => isOf(mapping, one));
  return file === undefined ? null : { file, at: mapping.offset + address - mapping.first };
}
