/** One line of the list of incidents. */
import { z } from 'zod';
import { analysisSchema } from '../analysis-schema.js';
import { printable } from '../printable.js';
import { parseIncidentName } from './incident.js';
import type { ReadIncident } from './read-incident.js';
import { evidenceText, taskCounts } from './summary.js';

/** What one incident.json says for the list. */
export const unseenRowSchema = z.object({
  /** The directory's name. */
  id: z.string(),
  shortId: z.string(),
  startedAt: z.string(),
  vm: z.string(),
  verdict: z.string(),
  /** Null, like the other members below, where incident.json cannot be read. */
  class: analysisSchema.shape.verdict.shape.class.nullable(),
  tasks: z.object({ stuck: z.number(), all: z.number() }).nullable(),
  evidence: z.string(),
  complete: z.boolean(),
  fingerprint: z.string().nullable(),
  fingerprintVersion: z.number().nullable(),
  recoveredAt: z.string().nullable(),
  kernel: z.string().nullable(),
  /** The test that was running. */
  test: z.string().nullable(),
});

export type UnseenRow = z.output<typeof unseenRowSchema>;

export interface IncidentRow extends UnseenRow {
  path: string;
  /** How many incidents, up to this one, have its fingerprint. */
  seen: number;
  /** When the first of them was, ISO, and on which kernel release, where that is known. */
  seenSince: string;
  firstKernel: string | null;
}

const TEXT_MAX = 400;
const NO_VERDICT = '(no verdict)';

/** From what was read of an incident; where that failed, from its name and the first line of its verdict.txt. */
export function incidentRow(id: string, read: ReadIncident, verdictLine: string | null): UnseenRow {
  const named = parseIncidentName(id);
  const base = { id, shortId: named?.shortId ?? id };
  if (!read.ok) {
    return {
      ...base,
      startedAt: new Date(named?.startedAtMs ?? 0).toISOString(),
      vm: named?.vm ?? '',
      verdict: printable(verdictLine ?? NO_VERDICT, TEXT_MAX),
      class: null,
      tasks: null,
      evidence: printable(`damaged: ${read.problem}`, TEXT_MAX),
      complete: false,
      fingerprint: null,
      fingerprintVersion: null,
      recoveredAt: null,
      kernel: null,
      test: null,
    };
  }
  const { incident } = read;
  return {
    ...base,
    startedAt: incident.startedAt,
    vm: incident.vm,
    verdict: printable(incident.verdict.title, TEXT_MAX),
    class: incident.verdict.class,
    tasks: taskCounts(incident),
    evidence: printable(evidenceText(incident.evidence), TEXT_MAX),
    complete: incident.evidence.complete,
    fingerprint: incident.fingerprint,
    fingerprintVersion: incident.fingerprintVersion,
    recoveredAt: incident.recoveredAt,
    kernel: incident.kernel,
    test: incident.test && printable(incident.test.text, TEXT_MAX),
  };
}

/** Puts the rows in order, newest last, and counts what was seen before. `pathOf`: the directory with this name. */
export function inOrder(rows: readonly UnseenRow[], pathOf: (id: string) => string): IncidentRow[] {
  const seen = new Map<string, { count: number; first: UnseenRow }>();
  return [...rows]
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
    .map((row) => {
      // Fingerprints of different versions cannot be compared.
      const key = row.fingerprint === null ? row.id : `${row.fingerprintVersion ?? ''}:${row.fingerprint}`;
      const { count, first } = seen.get(key) ?? { count: 0, first: row };
      seen.set(key, { count: count + 1, first });
      const { id, shortId, ...says } = row;
      const before = { seen: count + 1, seenSince: first.startedAt, firstKernel: first.kernel };
      return { id, shortId, path: pathOf(id), ...says, ...before };
    });
}

/** `14 times since 2026-09-02, first on 6.18.0-rc3`. */
export function seenText({ seen, seenSince, firstKernel }: IncidentRow): string {
  if (seen === 1) return 'once';
  const kernel = firstKernel === null ? '' : `, first on ${printable(firstKernel, 64)}`;
  return `${seen} times since ${printable(seenSince.slice(0, 10), 10)}${kernel}`;
}
