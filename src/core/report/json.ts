import { UNSAFE } from '../printable.js';
import type { Incident } from './incident.js';

/** JSON that may be shown on a terminal: the same value, with whatever a terminal would obey escaped. */
export function safeJson(value: unknown, indent?: number): string {
  return escapeUnsafe(JSON.stringify(value, null, indent));
}

/** Escapes within JSON text, where such characters can only stand in strings; controls there are its blanks. */
export function escapeUnsafe(json: string): string {
  return json.replace(UNSAFE, (mark) =>
    mark < ' ' ? mark : `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** incident.json: a member a line, the small ones before the dumps, so that its head can be read by eye. */
export function incidentJson(incident: Incident): string {
  const { schemaVersion, groups, waits, dumps, ...rest } = incident;
  const members = Object.entries({ schemaVersion, ...rest, waits, groups, dumps });
  return `{\n${members.map(([name, value]) => `  ${safeJson(name)}: ${safeJson(value)}`).join(',\n')}\n}\n`;
}
