/** Which processes hold the server's end of a connection; cheap ways first. */
import { opendir, readlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { servedSocket } from '../core/host/argv.js';
import type { ServerEvidence } from '../core/host/share-server.js';
import { isOfSystem, serviceOf, servesIn } from '../core/host/units.js';
import { processIds, readCgroup, readUids, scanProcesses } from './proc.js';
import { actsFor, usersBehind } from './trust.js';

/** What is known so far about the server of one device; processes by their ids. */
export type Lead = Pick<ServerEvidence, 'device' | 'connections' | 'lookalike'> & {
  holders: number[];
  candidates: number[];
};

interface Holder {
  pid: number;
  fd: string;
}

/** virtiofsd holds a file for each inode that its guest knows; its connection came before. */
const FILES_MAX = 1024;
const AT_ONCE = 64;
const KNOWN_MAX = 1000;

/** Who held the server's end of a socket, by its path; checked first, and believed only if it still does. */
const known = new Map<string, Holder[]>();

/** Inodes without a known holder, and until when not to scan all processes again: half a second for 500 of them. */
const missed = new Map<number, number>();
const MISSED_MS = 30_000;

/** Fills in the holders of each connection, and the candidates if the holders are hidden. */
export async function findHolders(leads: Lead[], qemu: number, signal: AbortSignal): Promise<Lead[]> {
  const found = new Map<Lead, Holder[]>();
  for (const lead of leads) {
    const still = await stillHeld(lead);
    if (still.length > 0) found.set(lead, still);
  }
  const left = leads.filter((lead) => !found.has(lead) && needsServer(lead));
  const candidates = left.length === 0 ? new Map<Lead, number[]>() : await candidatesFor(left, qemu, signal);
  const hidden = new Set<number>();
  const inspect = async (pids: Iterable<number>) => {
    const seeking = left.filter((lead) => inodesOf(lead).length > 0);
    for (const pid of seeking.length === 0 ? [] : pids) {
      if (signal.aborted) return;
      const sockets = await socketsOf(pid);
      if (sockets === null) {
        hidden.add(pid);
        continue;
      }
      for (const lead of seeking) {
        const fd = inodesOf(lead).flatMap((inode) => sockets.get(inode) ?? [])[0];
        const others = found.get(lead) ?? [];
        if (fd !== undefined && others.every((other) => other.pid !== pid))
          found.set(lead, [...others, { pid, fd }]);
      }
    }
  };
  await inspect(new Set([...candidates.values()].flat()));
  // Whoever else holds it may have any name.
  const lost = left.filter((lead) => !found.has(lead)).flatMap(inodesOf);
  if (lost.some((inode) => performance.now() >= (missed.get(inode) ?? 0))) {
    await inspect((await processIds()).filter((pid) => pid !== qemu && pid !== process.pid));
    if (!signal.aborted)
      left
        .filter((lead) => !found.has(lead))
        .flatMap(inodesOf)
        .forEach(miss);
  }
  return leads.map((lead) => {
    const holders = found.get(lead) ?? [];
    if (holders.length > 0) remember(lead.device.socket, holders);
    const may = (candidates.get(lead) ?? []).filter((pid) => inodesOf(lead).length === 0 || hidden.has(pid));
    return { ...lead, holders: holders.map(({ pid }) => pid), candidates: may };
  });
}

const inodesOf = ({ connections }: Lead): number[] =>
  typeof connections === 'string' ? [] : connections.accepted;

/** False if nobody is connected: a process that looks like the server then does not serve this QEMU. */
const needsServer = ({ device, connections, lookalike }: Lead): boolean =>
  device.hidden === null &&
  (typeof connections === 'string' ||
    device.listens ||
    lookalike !== null ||
    connections.accepted.length + connections.waiting > 0);

const remember = (socket: string, holders: Holder[]): void => keep(known, socket, holders);

const miss = (inode: number): void => keep(missed, inode, performance.now() + MISSED_MS);

function keep<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > KNOWN_MAX && oldest !== undefined) map.delete(oldest);
}

async function stillHeld(lead: Lead): Promise<Holder[]> {
  const inodes = inodesOf(lead);
  const before = inodes.length === 0 ? [] : (known.get(lead.device.socket) ?? []);
  const links = await Promise.all(before.map(({ pid, fd }) => inodeOf(`/proc/${pid}/fd/${fd}`)));
  return before.filter((_holder, index) => inodes.includes(links[index] ?? -1));
}

/** By their command line, or by their unit, which is named like the directory of the socket. */
async function candidatesFor(leads: Lead[], qemu: number, signal: AbortSignal): Promise<Map<Lead, number[]>> {
  const found = new Map<Lead, Set<number>>(leads.map((lead) => [lead, new Set()]));
  const own = serviceOf((await readCgroup(qemu)) ?? '');
  for (const pid of await processIds()) {
    if (signal.aborted) break;
    const service = serviceOf((await readCgroup(pid)) ?? '');
    if (service === null || service === own) continue;
    for (const lead of leads.filter(({ device }) => servesIn(service, basename(dirname(device.socket)))))
      if (isAlone(lead, leads)) found.get(lead)?.add(pid);
  }
  const sockets = new Map(leads.map((lead) => [lead.device.socket, lead]));
  const named = await scanProcesses((pid, argv) => {
    const socket = pid === qemu ? null : servedSocket(argv, sockets);
    return socket === null ? null : { pid, socket };
  }, signal);
  for (const { pid, socket } of named) {
    const lead = sockets.get(socket);
    if (lead !== undefined) found.get(lead)?.add(pid);
  }
  const believed = new Map<Lead, number[]>();
  for (const [lead, pids] of found) believed.set(lead, await believable([...pids], lead, qemu));
  return believed;
}

/** Anybody can start a process that looks like the server: it must be of the users around the socket, or a unit of the host. */
async function believable(pids: readonly number[], { device }: Lead, qemu: number): Promise<number[]> {
  if (pids.length === 0) return [];
  const users = await usersBehind(device.socket);
  for (const uid of (await readUids(qemu)) ?? []) users.add(uid);
  const kept: number[] = [];
  for (const pid of pids)
    if ((await actsFor(pid, users)) || isOfSystem((await readCgroup(pid)) ?? '')) kept.push(pid);
  return kept;
}

/** A unit that serves several sockets of one directory does not show which process serves which. */
const isAlone = ({ device }: Lead, leads: readonly Lead[]): boolean =>
  leads.filter((other) => dirname(other.device.socket) === dirname(device.socket)).length === 1;

/** Inodes of a process's sockets with the descriptor of each; null if another user's are hidden. */
async function socketsOf(pid: number): Promise<Map<number, string> | null> {
  const sockets = new Map<number, string>();
  const files: string[] = [];
  try {
    for await (const { name } of await opendir(`/proc/${pid}/fd`, { bufferSize: AT_ONCE })) {
      files.push(name);
      if (files.length === FILES_MAX) break;
    }
  } catch (error) {
    const gone =
      error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH');
    return gone ? sockets : null;
  }
  for (let at = 0; at < files.length; at += AT_ONCE) {
    const some = files.slice(at, at + AT_ONCE);
    const inodes = await Promise.all(some.map((fd) => inodeOf(`/proc/${pid}/fd/${fd}`)));
    inodes.forEach((inode, index) => inode !== null && sockets.set(inode, some[index] ?? ''));
  }
  return sockets;
}

async function inodeOf(link: string): Promise<number | null> {
  try {
    const inode = /^socket:\[(\d+)\]$/.exec(await readlink(link))?.[1];
    return inode === undefined ? null : Number(inode);
  } catch {
    return null;
  }
}
