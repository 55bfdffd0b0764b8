/** One filed hang: what stands beside its incident.json, and how its directory is named. */
import type { Look } from '../model.js';
import type { Incident } from './incident-schema.js';

export type { Accusation, DumpEvidence, HookRun, Incident, Moment } from './incident-schema.js';

/** What host.json holds. */
export interface HostEvidence {
  looks: { at: string; look: Look }[];
  /** The last lines of the units that serve its shares. */
  logs?: { unit: string; lines: string[] }[];
}

interface IncidentName {
  startedAtMs: number;
  /** As it stands in the name: characters that paths should not hold are lost. */
  vm: string;
  /** Eight hex digits. */
  shortId: string;
}

const NAME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.([A-Za-z0-9_-][A-Za-z0-9._-]{0,63})\.([0-9a-f]{8})$/;
const VM_MAX = 64;

/**
 * The name of an incident's directory: `20260918T101502Z.<vm>.<id>`. VM names are hostile: only letters, digits and
 * `._-` survive, at most 64, and no leading dot. `randomHex` are eight hex digits.
 */
export function incidentId(startedAtMs: number, vm: string, randomHex: string): string {
  const stamp = new Date(startedAtMs).toISOString().replace(/\.\d+/, '').replace(/[-:]/g, '');
  const safe = vm.replace(/[^A-Za-z0-9._-]/g, '_').replace(/^\./, '_');
  return `${stamp}.${safe.slice(0, VM_MAX) || '_'}.${randomHex}`;
}

/** The parts of such a name, or null for a directory that is not ours. */
export function parseIncidentName(name: string): IncidentName | null {
  const match = NAME.exec(name);
  if (!match) return null;
  const [year = 0, month = 0, day = 0, hour, minute, second] = match.slice(1, 7).map(Number);
  return {
    startedAtMs: Date.UTC(year, month - 1, day, hour, minute, second),
    vm: match[7] ?? '',
    shortId: match[8] ?? '',
  };
}

/** The same evidence with further reasons why it is not whole. */
export function incompleteBecause(incident: Incident, reasons: readonly string[]): Incident {
  if (reasons.length === 0) return incident;
  const { evidence } = incident;
  const all = [...new Set([...evidence.incompleteBecause, ...reasons])];
  return { ...incident, evidence: { ...evidence, complete: false, incompleteBecause: all } };
}
