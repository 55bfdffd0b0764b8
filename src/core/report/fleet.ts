/** Which hangs several hosts have seen, and how often. */
import type { UnseenRow } from './row.js';

export interface HostRow extends UnseenRow {
  host: string;
}

/** One hang, wherever it was met. */
export interface FleetHang {
  count: number;
  /** Those that met it, most often first. */
  hosts: { host: string; count: number }[];
  kernels: string[];
  /** ISO. */
  firstAt: string;
  lastAt: string;
  /** The newest incident's. */
  verdict: string;
  class: UnseenRow['class'];
  fingerprint: string;
  fingerprintVersion: number | null;
}

/** Incidents by fingerprint, the most frequent hang first; what has no fingerprint is not in it. */
export function countHangs(rows: readonly HostRow[]): FleetHang[] {
  const groups = new Map<string, HostRow[]>();
  for (const row of rows) {
    if (row.fingerprint === null) continue;
    // Those of different versions cannot be compared.
    const key = `${row.fingerprintVersion ?? ''}:${row.fingerprint}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return [...groups.values()]
    .map(hangOf)
    .sort((a, b) => b.count - a.count || (a.lastAt < b.lastAt ? 1 : a.lastAt > b.lastAt ? -1 : 0));
}

function hangOf(group: readonly HostRow[]): FleetHang {
  const byTime = [...group].sort((a, b) =>
    a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : 0,
  );
  const [first, last] = [byTime[0], byTime.at(-1)];
  const hosts = new Map<string, number>();
  for (const { host } of group) hosts.set(host, (hosts.get(host) ?? 0) + 1);
  return {
    count: group.length,
    hosts: [...hosts]
      .map(([host, count]) => ({ host, count }))
      .sort((a, b) => b.count - a.count || (a.host < b.host ? -1 : 1)),
    kernels: [...new Set(byTime.flatMap(({ kernel }) => (kernel === null ? [] : [kernel])))],
    firstAt: first?.startedAt ?? '',
    lastAt: last?.startedAt ?? '',
    verdict: last?.verdict ?? '',
    class: last?.class ?? null,
    fingerprint: last?.fingerprint ?? '',
    fingerprintVersion: last?.fingerprintVersion ?? null,
  };
}
