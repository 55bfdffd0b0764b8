/**
 * How an incident is named while it is written: `<id>.<pid>-<start>.partial`, with `.<attempts>` before `.partial` once
 * somebody tried to complete it. The name says that because a mark inside could not be made together with the
 * directory: another process would find it empty and clear it away.
 */
import { isAlive } from '../../core/host/stat.js';
import { parseIncidentName } from '../../core/report/incident.js';
import { readStat } from '../proc.js';

const PARTIAL = /^(.+?)(?:\.(\d+)-(\d+)(?:\.(\d{1,3}))?)?\.partial$/;

export interface Partial {
  /** The name that it will have. */
  id: string;
  /** Null if the name does not say: then nobody is left to ask. */
  owner: Owner | null;
  /** How often a process began to complete it. */
  attempts: number;
}

interface Owner {
  pid: number;
  /** Clock ticks since boot: tells a process from a later one with its number. */
  start: string;
}

export function parsePartial(name: string): Partial | null {
  const match = PARTIAL.exec(name);
  const id = match?.[1];
  if (id === undefined || !parseIncidentName(id)) return null;
  const start = match?.[3];
  const owner = start === undefined ? null : { pid: Number(match?.[2]), start };
  return { id, owner, attempts: Number(match?.[4] ?? 0) };
}

/** The name for a partial of this process. */
export async function ownPartial(id: string, attempts = 0): Promise<string> {
  const tried = attempts === 0 ? '' : `.${attempts}`;
  return `${id}.${process.pid}-${(await startOf(process.pid)) ?? '0'}${tried}.partial`;
}

/** False for a process that is gone, or is a zombie. */
export async function ownerLives({ pid, start }: Owner): Promise<boolean> {
  return (await startOf(pid)) === start;
}

async function startOf(pid: number): Promise<string | null> {
  const stat = await readStat(pid);
  return stat !== null && isAlive(stat) ? String(stat.startTicks) : null;
}
