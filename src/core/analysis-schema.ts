/** What `analyze --json` prints, and incident.json holds as well. The types of an analysis are inferred from this. */
import { z } from 'zod';
import { dumpSchema } from './dump-schema.js';
import { SERVER_KINDS } from './subsystems.js';

const confidence = z.enum(['high', 'medium', 'low']);

const verdict = z.object({
  /** One line, ready for a terminal: no control characters. */
  title: z.string(),
  class: z.enum([
    ...(['blocked', 'lock-chain', 'deadlock', 'waiting', 'spinning', 'starved', 'userspace'] as const),
    ...(['panicked', 'paused', 'qemu-stuck', 'network-only', 'none', 'unknown'] as const),
  ]),
  /** Last part of the title: where the wait of a stuck task ends, in words. Missing where no task is stuck. */
  place: z.string().nullable().exactOptional(),
  /** The function that names the place; null where no stack does. */
  frame: z.string().nullable(),
  confidence,
  culprit: z
    .object({ comm: z.string(), pid: z.number().nullable(), state: z.string(), frame: z.string() })
    .nullable(),
  reasons: z.array(z.string()),
  /** What the guest cannot know and was taken from outside. */
  inferred: z.array(z.string()),
});

const waitKind = z.enum([
  ...(['mutex', 'rwsem', 'semaphore', 'spinlock'] as const),
  ...(['page', 'buffer', 'writeback', 'dirty-throttle', 'reclaim', 'io'] as const),
  ...(['block-tag', 'queue-freeze', 'block-io', 'fs-freeze', 'journal-commit', 'transaction'] as const),
  ...(['rcu', 'work', 'kthread', 'completion', 'firmware', 'poll-loop'] as const),
  ...SERVER_KINDS,
  ...(['futex', 'pipe', 'socket', 'events', 'child', 'coredump'] as const),
  // Harmless: created and never woken, frozen, or asleep until there is work.
  ...(['never-run', 'frozen', 'idle'] as const),
]);

/** What one stack is, in the words of the kernel's sources. */
const annotation = z.object({
  /** What it sleeps for; null where it is not known to sleep for anything, or in a way that a later version named. */
  wait: waitKind.nullable().catch(null),
  /** The function that names the place. */
  operation: z.string().nullable(),
  /** The part of the kernel it belongs to: a filesystem, a layer, a module. */
  subject: z.string().nullable(),
  /** How the kernel was entered: a syscall, `page fault`, `work FUNC`, `kthread FUNC`, `initcall FUNC`. */
  entry: z.string().nullable(),
});

const stackGroup = z.object({
  count: z.number(),
  state: z.string(),
  /** Function names with `[module]`, innermost first. */
  frames: z.array(z.string()),
  pids: z.array(z.number()),
  comms: z.array(z.string()),
  idle: z.boolean(),
  /** Missing in incidents of older versions. */
  annotation: annotation.exactOptional(),
  /** Of each frame, where a vmlinux told of any. */
  sources: z.array(z.string().nullable()).exactOptional(),
});

/** One edge of the wait-for graph; waiter and owner as `comm:pid`. */
const wait = z.object({
  waiter: z.string(),
  owner: z.string(),
  /** The lock, or the work that is awaited. */
  through: z.string(),
  confidence,
  /** What says so, as a clause; missing in incidents of older versions. */
  reason: z.string().exactOptional(),
});

export const analysisSchema = z.object({
  schemaVersion: z.literal(1),
  verdict,
  dumps: z.array(dumpSchema),
  groups: z.array(stackGroup),
  waits: z.array(wait),
  fingerprint: z.string(),
  fingerprintVersion: z.number(),
});

export type Analysis = z.output<typeof analysisSchema>;
export type Verdict = z.output<typeof verdict>;
export type VerdictClass = Verdict['class'];
export type Confidence = z.output<typeof confidence>;
export type StackGroup = z.output<typeof stackGroup>;
export type Annotation = z.output<typeof annotation>;
export type WaitKind = z.output<typeof waitKind>;
export type Wait = z.output<typeof wait>;
