/** One filed hang: what incident.json holds, and how its directory is named. */
import type { Analysis, DumpKey, Look } from '../model.js';
import type { CaptureRung } from '../capture/rungs.js';

/** A moment of the decision, for people. `at` is ISO, UTC. */
export interface Moment {
  at: string;
  text: string;
}

/** Why a guest was accused: known as soon as a capture begins. */
export interface Accusation {
  vm: string;
  unit: string;
  /** systemd's invocation id, new for each start of the guest; null for a console that is a file. */
  invocation: string | null;
  /** Last progress or last good SSH, ISO; null if there was none. */
  wedgedSince: string | null;
  /** What made it suspect. */
  why: string[];
  lastProgress: Moment | null;
  /** The start job that the console waits for. */
  awaiting: string | null;
  /** The test that was running, and since when. */
  test: Moment | null;
  /** The words of whoever asked for it by hand. */
  note: string | null;
}

export interface DumpEvidence {
  /** Such as `sysrq-w.1`; its file has `.txt` behind it. */
  name: string;
  key: DumpKey;
  complete: boolean;
  lines: number;
  /** `fence`, or what ended it instead. */
  endedBy: string;
  /** Torn task headers that were put together again. */
  mended?: number;
}

/** Times are ISO, UTC. The members of the analysis are at the top level, as in `analyze --json`. */
export interface Incident extends Accusation, Analysis {
  /** The name of its directory. */
  id: string;
  startedAt: string;
  filedAt: string;
  recoveredAt: string | null;
  evidence: { complete: boolean; incompleteBecause: string[]; dumps: DumpEvidence[] };
  /** Ways that were tried to get the evidence, in their order. */
  capture: CaptureRung[];
  /** Whether the guest was known to print its dumps, before: `yes`, `no:` and the gap, null where nothing was known. */
  armed: string | null;
  /** Milliseconds. */
  timings: Record<string, number>;
  /** Release of the guest's kernel, as its console told; null where it did not. */
  kernel: string | null;
  /** Of wedgewatch. */
  version: string;
}

/** What host.json holds. */
export interface HostEvidence {
  looks: { at: string; look: Look }[];
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
