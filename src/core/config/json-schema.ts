import { z } from 'zod';
import { configSchema } from './schema.js';

/** As much of JSON Schema as zod prints for this configuration. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

/**
 * The JSON Schema of the file as it is written, for editors and for the tools here that walk the keys.
 * Durations are strings with a pattern; their ranges are checked only by `parseConfig`.
 */
export function configJsonSchema(): JsonSchema {
  made ??= { title: 'wedgewatch configuration', ...z.toJSONSchema(configSchema, { io: 'input' }) };
  return made;
}

let made: JsonSchema | undefined;

/** The schema's part at a path of keys and list indices, or undefined where there is none. */
export function schemaAt(schema: JsonSchema, path: readonly PropertyKey[]): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>((at, segment) => {
    if (at === undefined) return undefined;
    return typeof segment === 'number' ? itemsOf(at) : new Map(propertiesOf(at)).get(String(segment));
  }, schema);
}

/** The keys of a mapping, each with its schema; none for anything else. */
export function propertiesOf(schema: JsonSchema): [key: string, schema: JsonSchema][] {
  return Object.entries(schema.properties ?? {}).filter(
    (entry): entry is [string, JsonSchema] => typeof entry[1] === 'object',
  );
}

/** The schema of a list's items. */
export function itemsOf({ items }: JsonSchema): JsonSchema | undefined {
  return typeof items === 'object' && !Array.isArray(items) ? items : undefined;
}
