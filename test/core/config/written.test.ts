import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { guestSettings } from '../../../src/core/config/guest-settings.js';
import {
  configJsonSchema,
  itemsOf,
  type JsonSchema,
  propertiesOf,
  schemaAt,
} from '../../../src/core/config/json-schema.js';
import { parseConfig } from '../../../src/core/config/parse-config.js';
import { configSchema } from '../../../src/core/config/schema.js';
import { writtenConfig, writtenGuest, writtenSettings } from '../../../src/core/config/written.js';

const text = `
ssh: {interval: 1min 30s, host: 'x-%v'}
archive: {directory: /a, maxAge: 36h}
guests: [{name: a, ssh: false, console: 'file:/c'}]
overrides: [{match: 'a*', detect: {silence: 2500ms}}]
`;

describe('the written form', () => {
  it('reads back as the same configuration', () => {
    const first = parseConfig(text, 'f');
    if (!first.ok) throw new Error('broken');
    const written = writtenConfig(first.config);
    expect(written).toMatchObject({
      ssh: { interval: '1min 30s', timeout: '3s' },
      archive: { maxAge: '1d 12h' },
      overrides: [{ match: 'a*', detect: { silence: '2s 500ms' } }],
    });
    expect(parseConfig(stringify(written), 'f')).toEqual(first);
    expect(parseConfig(JSON.stringify(written), 'f')).toEqual(first);
  });

  it('of one guest spells durations out', () => {
    const first = parseConfig(text, 'f');
    if (!first.ok) throw new Error('broken');
    expect(writtenSettings(guestSettings(first.config, 'a', { qmpDirectory: '/q' }))).toMatchObject({
      vm: 'a',
      unit: 'qemu-system@a.service',
      qmpSocket: '/q/a/qmp.sock',
      console: 'file:/c',
      ssh: { enabled: false, host: 'x-a', interval: '1min 30s' },
      detect: { silence: '2s 500ms', bootSilence: '20s' },
    });
    const plain = guestSettings(configSchema.parse({}), 'b', { qmpDirectory: '/q' });
    expect(writtenSettings(plain)).toMatchObject({ console: 'journal', qmp: { timeout: '1s' } });
  });
});

describe('the written form of one guest', () => {
  const defaults = { qmpDirectory: '/q' };
  const everything = `
ssh: {interval: 1min 30s, host: 'x-%v', configFile: ~/c/%v, login: false}
detect: {silence: 9s, testPattern: '^test (.*)$'}
capture: {maxPerHour: 7}
arm: fix
ladder: {injectNmi: true}
qmp: {timeout: 2s}
symbols: {systemMap: /maps/%v, vmlinux: /images/%v}
discover: {directory: /vms, unit: vm-%v.service}
guests:
  - {name: a, unit: a.service, qmp: /q/a.sock, console: 'file:/c/%v', ssh: root@a}
  - {name: b, ssh: false}
overrides:
  - {match: 'c*', arm: 'off', ladder: {memoryDump: true}, symbols: {vmlinux: null}, detect: {silence: 2500ms}}
`;
  const settingsOf = (text: string, vm: string) => {
    const parsed = parseConfig(text, 'f');
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    return guestSettings(parsed.config, vm, defaults);
  };

  it.each(['', everything].flatMap((text) => ['a', 'b', 'c-1', '10:2'].map((vm) => ({ text, vm }))))(
    'is a configuration that says the same of $vm',
    ({ text, vm }) => {
      const settings = settingsOf(text, vm);
      const written = stringify(writtenGuest(settings));
      expect(settingsOf(written, vm)).toStrictEqual(settings);
    },
  );

  it('has every key that may differ for a guest', () => {
    const schema = configJsonSchema();
    const item = (list: string): JsonSchema => itemsOf(schemaAt(schema, [list]) ?? {}) ?? {};
    const sections = propertiesOf(item('overrides')).filter(([key]) => key !== 'match');
    const keys = sections.flatMap(([section, { properties }]) =>
      Object.keys(properties ?? { '': {} }).map((key) => (key === '' ? section : `${section}.${key}`)),
    );
    // The SSH of an entry is what the section says then.
    const ofEntry = propertiesOf(item('guests')).filter(([key]) => key !== 'ssh');
    const settings = settingsOf(everything, 'a');
    for (const written of [writtenGuest(settings), writtenSettings(settings)])
      for (const key of keys) expect(written).toHaveProperty(key);
    for (const [key] of ofEntry) expect(writtenGuest(settings)).toHaveProperty(`guests[0].${key}`);
    expect(keys).toContain('arm');
    expect(keys).toContain('symbols.vmlinux');
    expect(keys.length).toBeGreaterThan(20);
  });
});
