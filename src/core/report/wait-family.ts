/** The kinds of waits as colours show them: few enough to tell apart. */
import { SERVER_KINDS } from '../analysis/subsystems.js';
import type { WaitKind } from '../model.js';

export type Family = 'server' | 'lock' | 'io' | 'journal' | 'memory' | 'work' | 'user' | 'other';

const KINDS: Readonly<Record<Family, readonly WaitKind[]>> = {
  server: SERVER_KINDS,
  lock: ['mutex', 'rwsem', 'semaphore', 'spinlock'],
  io: ['page', 'buffer', 'writeback', 'io', 'block-tag', 'queue-freeze', 'block-io', 'fs-freeze'],
  journal: ['journal-commit', 'transaction'],
  memory: ['reclaim', 'dirty-throttle'],
  work: ['rcu', 'work', 'kthread', 'completion', 'firmware', 'poll-loop'],
  user: ['futex', 'pipe', 'socket', 'events', 'child', 'coredump'],
  other: ['never-run', 'frozen', 'idle'],
};

/** In the order of a legend. */
export const FAMILY_NAMES: Readonly<Record<Family, string>> = {
  server: 'a server’s answer (FUSE, 9p, NFS …)',
  lock: 'a lock',
  io: 'a page or block I/O',
  journal: 'a journal or transaction',
  memory: 'memory',
  work: 'work, a completion, RCU',
  user: 'user space, events',
  other: 'running, or not known',
};

export const FAMILIES = Object.keys(FAMILY_NAMES) as Family[];

const OF = new Map<WaitKind, Family>(
  FAMILIES.flatMap((family) => KINDS[family].map((kind) => [kind, family] as const)),
);

export const familyOf = (kind: WaitKind | null): Family =>
  kind === null ? 'other' : (OF.get(kind) ?? 'other');
