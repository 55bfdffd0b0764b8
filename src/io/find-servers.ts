import { readFile, readlink, realpath } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import { judgeServer, type Server, type ServerEvidence } from '../core/host/share-server.js';
import { isAlive } from '../core/host/stat.js';
import { connectionsAmong, endsOf } from '../core/host/unix-table.js';
import { type VhostUser, vhostUsersOf } from '../core/host/vhost-user.js';
import type { Share } from '../core/model.js';
import { printable } from '../core/printable.js';
import { blockedThread } from './blocked-threads.js';
import { inTurn, readStat, readTimes } from './proc.js';
import { findHolders, type Lead } from './socket-holders.js';

/** Other sockets of the same name that are compared with one that nobody is connected to. */
const LOOKALIKES_MAX = 256;

interface Qemu {
  pid: number;
  argv: readonly string[];
}

/**
 * The process behind each vhost-user device of this QEMU. `connected` says whether QEMU has come so far that it must
 * have connected to all of them. Never throws; a process not found before the signal is unknown.
 */
export async function findServers(
  qemu: Qemu,
  connected: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<Share[]> {
  const devices = vhostUsersOf(qemu.argv);
  if (devices.length === 0) return [];
  let seen = await readConnections(qemu.pid, devices, signal);
  let proof = false;
  if (seen.some(isEmpty)) {
    // A QEMU that has just started connects at any moment; and a table read while it changes may lack a row.
    proof = (await connected()) && (await lives(qemu.pid));
    seen = await readConnections(qemu.pid, devices, signal);
    proof &&= await lives(qemu.pid);
  }
  const leads = await findHolders(seen, qemu.pid, signal);
  return Promise.all(
    leads.map(async ({ device, connections, lookalike, holders, candidates }) => {
      const evidence: ServerEvidence = {
        ...{ device, connections, lookalike },
        holders: await describe(holders),
        candidates: await describe(candidates),
        connected: proof && !signal.aborted,
      };
      const { tag, kind, socket } = device;
      return { tag: printable(tag, 64), kind, socket, ...judgeServer(evidence) };
    }),
  );
}

/** A socket without a peer, although QEMU should be connected to it. */
const isEmpty = ({ device, connections, lookalike }: Lead): boolean =>
  device.hidden === null &&
  !device.listens &&
  lookalike === null &&
  typeof connections !== 'string' &&
  connections.accepted.length + connections.waiting === 0;

async function lives(pid: number): Promise<boolean> {
  const stat = await readStat(pid);
  return stat !== null && isAlive(stat);
}

/** What QEMU's own network namespace shows: the server's end of a connection is in that of its client. */
async function readConnections(pid: number, devices: VhostUser[], signal: AbortSignal): Promise<Lead[]> {
  const none = { holders: [], candidates: [] };
  let table: string;
  try {
    table = await readFile(`/proc/${pid}/net/unix`, 'utf8');
  } catch (error) {
    const because = `its network namespace cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return devices.map((device) => ({ device, connections: because, lookalike: null, ...none }));
  }
  const leads: Lead[] = [];
  for (const device of devices)
    leads.push({ device, ...(await connectionsOf(pid, device, table, signal)), ...none });
  return leads;
}

/** The path in the table is the one that the server bound, which QEMU may spell otherwise. */
async function connectionsOf(
  pid: number,
  { socket, hidden, listens }: VhostUser,
  table: string,
  signal: AbortSignal,
): Promise<Pick<Lead, 'connections' | 'lookalike'>> {
  const named = hidden !== null || listens ? [] : endsOf(basename(socket), table);
  const exact = named.filter(({ path }) => path === socket);
  const others = named.filter(({ path }) => basename(path) === basename(socket));
  if (exact.length > 0 || others.length === 0)
    return { connections: connectionsAmong(exact), lookalike: null };
  const here = (await placeOf(socket, signal)) ?? normalize(socket);
  const ownView = await sharesMounts(pid);
  const same = new Set<string>();
  for (const path of [...new Set(others.map((end) => end.path))].slice(0, LOOKALIKES_MAX)) {
    const there = ownView ? await placeOf(path, signal) : null;
    if (there === null) return { connections: connectionsAmong([]), lookalike: printable(path, 120) };
    if (there === here) same.add(path);
  }
  return { connections: connectionsAmong(others.filter(({ path }) => same.has(path))), lookalike: null };
}

/** Null if it cannot be told: a relative path, a directory that is gone, one that does not answer. */
async function placeOf(path: string, signal: AbortSignal): Promise<string | null> {
  if (!path.startsWith('/') || path.startsWith('/proc/')) return null;
  return inTurn(signal, async () => {
    try {
      return join(await realpath(dirname(path)), basename(path));
    } catch {
      return null;
    }
  });
}

async function sharesMounts(pid: number): Promise<boolean> {
  const views = [pid, 'self'].map((of) => readlink(`/proc/${of}/ns/mnt`).catch(() => null));
  const [its, ours] = await Promise.all(views);
  return its !== null && its === ours;
}

async function describe(pids: readonly number[]): Promise<Server[]> {
  const servers: Server[] = [];
  for (const pid of pids) {
    const [stat, times] = await Promise.all([readStat(pid), readTimes(pid)]);
    if (stat === null) continue;
    // The threads' own times are exact, those of the process know threads that have ended.
    const cpuMs = Math.max(stat.cpuMs, rounded(times?.ranMs ?? 0));
    const waited = times === null ? {} : { waitedMs: rounded(times.waitedMs) };
    const thread = await blockedThread(pid);
    const blocked = thread === null ? {} : { blocked: thread };
    servers.push({ pid, comm: printable(stat.comm, 64), state: stat.state, cpuMs, ...waited, ...blocked });
  }
  return servers;
}

/** To microseconds. */
const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;
