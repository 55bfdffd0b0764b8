/** Inodes of the connections to one listening socket. */
export interface UnixConnections {
  /** Taken by the server with accept(2). */
  accepted: number[];
  /** How many wait in the backlog. A client that gave up stays there until the server comes to it. */
  waiting: number;
}

/** The server's end of one connection; inode 0 while it waits in the backlog. */
interface UnixEnd {
  path: string;
  inode: number;
}

/**
 * Connections to `path` in the text of /proc/net/unix (proc(5)). Only the server's ends carry the path; one that
 * was not accepted yet has no file and so the inode 0 (seen on Linux 6.1 with state 02 in place of 03).
 */
export function connectionsTo(path: string, table: string): UnixConnections {
  return connectionsAmong(endsOf(path, table).filter((end) => end.path === path));
}

export function connectionsAmong(ends: readonly UnixEnd[]): UnixConnections {
  const accepted = ends.flatMap(({ inode }) => (inode === 0 ? [] : [inode]));
  return { accepted, waiting: ends.length - accepted.length };
}

/** The servers' ends of all connections whose path ends in `ending`. */
export function endsOf(ending: string, table: string): UnixEnd[] {
  const ends: UnixEnd[] = [];
  for (const line of table.split('\n')) {
    if (!line.endsWith(ending)) continue;
    // Num: RefCount Protocol Flags Type St Inode Path
    const fields = /^\S+: \S+ \S+ (\S+) \S+ (\S+) +(\d+) (.+)$/.exec(line);
    if (fields === null) continue;
    const [, flags = '0', state, inode, path = ''] = fields;
    const listening = (parseInt(flags, 16) & 0x10000) !== 0;
    if (!listening && (inode === '0' || state === '03')) ends.push({ path, inode: Number(inode) });
  }
  return ends;
}

/** Num: RefCount Protocol Flags Type St Inode Path. The flag is __SO_ACCEPTCON: somebody listens there. */
const LISTENING = / 00010000 \d{4} \d{2} +\d+ (\/.*)$/gm;

/** The paths of all sockets that somebody listens on. One that was bound by a relative path is not among them. */
export const listeningPaths = (table: string): Set<string> =>
  new Set(Array.from(table.matchAll(LISTENING), ([, path = '']) => path));
