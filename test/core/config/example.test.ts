import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { exampleYaml } from '../../../src/core/config/example.js';
import { configJsonSchema, propertiesOf, schemaAt } from '../../../src/core/config/json-schema.js';
import { parseConfig } from '../../../src/core/config/parse-config.js';
import { configSchema } from '../../../src/core/config/schema.js';

/** Without the bare `#` in front of what is an example, and not prose. */
const uncommented = exampleYaml().replace(/^#(?! \S)/gm, '');

describe('config.example.yaml', () => {
  it('is what the schema says (write it anew with vitest -u)', async () => {
    await expect(exampleYaml()).toMatchFileSnapshot('../../../config.example.yaml');
  });

  it('holds every key with its default', () => {
    expect(parseConfig(exampleYaml(), 'f')).toEqual({ ok: true, config: configSchema.parse({}) });
    for (const [section, schema] of propertiesOf(configJsonSchema())) {
      if (propertiesOf(schema).length === 0) continue;
      const shown = (parse(exampleYaml()) as Record<string, object>)[section] ?? {};
      expect(Object.keys(shown)).toEqual(propertiesOf(schema).map(([key]) => key));
    }
  });

  it('has examples that are valid and show every key of the lists', () => {
    const result = parseConfig(uncommented, 'f');
    expect(result).toMatchObject({
      ok: true,
      config: { guests: [{ name: 'lab1' }], overrides: [{ match: 'slow-*' }] },
    });
    const raw = parse(uncommented) as Record<string, object[]>;
    for (const list of ['guests', 'onIncident', 'overrides']) {
      const keys = propertiesOf(schemaAt(configJsonSchema(), [list, 0]) ?? {}).map(([key]) => key);
      expect(Object.keys(raw[list]?.[0] ?? {})).toEqual(keys);
    }
  });

  it('explains every key', () => {
    const keys = exampleYaml()
      .split('\n')
      .flatMap((line, index, all) => {
        const isKey = /^#? {0,4}(- )?\w+:/.test(line);
        return isKey ? [{ line, before: all[index - 1] ?? '' }] : [];
      });
    expect(keys.length).toBeGreaterThan(30);
    expect(keys.filter(({ before }) => !/^#? *# \S/.test(before))).toEqual([]);
  });
});

describe('the JSON Schema', () => {
  const schema = configJsonSchema();

  it('describes keys, defaults and the pattern of durations', () => {
    expect(schemaAt(schema, ['ssh', 'interval'])).toEqual({
      type: 'string',
      default: '3s',
      description: expect.stringContaining('one probe') as string,
      pattern: expect.stringContaining('min') as string,
    });
    expect(schemaAt(schema, ['archive', 'directory'])).toMatchObject({
      default: null,
      description: expect.stringContaining('$STATE_DIRECTORY') as string,
    });
    expect(schemaAt(schema, ['overrides', 0, 'ssh', 'interval'])).not.toHaveProperty('default');
  });

  it('knows no more and no fewer keys than there are', () => {
    expect(schemaAt(schema, ['ssh', 'intervall'])).toBeUndefined();
    expect(schemaAt(schema, ['constructor'])).toBeUndefined();
    expect(schemaAt(schema, ['ssh', 'interval', 'x'])).toBeUndefined();
    expect(schemaAt(schema, ['ssh', 0])).toBeUndefined();
  });

  it('accepts the example and refuses mistakes, as an editor would', () => {
    const editor = z.fromJSONSchema(schema);
    expect(editor.safeParse(parse(uncommented)).success).toBe(true);
    expect(editor.safeParse({}).success).toBe(true);
    const mistakes = [
      { ssh: { interval: 3 } },
      { ssh: { interval: '3m' } },
      { shs: {} },
      { guests: [{ unit: 'a' }] },
    ];
    expect(mistakes.filter((value) => editor.safeParse(value).success)).toEqual([]);
  });
});
