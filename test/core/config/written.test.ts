import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { guestSettings } from '../../../src/core/config/guest.js';
import { parseConfig } from '../../../src/core/config/parse.js';
import { configSchema } from '../../../src/core/config/schema.js';
import { writtenConfig, writtenSettings } from '../../../src/core/config/written.js';

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
