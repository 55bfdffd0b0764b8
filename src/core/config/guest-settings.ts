/** What the configuration says of one guest. */
import { globTest } from '../glob.js';
import { vmNameProblem } from '../vm-name.js';
import { type Config, GUEST_SECTIONS, type GuestSettings } from './schema.js';

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
  const sections = laidOver({ ...config, ssh: { ...config.ssh, ...entrySsh(entry) } }, overrides);
  const { ssh, symbols, detect } = sections;
  const directory = config.discover.directory ?? defaults.qmpDirectory;
  return {
    ...sections,
    vm,
    unit: named(entry?.unit ?? config.discover.unit, vm),
    qmpSocket: named(entry?.qmp ?? `${directory}/%v/qmp.sock`, vm),
    console: consoleOf(entry, vm),
    ssh: {
      ...ssh,
      host: named(ssh.host, vm),
      configFile: ssh.configFile && named(ssh.configFile, vm),
    },
    detect: { ...detect, testTimes: detect.testTimes && named(detect.testTimes, vm) },
    hostIsName: ssh.host === '%v' && typeof entry?.ssh !== 'string',
    symbols: {
      systemMap: symbols.systemMap && named(symbols.systemMap, vm),
      vmlinux: symbols.vmlinux && named(symbols.vmlinux, vm),
    },
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

type Sections = Pick<Config, (typeof GUEST_SECTIONS)[number]>;

/** Each section with what the overrides say of it, the last word winning key by key. */
function laidOver(base: Sections, overrides: readonly Override[]): Sections {
  const laid = GUEST_SECTIONS.map((key) => {
    const said = overrides.map((override) => override[key]);
    return [key, said.reduce<object | string>(saidOver, base[key])] as const;
  });
  return Object.fromEntries(laid) as unknown as Sections;
}

function saidOver(value: object | string, said: object | string | undefined): object | string {
  if (typeof value !== 'object' || typeof said !== 'object') return said ?? value;
  const given = Object.entries(said).filter(([, one]) => one !== undefined);
  return { ...value, ...Object.fromEntries(given) };
}

function matches(pattern: string, vm: string): boolean {
  return pattern === vm || globTest(pattern)(vm);
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
