/** The lines that open, close or spoil a dump. Their wording: core/kernel-lines. */
import { findKernelLine, type Found } from '../kernel-lines/find.js';
import type { Blocker, DumpKey } from '../model.js';

export interface Report {
  comm: string;
  pid: number;
  seconds: number;
}

/** Stands for each of the tasks that follow: those that do not freeze are reported together. */
export const ANYBODY = -1;

export type Opener =
  | { type: 'section'; key: DumpKey }
  | { type: 'fence' }
  | { type: 'level'; level: number }
  | { type: 'other-sysrq' }
  | { type: 'hung'; report: Report }
  | { type: 'refusal'; report: Report }
  | { type: 'blocker'; blocker: Blocker }
  | { type: 'lost'; messages: number }
  | { type: 'boot' };

/** What a line, prefixes already off, means for the dumps around it; null for nearly all lines. */
export function opener(text: string): Opener | null {
  const found = findKernelLine(text);
  if (found === null) return null;
  const { line, groups } = found;
  if (line.answer !== undefined) return answered(line.answer, groups);
  if (line.boot === 'kernel') return { type: 'boot' };
  if (line.dump === undefined) return null;
  if (line.dump === 'hung_task') return { type: 'hung', report: reportIn(groups) };
  if (line.dump === 'refusal')
    return { type: 'refusal', report: { comm: '', pid: ANYBODY, seconds: Number(groups['seconds']) } };
  if (line.dump === 'blocker') return { type: 'blocker', blocker: blockerIn(groups) };
  if (line.dump === 'lost') return { type: 'lost', messages: Number(groups['messages']) };
  return { type: 'section', key: line.dump };
}

function answered(answer: NonNullable<Found['line']['answer']>, { level }: Found['groups']): Opener | null {
  switch (answer.type) {
    case 'header':
      return { type: 'section', key: answer.key };
    case 'help':
      return { type: 'fence' };
    case 'level':
      return { type: 'level', level: Number(level) };
    case 'cpu':
      return null;
    case 'refused':
    case 'dump':
    case 'other':
      return { type: 'other-sysrq' };
  }
}

function reportIn({ comm = '', pid, seconds }: Found['groups']): Report {
  return { comm, pid: Number(pid), seconds: Number(seconds) };
}

function blockerIn({ comm = '', pid, lock = '', owner = '', ownerPid }: Found['groups']): Blocker {
  return { waiter: { comm, pid: Number(pid) }, owner: { comm: owner, pid: Number(ownerPid) }, lock };
}
