/** Reads incident.json back: unknown members are let pass, anything else wrong is said, nothing throws. */
import { z } from 'zod';
import { type Incident } from './incident.js';
import { WAIT_KINDS } from '../model.js';

const confidence = z.enum(['high', 'medium', 'low']);
const key = z.enum([
  ...(['w', 't', 'l', 'm', 'p', 'd', 'q'] as const),
  ...(['hung_task', 'rcu_stall', 'lockup', 'oops', 'panic', 'none'] as const),
]);
const frame = z.object({
  symbol: z.string(),
  offset: z.number().nullable(),
  size: z.number().nullable(),
  module: z.string().nullable(),
  reliable: z.boolean(),
  source: z.string().exactOptional(),
});
const task = z.object({
  comm: z.string(),
  pid: z.number().nullable(),
  ppid: z.number().nullable(),
  state: z.string(),
  frames: z.array(frame),
  workqueue: z.object({ name: z.string(), func: z.string(), about: z.string().exactOptional() }).nullable(),
  blockedForSeconds: z.number().nullable(),
});
const cpu = z.object({
  cpu: z.number(),
  comm: z.string().nullable(),
  pid: z.number().nullable(),
  idle: z.boolean(),
  frames: z.array(frame),
});
const workItem = z.object({
  state: z.enum(['in-flight', 'pending', 'inactive']),
  func: z.string(),
  pid: z.number().nullable(),
  pool: z.number().nullable(),
  flushers: z.array(z.number()),
  seconds: z.number().nullable(),
});
const party = z.object({ comm: z.string(), pid: z.number() });
const running = z.object({
  comm: z.string(),
  pid: z.number(),
  priority: z.number(),
  switches: z.number(),
  ranMs: z.number(),
});
const dump = z.object({
  key,
  complete: z.boolean(),
  incompleteBecause: z.array(z.string()),
  lossy: z.literal(true).exactOptional(),
  mended: z.number().exactOptional(),
  tasks: z.array(task),
  cpus: z.array(cpu),
  locks: z.array(
    z.object({
      pid: z.number(),
      comm: z.string(),
      address: z.string(),
      name: z.string(),
      at: z.string().exactOptional(),
      wanted: z.boolean().exactOptional(),
    }),
  ),
  workqueues: z.array(
    z.object({
      name: z.string(),
      lines: z.array(z.string()),
      items: z.array(workItem).exactOptional(),
      hungSeconds: z.number().exactOptional(),
    }),
  ),
  headline: z.string().exactOptional(),
  bootSeconds: z.number().exactOptional(),
  boot: z.number().exactOptional(),
  blockers: z.array(z.object({ waiter: party, owner: party, lock: z.string() })).exactOptional(),
  stall: z
    .object({
      cpus: z.array(z.number()),
      pids: z.array(z.number()),
      seconds: z.number().nullable(),
      jiffies: z.number().exactOptional(),
      gracePeriod: z.number().exactOptional(),
      tickless: z.array(z.number()).exactOptional(),
      starved: z
        .object({ comm: z.string(), cpu: z.number().nullable(), jiffies: z.number() })
        .exactOptional(),
    })
    .exactOptional(),
  onCpu: z
    .array(
      z.object({
        cpu: z.number(),
        running: running.nullable(),
        preempted: running.exactOptional(),
        waiting: z.number(),
      }),
    )
    .exactOptional(),
  unplaced: z.object({ lines: z.number(), examples: z.array(z.string()) }).exactOptional(),
});
const verdict = z.object({
  title: z.string(),
  class: z.enum([
    ...(['blocked', 'lock-chain', 'deadlock', 'waiting', 'spinning', 'starved', 'userspace'] as const),
    ...(['panicked', 'paused', 'qemu-stuck', 'network-only', 'none', 'unknown'] as const),
  ]),
  frame: z.string().nullable(),
  confidence,
  culprit: z
    .object({ comm: z.string(), pid: z.number().nullable(), state: z.string(), frame: z.string() })
    .nullable(),
  reasons: z.array(z.string()),
  inferred: z.array(z.string()),
});
const annotation = z.object({
  // A kind that a later version knows is shown as none.
  wait: z.enum(WAIT_KINDS).nullable().catch(null),
  operation: z.string().nullable(),
  subject: z.string().nullable(),
  entry: z.string().nullable(),
});
const group = z.object({
  count: z.number(),
  state: z.string(),
  frames: z.array(z.string()),
  pids: z.array(z.number()),
  comms: z.array(z.string()),
  idle: z.boolean(),
  annotation: annotation.exactOptional(),
  sources: z.array(z.string().nullable()).exactOptional(),
});
const wait = z.object({
  waiter: z.string(),
  owner: z.string(),
  through: z.string(),
  confidence,
  reason: z.string().exactOptional(),
});
const rung = z.object({
  rung: z.enum([
    ...(['send-key', 'sysrq-trigger', 'input-send-event', 'second-keyboard'] as const),
    ...(['registers', 'inject-nmi', 'memory-dump'] as const),
  ]),
  outcome: z.enum(['worked', 'failed', 'skipped']),
  detail: z.string(),
});
const time = z.string();

const schema: z.ZodType<Incident> = z.object({
  schemaVersion: z.literal(1),
  id: z.string(),
  vm: z.string(),
  unit: z.string(),
  invocation: z.string().nullable(),
  startedAt: time,
  wedgedSince: time.nullable(),
  filedAt: time,
  recoveredAt: time.nullable(),
  why: z.array(z.string()),
  lastProgress: z.object({ at: time, text: z.string() }).nullable(),
  awaiting: z.string().nullable(),
  note: z.string().nullable().default(null),
  test: z.object({ at: time, text: z.string() }).nullable().default(null),
  evidence: z.object({
    complete: z.boolean(),
    incompleteBecause: z.array(z.string()),
    dumps: z.array(
      z.object({
        name: z.string(),
        key,
        complete: z.boolean(),
        lines: z.number(),
        endedBy: z.string(),
        mended: z.number().exactOptional(),
      }),
    ),
  }),
  capture: z.array(rung).default([]),
  armed: z.string().nullable().default(null),
  timings: z.record(z.string(), z.number()),
  kernel: z.string().nullable().default(null),
  version: z.string(),
  verdict,
  dumps: z.array(dump),
  groups: z.array(group),
  waits: z.array(wait),
  fingerprint: z.string(),
  fingerprintVersion: z.number(),
});

export type ReadIncident = { ok: true; incident: Incident } | { ok: false; problem: string };

/** The text of an incident.json, or in one sentence why it cannot be read. */
export function readIncident(text: string): ReadIncident {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, problem: text === '' ? 'incident.json is empty' : 'incident.json is no JSON' };
  }
  const version = z.object({ schemaVersion: z.number() }).safeParse(json).data?.schemaVersion;
  if (version !== undefined && version !== 1) {
    return {
      ok: false,
      problem: `incident.json has schemaVersion ${version}, this wedgewatch reads 1: use the one that wrote it`,
    };
  }
  const { success, data, error } = schema.safeParse(json);
  if (success) return { ok: true, incident: data };
  const issue = error.issues[0];
  return {
    ok: false,
    problem: `incident.json: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unreadable'}`,
  };
}
