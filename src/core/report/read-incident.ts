/** Reads incident.json back: unknown members are let pass, anything else wrong is said, nothing throws. */
import { z } from 'zod';
import { type Incident, incidentSchema } from './incident-schema.js';

export type ReadIncident = { ok: true; incident: Incident } | { ok: false; problem: string };

/** The text of an incident.json, or in one sentence why it cannot be read. */
export function readIncident(text: string): ReadIncident {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, problem: text === '' ? 'incident.json is empty' : 'incident.json is not JSON' };
  }
  const version = z.object({ schemaVersion: z.number() }).safeParse(json).data?.schemaVersion;
  if (version !== undefined && version !== 1) {
    return {
      ok: false,
      problem: `incident.json has schemaVersion ${version}, this wedgewatch reads 1: use the one that wrote it`,
    };
  }
  const { success, data, error } = incidentSchema.safeParse(json);
  if (success) return { ok: true, incident: data };
  return { ok: false, problem: `incident.json: ${memberProblem(error.issues[0])}` };
}

/** `verdict.title: Invalid input: …`, without a path where the whole is something else. */
function memberProblem(issue: z.core.$ZodIssue | undefined): string {
  const path = z.core.toDotPath(issue?.path ?? []);
  return [path, issue?.message ?? 'unreadable'].filter((part) => part !== '').join(': ');
}
