import { replaceUnsafe } from '../printable.js';
import type { Incident } from './incident.js';

/** JSON that may be shown on a terminal: the same value, with whatever a terminal would obey escaped. */
export function safeJson(value: unknown, indent?: number): string {
  return escapeUnsafe(JSON.stringify(value, null, indent));
}

/** Most JSON is ASCII, and its controls are its blanks: JSON.stringify escapes those of a string. */
const BEYOND_ASCII = /[^\0-~]/;

/** Escapes within JSON text, where such characters can only stand in strings; controls there are its blanks. */
export function escapeUnsafe(json: string): string {
  if (!BEYOND_ASCII.test(json)) return json;
  return replaceUnsafe(json, (mark) => (mark < ' ' ? mark : mark.replace(/[^]/g, escapeUnit)));
}

const escapeUnit = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** incident.json: a member a line, the small ones before the dumps, so that its head can be read by eye. */
export function incidentJson(incident: Incident): string {
  const { schemaVersion, groups, waits, dumps, ...rest } = incident;
  const members = Object.entries({ schemaVersion, ...rest, waits, groups, dumps });
  return `{\n${members.map(([name, value]) => `  ${safeJson(name)}: ${safeJson(value)}`).join(',\n')}\n}\n`;
}
