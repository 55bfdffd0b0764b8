import { stringify } from 'yaml';
import type { z } from 'zod';
import { configJsonSchema, itemsOf, propertiesOf, type JsonSchema } from './json-schema.js';
import type { configSchema } from './schema.js';

const HEADER = `# The configuration of wedgewatch: every key with its default. Copy only the keys that you change to
# ~/.config/wedgewatch/config.yaml; a running daemon applies each edit at once.
# \`wedgewatch config check\` finds mistakes, \`wedgewatch config schema\` helps editors.
# Write durations as 500ms, 3s, 2min, 1h or 90d, or combined: 1h 30min.`;

type Written = z.input<typeof configSchema>;

/** Lists have no default worth showing. */
const EXAMPLES: Record<string, object> = {
  guests: {
    name: 'lab1',
    unit: 'lab1.service',
    qmp: '/run/user/1000/lab1/qmp.sock',
    console: 'file:/var/tmp/lab1.console',
    ssh: 'root@lab1',
  } satisfies NonNullable<Written['guests']>[number],
  onIncident: {
    command: ['rsync', '-a', '%d', 'lab:incidents/'],
    timeout: '5min',
  } satisfies NonNullable<Written['onIncident']>[number],
  overrides: {
    match: 'slow-*',
    ssh: { timeout: '10s' },
    detect: { silence: '30s', bootSilence: '2min' },
    capture: { dumpTimeout: '3min' },
    arm: 'fix',
    memory: 'off',
    ladder: { injectNmi: true },
    symbols: { systemMap: '/var/tmp/kernels/%v/System.map', vmlinux: '/var/tmp/kernels/%v/vmlinux' },
    qmp: { timeout: '2s' },
  } satisfies NonNullable<Written['overrides']>[number],
};

/**
 * The text of config.example.yaml, made from the schema. Prose begins with `# `; a line that is an example,
 * and not a default, begins with a bare `#` to be taken away.
 */
export function exampleYaml(): string {
  const sections = propertiesOf(configJsonSchema()).map(([key, schema]) => {
    const item = itemsOf(schema);
    if (item === undefined && propertiesOf(schema).length === 0)
      return [...comment(schema), ...yamlLines({ [key]: schema.default })].join('\n');
    const lines =
      item === undefined ? mapping(schema) : firstItem(item, EXAMPLES[key] ?? {}).map((line) => `#${line}`);
    return [...comment(schema), `${item === undefined ? '' : '#'}${key}:`, ...lines].join('\n');
  });
  return `${[HEADER, ...sections].join('\n\n')}\n`;
}

function mapping(schema: JsonSchema): string[] {
  return propertiesOf(schema)
    .flatMap(([name, field]) => [...comment(field), ...yamlLines({ [name]: field.default })])
    .map((line) => `  ${line}`);
}

function firstItem(schema: JsonSchema, example: object): string[] {
  const values = new Map<string, unknown>(Object.entries(example));
  return propertiesOf(schema).flatMap(([name, field], index) => {
    const [first = '', ...rest] = yamlLines({ [name]: values.get(name) });
    return [
      ...comment(field).map((line) => `${index === 0 ? '  ' : '    '}${line}`),
      `${index === 0 ? '  - ' : '    '}${first}`,
      ...rest.map((line) => `    ${line}`),
    ];
  });
}

const yamlLines = (value: object) =>
  stringify(value, { singleQuote: true, lineWidth: 0 }).trimEnd().split('\n');

const comment = ({ description }: JsonSchema) => (description === undefined ? [] : [`# ${description}`]);
