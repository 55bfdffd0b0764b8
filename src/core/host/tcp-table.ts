/** Who is connected to a TCP port of this host: /proc/net/tcp and tcp6 (Documentation/networking/proc_net_tcp.rst). */

export interface TcpPort {
  listens: boolean;
  /** Connections that the server has taken with accept(2), by the port of their other end. */
  accepted: number[];
  /** How many are established, and not taken yet: they have no inode. */
  waiting: number;
}

const [ESTABLISHED, LISTEN] = ['01', '0A'];

/** `tables`: the texts of both files. */
export function tcpPort(port: number, tables: readonly string[]): TcpPort {
  const found: TcpPort = { listens: false, accepted: [], waiting: 0 };
  for (const line of tables.flatMap((table) => table.split('\n'))) {
    // sl local remote st queues timer retransmits uid timeout inode
    const [, local, remote, state, inode] =
      /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]{2}) \S+ \S+ \S+ +\d+ +\d+ (\d+)/.exec(
        line,
      ) ?? [];
    if (local === undefined || parseInt(local, 16) !== port) continue;
    if (state === LISTEN) found.listens = true;
    else if (state === ESTABLISHED && inode === '0') found.waiting += 1;
    else if (state === ESTABLISHED) found.accepted.push(parseInt(remote ?? '', 16));
  }
  return found;
}
