/** From the text of a configuration file to its values, or to everything that is wrong with it. */
import { configJsonSchema } from './json-schema.js';
import { parseYaml } from './parse-yaml.js';
import type { ConfigProblem } from './problem.js';
import { configSchema, type Config } from './schema.js';

export type ParsedConfig = { ok: true; config: Config } | { ok: false; problems: ConfigProblem[] };

/**
 * Reads a configuration. An empty text is all defaults, and so is an empty section. `file` only names the file
 * in the problems; nothing is thrown.
 */
export function parseConfig(text: string, file: string): ParsedConfig {
  const parsed = parseYaml(text, file, {
    what: 'configuration',
    schema: configSchema,
    jsonSchema: configJsonSchema,
    prepare: sections,
  });
  return parsed.ok ? { ok: true, config: parsed.value } : parsed;
}

/** A section whose keys are all commented out is null to YAML, and means the defaults to people. */
function sections(value: unknown): unknown {
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, section]) => section !== null));
}
