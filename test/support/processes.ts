import { readFileSync } from 'node:fs';
import { isAlive, parseStat } from '../../src/core/host/stat.js';

/** Whether a process runs or sleeps; one that ended and that its parent has not asked about does not. */
export function isRunning(pid: number): boolean {
  try {
    const stat = parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return stat !== null && isAlive(stat);
  } catch {
    return false;
  }
}
