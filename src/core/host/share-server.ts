/** The process that serves a share: what the host shows of it, and what that proves. */
import type { BlockedThread, ServerIs, Share } from '../model.js';
import type { UnixConnections } from './unix-table.js';
import type { VhostUser } from './vhost-user.js';

export type Server = NonNullable<Share['server']>;

/** What the host shows of one server. */
export interface ServerEvidence {
  device: VhostUser;
  /** Connections to its socket where QEMU is; in words why they are not known. */
  connections: UnixConnections | string;
  /** A connected socket that may be the same one under another name. */
  lookalike: string | null;
  /** Processes that hold the server's end of a connection. */
  holders: Server[];
  /** Processes that serve it by their unit or command line, and may hold such an end. */
  candidates: Server[];
  /** QEMU runs, and had connected to all its devices before the connections were read. */
  connected: boolean;
}

/**
 * Gone is what is proved only: QEMU had connected, nobody holds the other end any more, and nothing brings it back.
 * A process that only looks like the server proves nothing then: one that was started anew does not serve this QEMU.
 */
export function judgeServer(evidence: ServerEvidence): Pick<Share, 'server' | 'serverIs' | 'because'> {
  const { device, connections, holders, candidates, lookalike } = evidence;
  const { accepted, waiting } = typeof connections === 'string' ? { accepted: [], waiting: 0 } : connections;
  if (accepted.length > 1 && disagree(holders))
    return unknown('several processes hold connections to its socket, and not all of them run');
  const holder = worst(holders);
  if (holder !== null) return { server: holder, serverIs: 'running' };
  const seen = device.hidden === null && !device.listens && typeof connections !== 'string';
  const none = seen && accepted.length + waiting === 0 && lookalike === null;
  const candidate = none ? null : worst(candidates);
  if (candidate !== null) return { server: candidate, serverIs: 'running' };
  const because = none ? whyNotGone(evidence) : whyUnknown(evidence);
  return because === null ? { server: null, serverIs: 'gone' } : unknown(because);
}

const unknown = (because: string) => ({ server: null, serverIs: 'unknown' as const, because });

/** Nobody is connected to its socket: why that may be so although its server is there. */
function whyNotGone({ device, connected }: ServerEvidence): string | null {
  if (!/^[/@]/.test(device.socket)) return `the path ${device.socket} of its socket is relative`;
  if (device.reconnects) return 'QEMU is not connected to it, and connects again by itself';
  return connected ? null : 'QEMU is not connected to it, and whether it ever was is not known';
}

function whyUnknown({ device, connections, lookalike }: ServerEvidence): string {
  if (device.hidden !== null) return device.hidden;
  if (device.listens) return 'its server connects to QEMU, and is not seen from its socket';
  if (typeof connections === 'string') return connections;
  if (connections.accepted.length > 0) return 'no process is seen to hold the other end of its socket';
  if (connections.waiting > 0) return 'nobody has accepted QEMU’s connection to its socket';
  return `the connected socket ${lookalike ?? ''} may be its own`;
}

const runs = ({ state }: Server): boolean => ['R', 'S', 'I'].includes(state);

/** A server is often a parent and a child; of the two the one that does not run explains a hang. */
const worst = (servers: readonly Server[]): Server | null =>
  servers.find((server) => !runs(server) || server.blocked !== undefined) ?? servers.at(-1) ?? null;

/** One that is left over from another QEMU may be stopped while this one is served. */
const disagree = (servers: readonly Server[]): boolean =>
  servers.some((server) => isDead(server)) && servers.some((server) => !isDead(server));

const isDead = ({ state }: Server): boolean => 'TtZX'.includes(state);

/** Older recordings have no server both where it was gone and where it was not found. */
export const serverIs = ({ server, serverIs: told }: Share): ServerIs =>
  told ?? (server === null ? 'unknown' : 'running');

/** Why no wait for it can end; null where it runs or is not known. D is no fault: who reads its disk is in D too. */
export function serverFault(share: Share): 'stopped' | 'dead' | 'gone' | null {
  if (serverIs(share) === 'gone') return 'gone';
  if (share.server === null || !isDead(share.server)) return null;
  return 'Tt'.includes(share.server.state) ? 'stopped' : 'dead';
}

/** In D for less is how every disk is read. */
const STUCK_MS = 1_000;

/** `stuck in D on nfs4 of server:/export (/srv)`, or without the state for one in S, where the server waits itself for another one; null where it does not. */
export function stuckText({ server }: { server: { blocked?: BlockedThread } | null }): string | null {
  const { blocked } = server ?? {};
  if (blocked === undefined || blocked.forMs < STUCK_MS) return null;
  const where = blocked.wchan === null ? '' : `, in ${blocked.wchan}`;
  const on = blocked.on.length === 0 ? '' : ` on ${blocked.on.join(' or ')}`;
  return `stuck${blocked.state === undefined ? ' in D' : ''}${on}${where}`;
}

/** Nothing is to be said of it. */
export const serverRuns = ({ server }: Share): boolean => server !== null && runs(server);

export const isVirtiofs = ({ kind = 'fs' }: Share): boolean => kind === 'fs';

/** Files or blocks: what tasks of the guest wait for. */
export const isStorage = ({ kind = 'fs' }: Share): boolean => ['fs', 'blk', 'scsi'].includes(kind);

/** What the host knows of it, for one line: `virtiofsd (pid 7) is stopped`. */
export function describeServer(share: Share): string {
  const { server, because = 'the recording does not tell' } = share;
  const is = serverIs(share);
  if (is === 'gone') return 'its server is gone';
  if (server === null) return `server not known (${because})`;
  const fault = serverFault(share);
  const text = stuckText(share);
  const stuck = text === null ? null : `is itself ${text}`;
  return `${server.comm} (pid ${server.pid}) ${fault === null ? (stuck ?? (runs(server) ? 'runs' : `is in ${server.state}`)) : `is ${fault}`}`;
}
