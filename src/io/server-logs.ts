/** The last words of the servers behind a guest's shares, from the journal of their units (journalctl(1)). */
import { isOfSystem, serviceOf } from '../core/host/units.js';
import type { Share } from '../core/model.js';
import { printable } from '../core/printable.js';
import { readCgroup } from './proc.js';
import { runGroup } from './process-group.js';

interface ServerLog {
  unit: string;
  lines: string[];
}

const LINES = 10;
const LINE_MAX = 400;
const UNITS_MAX = 4;
/** All evidence is on disk by then, and its filing waits no longer for this. */
const JOURNAL_MS = 1_500;

/** One for each unit that serves a share now; without those that have none, or whose journal does not answer. Never throws. */
export async function serverLogs(shares: readonly Share[]): Promise<ServerLog[]> {
  const units = new Map<string, string>();
  for (const { server } of shares) {
    const cgroup = server === null ? '' : ((await readCgroup(server.pid)) ?? '');
    const unit = serviceOf(cgroup);
    if (unit !== null) units.set(unit, isOfSystem(cgroup) ? '--unit' : '--user-unit');
  }
  const logs = await Promise.all(
    [...units].slice(0, UNITS_MAX).map(async ([unit, option]) => {
      const words = [`${option}=${unit}`, `--lines=${LINES}`, '--output=short-iso', '--no-pager', '--quiet'];
      const { stdout, exitCode } = await runGroup('journalctl', words, { timeoutMs: JOURNAL_MS });
      const lines = exitCode === 0 ? stdout.split('\n').filter((line) => line !== '') : [];
      return { unit: printable(unit, 200), lines: lines.map((line) => printable(line, LINE_MAX)) };
    }),
  );
  return logs.filter(({ lines }) => lines.length > 0);
}
