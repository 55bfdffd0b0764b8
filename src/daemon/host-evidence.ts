import type { HostEvidence } from '../core/report/incident.js';
import type { Finding } from '../core/watch/events.js';
import { isoAt } from '../io/clock.js';
import { serverLogs } from '../io/server-logs.js';

/** All looks of a case, and what the servers of its shares said last. */
export async function hostOf(looks: Finding['looks']): Promise<HostEvidence> {
  const logs = await serverLogs(looks.at(-1)?.shares ?? []);
  const told = looks.map(({ at, ...look }) => ({ at: isoAt(at), look }));
  return { looks: told, ...(logs.length > 0 && { logs }) };
}
