/** What is wrong with a configuration file, and where. */
import { nearest } from '../nearest.js';
import { printable } from '../printable.js';
import { propertiesOf, schemaAt, type JsonSchema } from './json-schema.js';

export interface ConfigProblem {
  file: string;
  /** Both from 1; null where the file as a whole is meant. */
  position: { line: number; column: number } | null;
  /** Such as `guests[0].name`; empty for the file or its syntax. */
  path: string;
  /** What stands there, shortened; null if that says nothing. */
  found: string | null;
  /** What was expected, and what to do. */
  message: string;
}

/** Keys that earlier versions had, by their path. */
const REMOVED = new Map([
  [
    'journal',
    'this section is gone, with its only key slice: consoles are found by their unit, whatever its slice; delete these lines',
  ],
]);
const MAX_MESSAGE = 500;
const MAX_FOUND = 40;
const MAX_LISTED_KEYS = 24;

/** One line, fit for a terminal and for editors: `config.yaml:12:5: ssh.intervall: unknown key; did you mean …`. */
export function formatProblem({ file, position, path, found, message }: ConfigProblem): string {
  const where = position ? `${file}:${position.line}:${position.column}` : file;
  const tail = found === null ? message : `${message}; found ${found}`;
  return printable([where, path, tail].filter((part) => part !== '').join(': '), MAX_MESSAGE);
}

/** `['guests', 0, 'name']` is `guests[0].name`. */
export function dotted(path: readonly PropertyKey[]): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('');
}

/** A value as one would name it in a message. */
export function named(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'a mapping';
  return printable(JSON.stringify(value), MAX_FOUND);
}

/** What to say of a key that earlier versions had, or null for any other. */
export function removedKey(parent: readonly PropertyKey[], key: string): string | null {
  return REMOVED.get(dotted([...parent, key])) ?? null;
}

/** What to say of a key that the schema does not have: the key next to it in spelling, or those there are. */
export function unknownKey(schema: JsonSchema, parent: readonly PropertyKey[], key: string): string {
  const here = schemaAt(schema, parent) ?? {};
  const keys = keysOf(here);
  const near = nearest(key, keys);
  if (near !== null) return `unknown key; did you mean ${dotted([...parent, near])}?`;
  const below = propertiesOf(here).find(([, section]) => keysOf(section).includes(key));
  if (below) return `unknown key; did you mean ${dotted([...parent, below[0], key])}?`;
  return keys.length > 0 && keys.length <= MAX_LISTED_KEYS
    ? `unknown key; the keys here are ${keys.join(', ')}`
    : 'unknown key';
}

const keysOf = (schema: JsonSchema) => propertiesOf(schema).map(([key]) => key);
