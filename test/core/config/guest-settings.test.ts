import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { guestForUnit, guestSettings } from '../../../src/core/config/guest-settings.js';
import { parseConfig } from '../../../src/core/config/parse-config.js';
import { configSchema, type Config } from '../../../src/core/config/schema.js';

const plain = configSchema.parse({});
const defaults = { qmpDirectory: '/run/user/7/qemu-system' };

function config(text: string): Config {
  const result = parseConfig(text, 'config.yaml');
  if (!result.ok) throw new Error(result.problems[0]?.message);
  return result.config;
}

describe('the settings of a guest', () => {
  it('are the defaults with its name in them', () => {
    expect(guestSettings(plain, 'g1', defaults)).toEqual({
      vm: 'g1',
      unit: 'qemu-system@g1.service',
      qmpSocket: '/run/user/7/qemu-system/g1/qmp.sock',
      console: { kind: 'journal' },
      ssh: { ...plain.ssh, host: 'g1' },
      hostIsName: true,
      detect: plain.detect,
      capture: plain.capture,
      arm: 'report',
      memory: plain.memory,
      ladder: plain.ladder,
      symbols: plain.symbols,
      qmp: plain.qmp,
    });
  });

  it('name the System.map of each guest', () => {
    const text = 'symbols: {systemMap: /maps/%v}\noverrides: [{match: b, symbols: {systemMap: /other}}]';
    const mapOf = (vm: string) => guestSettings(config(text), vm, defaults).symbols.systemMap;
    expect([mapOf('a'), mapOf('b')]).toEqual(['/maps/a', '/other']);
  });

  it('name the configuration of ssh for each guest', () => {
    const text =
      'ssh: {configFile: ~/bench/%v.conf}\noverrides: [{match: b, ssh: {configFile: /c/%v}}, {match: c, ssh: {configFile: null}}]';
    const fileOf = (vm: string) => guestSettings(config(text), vm, defaults).ssh.configFile;
    expect(['vm-1a2b3c4d', 'b', 'c'].map(fileOf)).toEqual(['~/bench/vm-1a2b3c4d.conf', '/c/b', null]);
    expect(() => config('ssh: {configFile: bench/a.conf}')).toThrow(/begins with ~\//);
    expect(() => config('ssh: {configFile: ~other/a.conf}')).toThrow(/begins with ~\//);
  });

  it('tell a host that somebody has named from one that is only the name of the VM', () => {
    const text = "guests: [{name: a, ssh: a}, {name: b}]\noverrides: [{match: c, ssh: {host: 'lab-%v'}}]";
    const isName = (vm: string) => guestSettings(config(text), vm, defaults).hostIsName;
    expect(['a', 'b', 'c', 'd'].map(isName)).toEqual([false, true, false, true]);
  });

  it('come from its own entry', () => {
    const text = 'guests: [{name: a, unit: x.service, qmp: /q/%v, console: "file:/c/%v", ssh: root@%v}]';
    expect(guestSettings(config(text), 'a', defaults)).toMatchObject({
      unit: 'x.service',
      qmpSocket: '/q/a',
      console: { kind: 'file', path: '/c/a' },
      ssh: { enabled: true, host: 'root@a' },
    });
  });

  it('name a directory of their own', () => {
    const text = 'discover: {directory: /vms, unit: vm-%v.service}';
    expect(guestSettings(config(text), 'a', defaults)).toMatchObject({
      unit: 'vm-a.service',
      qmpSocket: '/vms/a/qmp.sock',
    });
  });

  it('say whether SSH is used', () => {
    const some = config(
      'ssh: {enabled: false}\nguests: [{name: a, ssh: a}, {name: b, ssh: false}, {name: c}]',
    );
    const none = config('guests: [{name: b, ssh: false}]');
    expect(['a', 'b', 'c'].map((vm) => guestSettings(some, vm, defaults).ssh.enabled)).toEqual([
      true,
      false,
      false,
    ]);
    expect(['a', 'b'].map((vm) => guestSettings(none, vm, defaults).ssh.enabled)).toEqual([true, false]);
  });

  it('keep what an override does not say, and the later override wins', () => {
    const text = `
ssh: {interval: 5s, failures: 7}
overrides:
  - {match: '*', ssh: {failures: 3}, detect: {silence: 30s}}
  - {match: 'slow-*', detect: {silence: 40s}, capture: {maxPerHour: 9}, qmp: {timeout: 2s}}
  - {match: '!slow-*', detect: {cooldown: 5s}}
  - {match: slow-2, ssh: {host: 'x-%v'}}`;
    const [one, two, other] = ['slow-1', 'slow-2', 'g'].map((vm) =>
      guestSettings(config(text), vm, defaults),
    );
    expect(one?.ssh).toEqual({ ...plain.ssh, host: 'slow-1', interval: 5000, failures: 3 });
    expect(one?.detect).toEqual({ ...plain.detect, silence: 40_000 });
    expect(one).toMatchObject({ capture: { ...plain.capture, maxPerHour: 9 }, qmp: { timeout: 2000 } });
    expect(two?.ssh.host).toBe('x-slow-2');
    expect(other?.detect).toEqual({ ...plain.detect, silence: 30_000, cooldown: 5000 });
    expect(Object.keys(one ?? {})).not.toContain('archive');
  });

  it('match a name with a dot in front, and a name that is a glob itself', () => {
    const text = "overrides: [{match: '*', ssh: {failures: 5}}, {match: 'a(1)', ssh: {failures: 6}}]";
    const failures = (vm: string) => guestSettings(config(text), vm, defaults).ssh.failures;
    expect([failures('.x'), failures('a(1)')]).toEqual([5, 6]);
  });

  it('take a name literally', () => {
    expect(guestSettings(plain, 'a$&b', defaults).unit).toBe('qemu-system@a$&b.service');
  });
});

describe('the guest of a unit', () => {
  const some = config('guests: [{name: a, unit: x.service}, {name: b}]\ndiscover: {enabled: true}');

  it.each([
    ['qemu-system@g1.service', 'g1'],
    ['qemu-system@a\\x2db.service', 'a\\x2db'],
    ['qemu-system@.service', null],
    ['qemu-system@..service', null],
    ['qemu-system@-x.service', null],
    ['qemu-system@g1.socket', null],
    ['virtiofsd@g1.service', null],
    ['x.service', 'a'],
    ['qemu-system@b.service', 'b'],
    ['qemu-system@a.service', null],
  ])('%s is %s', (unit, vm) => {
    expect(guestForUnit(some, unit)).toBe(vm);
  });

  it('is only an explicit one without discovery', () => {
    const explicit = config('guests: [{name: b}]\ndiscover: {enabled: false}');
    expect(guestForUnit(explicit, 'qemu-system@b.service')).toBe('b');
    expect(guestForUnit(explicit, 'qemu-system@c.service')).toBeNull();
  });

  it('goes with the unit of the guest', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z0-9_:][a-zA-Z0-9:_.\\-]{0,30}$/), (vm) => {
        expect(guestForUnit(plain, guestSettings(plain, vm, defaults).unit)).toBe(vm);
      }),
    );
  });
});
