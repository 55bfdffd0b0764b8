/** Known hangs: what a team has found out about a hang, for everyone who meets it again. */
import { RE2JS } from 're2js';
import { z } from 'zod';
import { printable } from '../printable.js';
import { expression, text } from './fields.js';
import type { JsonSchema } from './json-schema.js';
import { parseYaml } from './parse-yaml.js';
import type { ConfigProblem } from './problem.js';

const TITLE_MAX = 200;
const LINK_MAX = 500;
/** Each pattern is tried on each verdict. */
const ENTRIES_MAX = 1000;
/** As much of a verdict as the list of incidents keeps: an entry must fit in every verb, or in none. */
const VERDICT_MAX = 400;

const DAY_EXPECTED = 'expected a day such as 2026-12-31';
const day = z
  .string(DAY_EXPECTED)
  .refine(
    (value) =>
      /^\d{4}-\d\d-\d\d$/.test(value) && new Date(Date.parse(value) || 0).toISOString().startsWith(value),
    DAY_EXPECTED,
  );

const entrySchema = z
  .strictObject({
    title: z
      .string('expected a few words that name the hang')
      .min(1, 'expected a few words that name the hang')
      .max(TITLE_MAX, `expected at most ${TITLE_MAX} characters`),
    link: text(
      /^https?:\/\/[^\s<>"]+$/,
      'an address that begins with https:// or http://',
      'Where it is discussed.',
    ).max(LINK_MAX, `expected at most ${LINK_MAX} characters`),
    fingerprint: text(
      /^[0-9a-f]{8,16}$/,
      'a fingerprint, as show prints it, or at least its first 8 digits, in quotes',
      'Fingerprint of the hang, or its first digits.',
    )
      .nullable()
      .prefault(null),
    pattern: expression('An RE2 regular expression, searched in the verdict.'),
    ignoreUntil: day
      .describe('Reports for CI skip it if it happened on this day (UTC) or before.')
      .nullable()
      .prefault(null),
  })
  .superRefine(({ fingerprint, pattern }, context) => {
    if (fingerprint === null && pattern === null)
      context.addIssue({ code: 'custom', message: 'expected a fingerprint or a pattern, or both' });
  });

const listSchema = z.array(entrySchema).max(ENTRIES_MAX, `expected at most ${ENTRIES_MAX} hangs in one file`);

export type KnownEntry = z.output<typeof entrySchema>;

let jsonSchema: JsonSchema | undefined;

export type ParsedKnown = { ok: true; entries: KnownEntry[] } | { ok: false; problems: ConfigProblem[] };

/** Reads a known.yaml. `file` only names it in the problems; nothing is thrown. */
export function parseKnown(source: string, file: string): ParsedKnown {
  const parsed = parseYaml(source, file, {
    what: 'list of known hangs',
    schema: listSchema,
    jsonSchema: () => (jsonSchema ??= z.toJSONSchema(listSchema, { io: 'input' })),
    prepare: (value) => value ?? [],
  });
  return parsed.ok ? { ok: true, entries: parsed.value } : parsed;
}

/** What is known of one hang. */
export const knownSchema = z.object({
  title: z.string(),
  link: z.string(),
  /** It happened while the team ignored it. */
  ignored: z.boolean(),
  ignoreUntil: z.string().nullable(),
});

export type Known = z.output<typeof knownSchema>;

/** What of an incident is compared. */
export interface Hang {
  fingerprint: string | null;
  verdict: string;
  /** ISO. */
  startedAt: string;
}

export type FindKnown = (hang: Hang) => Known | null;

/** Finds the entry of a hang: one with its fingerprint before one whose pattern fits, and of equals the first. */
export function knownFinder(entries: readonly KnownEntry[]): FindKnown {
  const patterns = entries.flatMap((entry) =>
    entry.pattern === null ? [] : [{ entry, expression: RE2JS.compile(entry.pattern) }],
  );
  // The same hang is often met again, and its verdict with it.
  const byVerdict = new Map<string, KnownEntry | null>();
  const byPattern = (verdict: string): KnownEntry | null => {
    const searched = printable(verdict, VERDICT_MAX);
    let found = byVerdict.get(searched);
    if (found === undefined) {
      found = patterns.find(({ expression }) => expression.matcher(searched).find())?.entry ?? null;
      byVerdict.set(searched, found);
    }
    return found;
  };
  return ({ fingerprint, verdict, startedAt }) => {
    const sameStack = (entry: KnownEntry): boolean =>
      entry.fingerprint !== null && fingerprint?.startsWith(entry.fingerprint) === true;
    const entry = entries.find(sameStack) ?? byPattern(verdict);
    if (entry === null) return null;
    const { title, link, ignoreUntil } = entry;
    return {
      title,
      link,
      ignored: ignoreUntil !== null && startedAt.slice(0, 10) <= ignoreUntil,
      ignoreUntil,
    };
  };
}

/** `known: https://… (dead virtiofsd, ignored until 2026-12-31)`. */
export function knownText({ title, link, ignored, ignoreUntil }: Known): string {
  const until = ignored && ignoreUntil !== null ? `, ignored until ${ignoreUntil}` : '';
  return `known: ${printable(link, LINK_MAX)} (${printable(title, TITLE_MAX)}${until})`;
}
