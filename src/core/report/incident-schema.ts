/**
 * incident.json: one filed hang. Members may be added, never renamed; what an older version did not write has a default
 * here. Its types are inferred, so a member that is not here can be neither written nor lost.
 */
import { z } from 'zod';
import { analysisSchema } from '../analysis-schema.js';
import { RUNG_NAMES } from '../capture/rungs.js';
import { knownSchema } from '../config/known.js';
import { dumpKey } from '../dump-schema.js';

/** ISO, UTC. */
const time = z.string();

/** A moment of the decision, for people. */
const moment = z.object({ at: time, text: z.string() });

/** Why a guest was accused: known as soon as a capture begins. */
export const accusationSchema = z.object({
  vm: z.string(),
  unit: z.string(),
  /** systemd's invocation id, new for each start of the guest; null where the journal showed no start of its unit. */
  invocation: z.string().nullable(),
  /** Last progress or last good SSH; null if there was none. */
  wedgedSince: time.nullable(),
  /** What made it suspect. */
  why: z.array(z.string()),
  lastProgress: moment.nullable(),
  /** The start job that the console waits for. */
  awaiting: z.string().nullable(),
  /** The test that was running, and since when. */
  test: moment.nullable().default(null),
  /** The words of whoever asked for it by hand. */
  note: z.string().nullable().default(null),
});

const dumpEvidence = z.object({
  /** Such as `sysrq-w.1`; its file has `.txt` behind it. */
  name: z.string(),
  key: dumpKey,
  complete: z.boolean(),
  lines: z.number(),
  /** `fence`, or what ended it instead. */
  endedBy: z.string(),
  /** Torn task headers that were put together again. */
  mended: z.number().exactOptional(),
});

/** What came of one way to get the evidence. */
const rung = z.object({
  rung: z.enum(RUNG_NAMES),
  outcome: z.enum(['worked', 'failed', 'skipped']),
  detail: z.string(),
});

/** What came of a program that was run because of the incident. */
const hookRun = z.object({
  /** As it was executed. */
  command: z.array(z.string()),
  startedAt: time,
  tookMs: z.number(),
  outcome: z.enum(['worked', 'failed']),
  detail: z.string(),
});

/** The members of the analysis are at the top level, as in `analyze --json`. */
export const incidentSchema = z.object({
  ...analysisSchema.shape,
  ...accusationSchema.shape,
  /** The name of its directory. */
  id: z.string(),
  startedAt: time,
  filedAt: time,
  recoveredAt: time.nullable(),
  evidence: z.object({
    complete: z.boolean(),
    incompleteBecause: z.array(z.string()),
    dumps: z.array(dumpEvidence),
  }),
  /** Ways that were tried to get the evidence, in their order. */
  capture: z.array(rung).default([]),
  /** Whether the guest was known to print its dumps, before: `yes`, `no:` and the gap, null where nothing was known. */
  armed: z.string().nullable().default(null),
  /** Milliseconds. */
  timings: z.record(z.string(), z.number()),
  /** Release of the guest's kernel, as its console told; null where it did not. */
  kernel: z.string().nullable().default(null),
  /** What the team's list said of it when its hooks began; there only if it said something, and there were hooks. */
  known: knownSchema.exactOptional(),
  /** Programs of onIncident, once all of them have ended. */
  hooks: z.array(hookRun).exactOptional(),
  /** Of wedgewatch. */
  version: z.string(),
});

export type Moment = z.output<typeof moment>;
export type HookRun = z.output<typeof hookRun>;
export type Accusation = z.output<typeof accusationSchema>;
export type DumpEvidence = z.output<typeof dumpEvidence>;
export type Incident = z.output<typeof incidentSchema>;
