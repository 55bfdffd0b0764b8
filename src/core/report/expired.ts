/** Which incidents have to go. */
import { parseIncidentName } from './incident.js';

export interface Limits {
  maxIncidents: number;
  maxAgeMs: number;
  nowMs: number;
}

/**
 * The names to remove, oldest first: what is older than `maxAgeMs`, and the oldest beyond `maxIncidents`. Names that
 * are no incident's are left alone and count for nothing.
 */
export function expired(names: readonly string[], { maxIncidents, maxAgeMs, nowMs }: Limits): string[] {
  const ours = names
    .flatMap((name) => {
      const parsed = parseIncidentName(name);
      return parsed ? [{ name, startedAtMs: parsed.startedAtMs }] : [];
    })
    .sort((a, b) => a.startedAtMs - b.startedAtMs || (a.name < b.name ? -1 : 1));
  const tooMany = Math.max(0, ours.length - maxIncidents);
  return ours
    .filter(({ startedAtMs }, index) => index < tooMany || nowMs - startedAtMs > maxAgeMs)
    .map(({ name }) => name);
}
