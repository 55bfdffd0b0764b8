/** Inodes of the connections to one listening socket. */
export interface UnixConnections {
  /** Taken by the server with accept(2). */
  accepted: number[];
  /** How many wait in the backlog. A client that gave up stays there until the server comes to it. */
  waiting: number;
}

/**
 * Connections to `path` in the text of /proc/net/unix (proc(5)). Only the server's ends carry the path; one that
 * was not accepted yet has no file and so the inode 0 (seen on Linux 6.1 with state 02 in place of 03).
 */
export function connectionsTo(path: string, table: string): UnixConnections {
  const accepted: number[] = [];
  let waiting = 0;
  for (const line of table.split('\n')) {
    if (!line.endsWith(path)) continue;
    // Num: RefCount Protocol Flags Type St Inode Path
    const fields = /^\S+: \S+ \S+ (\S+) \S+ (\S+) +(\d+) (.+)$/.exec(line);
    if (fields?.[4] !== path) continue;
    const [, flags = '0', state, inode] = fields;
    const listening = (parseInt(flags, 16) & 0x10000) !== 0;
    if (listening) continue;
    if (inode === '0') waiting += 1;
    else if (state === '03') accepted.push(Number(inode));
  }
  return { accepted, waiting };
}
