/** What the configuration says of one guest. */
import picomatch from 'picomatch';
import { GLOB_OPTIONS, vmNameProblem } from './fields.js';
import type { Config, GuestSettings } from './schema.js';

type Entry = Config['guests'][number];
type Override = Config['overrides'][number];

const named = (text: string, vm: string) => text.replaceAll('%v', () => vm);

/**
 * The settings of a VM: the sections, then its entry in guests, then every override that matches, in the order
 * of the file. `qmpDirectory` is where a VM's own directory with its qmp.sock is, unless the file says.
 */
export function guestSettings(config: Config, vm: string, defaults: { qmpDirectory: string }): GuestSettings {
  const entry = config.guests.find(({ name }) => name === vm);
  const overrides = config.overrides.filter(({ match }) => matches(match, vm));
  const merged = <Key extends Section>(key: Key) => laidOver(config[key], overrides, key);
  const ssh = laidOver({ ...config.ssh, ...entrySsh(entry) }, overrides, 'ssh');
  const symbols = merged('symbols');
  const directory = config.discover.directory ?? defaults.qmpDirectory;
  return {
    vm,
    unit: named(entry?.unit ?? config.discover.unit, vm),
    qmpSocket: named(entry?.qmp ?? `${directory}/%v/qmp.sock`, vm),
    console: consoleOf(entry, vm),
    ssh: {
      ...ssh,
      host: named(ssh.host, vm),
      configFile: ssh.configFile && named(ssh.configFile, vm),
    },
    hostIsName: ssh.host === '%v' && typeof entry?.ssh !== 'string',
    detect: merged('detect'),
    capture: merged('capture'),
    arm: overrides.findLast((override) => override.arm !== undefined)?.arm ?? config.arm,
    ladder: merged('ladder'),
    symbols: {
      systemMap: symbols.systemMap && named(symbols.systemMap, vm),
      vmlinux: symbols.vmlinux && named(symbols.vmlinux, vm),
    },
    qmp: merged('qmp'),
  };
}

/**
 * The VM that a systemd unit runs: by an entry in guests, else by the pattern discover.unit. Null for a unit
 * that is none, and for the template's unit of a VM whose entry names another one.
 */
export function guestForUnit(config: Config, unit: string): string | null {
  const unitOf = (entry: Entry) => named(entry.unit ?? config.discover.unit, entry.name);
  const entry = config.guests.find((candidate) => unitOf(candidate) === unit);
  if (entry) return entry.name;
  if (!config.discover.enabled) return null;
  const [before = '', after = ''] = config.discover.unit.split('%v');
  if (!unit.startsWith(before) || !unit.endsWith(after)) return null;
  const vm = unit.slice(before.length, unit.length - after.length);
  const taken = config.guests.some(({ name }) => name === vm);
  return taken || vmNameProblem(vm) !== null ? null : vm;
}

type Section = 'ssh' | 'detect' | 'capture' | 'ladder' | 'symbols' | 'qmp';

function laidOver<Values extends object>(base: Values, overrides: Override[], key: Section): Values {
  return overrides.reduce<Values>((values, override) => {
    const said = Object.entries(override[key] ?? {}).filter(([, value]) => value !== undefined);
    return { ...values, ...Object.fromEntries(said) };
  }, base);
}

function matches(pattern: string, vm: string): boolean {
  return pattern === vm || picomatch.isMatch(vm, pattern, GLOB_OPTIONS);
}

function entrySsh(entry: Entry | undefined): Partial<Config['ssh']> {
  if (entry?.ssh === undefined) return {};
  return entry.ssh === false ? { enabled: false } : { enabled: true, host: entry.ssh };
}

function consoleOf(entry: Entry | undefined, vm: string): GuestSettings['console'] {
  const text = entry?.console ?? 'journal';
  return text === 'journal'
    ? { kind: 'journal' }
    : { kind: 'file', path: named(text.slice('file:'.length), vm) };
}
