import { z } from 'zod';
import { cronProblem } from './cron.js';
import {
  count,
  duration,
  expression,
  flag,
  glob,
  hostName,
  optionalPath,
  optionalUserPath,
  size,
  socketPath,
  text,
  vmName,
} from './fields.js';

const ssh = z
  .strictObject({
    enabled: flag('Probe SSH at all. Without it only blocked tasks accuse a guest.').prefault(true),
    host: hostName(
      'Host as in ~/.ssh/config; %v is the name of the VM. Where ssh does not know that name, no name server is asked: the arguments of QEMU tell the way to its banner.',
    ).prefault('%v'),
    configFile: optionalUserPath(
      "Configuration that ssh reads instead of its own, as with ssh -F; %v is the name of the VM, ~/ the home. Default: ssh's own. For kdevops: ~/.local/state/windmill/workbench/system/ssh/config.d/%v.conf",
    ),
    interval: duration(
      {
        min: '500ms',
        max: '10min',
        because: "each probe is a connection to the guest's server",
      },
      'From the start of one probe to the start of the next.',
    ).prefault('3s'),
    timeout: duration(
      { min: '200ms', max: '1min', because: 'a login takes that long on a busy but healthy guest' },
      'Deadline of one probe.',
    ).prefault('3s'),
    failures: count(1, 20, 'Failed probes in a row that count as SSH lost.').prefault(2),
    login: flag(
      'Also log in and run a command that forks and reads from a disk: a server greets out of memory, whatever its disks do.',
    ).prefault(true),
    commandInterval: duration(
      { min: '10s', max: '1d', because: 'each command is a login in the guest' },
      'From one command to the next; a host starts one a second at most, and a console that falls silent is a reason to ask at once.',
    ).prefault('1min'),
    commandTimeout: duration(
      { min: '5s', max: '2min', because: 'a login takes that long on a busy but healthy guest' },
      'A command that takes longer hangs, unless the guest is always so slow.',
    ).prefault('15s'),
  })
  .describe('How a guest is asked whether it still answers.');

const detect = z
  .strictObject({
    silence: duration(
      { min: '2s', max: '1h', because: 'a busy host delays console lines by a second or two' },
      'No news on the console of a guest that was up.',
    ).prefault('8s'),
    bootSilence: duration(
      { min: '2s', max: '1h', because: 'a busy host delays console lines by a second or two' },
      'No news on the console of a guest that is booting.',
    ).prefault('20s'),
    secondLook: duration(
      { min: '500ms', max: '1min', because: 'a slow task needs the time to move' },
      'Between the first dump of blocked tasks and the second.',
    ).prefault('3s'),
    blindBoot: duration(
      { min: '10s', max: '1d', because: 'nothing but silence speaks against such a guest' },
      'Silence of a booting guest that cannot be looked into, or seems busy, before it is filed.',
    ).prefault('3min'),
    testPattern: expression(
      'Further lines that say which test begins: a regular expression of RE2, its first group the name.',
    ),
    cooldown: duration(
      { min: '1s', max: '30min', because: 'each look prints a dump on the console' },
      'After a look that found nothing stuck, before the next; doubles up to 30min.',
    ).prefault('2min'),
  })
  .describe('When a guest is looked at.');

const capture = z
  .strictObject({
    headerTimeout: duration(
      {
        min: '500ms',
        max: '1min',
        because: 'the chord alone takes 60ms, and its answer comes through the journal',
      },
      'From a chord to the first line of its answer.',
    ).prefault('2s'),
    dumpTimeout: duration(
      {
        min: '5s',
        max: '10min',
        because: 'a guest prints up to 30 lines a task, at the pace of its serial port',
      },
      'From a chord to the fence behind its dump.',
    ).prefault('60s'),
    dumpSilence: duration(
      { min: '1s', max: '1min', because: 'a busy guest pauses within a dump' },
      'Silence within a dump that ends it without its fence.',
    ).prefault('5s'),
    maxPerHour: count(1, 60, 'Incidents filed an hour and guest; those by hand do not count.').prefault(3),
  })
  .describe('How the guest is made to print where it is stuck.');

const ladder = z
  .strictObject({
    injectNmi: flag('Inject an NMI. A guest with kernel.unknown_nmi_panic=1 panics on it.').prefault(false),
    memoryDump: flag(
      "Write the guest's memory into the incident, where it fits. Stops the guest meanwhile; QEMU hangs if a vhost-user backend is dead.",
    ).prefault(false),
  })
  .describe('What is tried last where a guest prints no dump on its keys, nor over SSH.');

const symbols = z
  .strictObject({
    systemMap: optionalPath(
      "The System.map of the guest's kernel, which names the registers of its vCPUs; %v is the name of the VM.",
    ),
    vmlinux: optionalPath(
      'Its vmlinux with debug information: stacks show file and line, by binutils. %v as above.',
    ),
  })
  .describe("What names addresses of the guest's kernel.");

const arm = z
  .enum(['off', 'report', 'fix'], 'expected off, report or fix')
  .describe(
    'Prove on each healthy guest, once a boot, that it will print its dumps: off, report, or fix, which also sets kernel.sysrq and the loglevel over SSH.',
  )
  .prefault('report');

const cron = (about: string) =>
  z
    .string('expected a cron expression')
    .superRefine((expression, context) => {
      const message = cronProblem(expression);
      if (message !== null) context.addIssue({ code: 'custom', message });
    })
    .describe(about);

const qmp = z
  .strictObject({
    timeout: duration(
      { min: '100ms', max: '10s', because: 'a healthy QEMU on a busy host takes that long' },
      'Deadline of each QMP command, and of the greeting.',
    ).prefault('1s'),
  })
  .describe('How QEMU is asked. Its socket serves one client, so the connections are short.');

const archive = z
  .strictObject({
    directory: optionalPath('Default: $STATE_DIRECTORY, else $XDG_STATE_HOME/wedgewatch.'),
    consoleLines: count(
      10,
      100_000,
      'Console lines before the stall that are kept with an incident.',
    ).prefault(2000),
    maxIncidents: count(1, 1_000_000, 'Incidents kept; the oldest go first.').prefault(500),
    maxAge: duration(
      { min: '1h', max: '3650d', because: 'an incident should outlive the night' },
      'Age at which an incident goes.',
    ).prefault('90d'),
    maxSize: size(
      { min: '1MiB', because: 'one large dump takes more' },
      'Size of all incidents together; the oldest go first, the newest stays.',
    ).prefault('10GiB'),
    schedule: cron('When old incidents go, as a cron expression in UTC.').prefault('17 3 * * *'),
  })
  .describe('Where the evidence is kept, and for how long.');

const discover = z
  .strictObject({
    enabled: flag('Watch for guests of qemu-system@.service.').prefault(true),
    directory: optionalPath(
      'Holds a directory a VM with its qmp.sock. Default: $XDG_RUNTIME_DIR/qemu-system.',
    ),
    unit: text(
      /^[^/\s%]*%v[^/\s%]*\.service$/,
      'a service unit with one %v in it, such as qemu-system@%v.service',
      'The unit of a VM; %v is its name.',
    ).prefault('qemu-system@%v.service'),
  })
  .describe('How guests are found.');

const guest = z.strictObject({
  name: vmName('Name of the VM.'),
  unit: text(
    /^[^/\s]+\.service$/,
    'a service unit',
    'Its systemd user unit. Default: discover.unit.',
  ).optional(),
  qmp: socketPath('Its QMP socket. Default: NAME/qmp.sock in discover.directory.').optional(),
  console: text(
    /^(journal|file:\/.+)$/,
    'journal, or file: with an absolute path',
    'Where the serial console is read: journal, or file:/absolute/path.',
  ).prefault('journal'),
  ssh: z
    .union([hostName('SSH host'), z.literal(false)], 'expected a host as in ~/.ssh/config, or false')
    .describe('SSH host, probed even if ssh.enabled is false; or false for none.')
    .optional(),
});

type Bare<Shape> = {
  [Key in keyof Shape]: Shape[Key] extends z.ZodPrefault<infer Inner extends z.ZodType>
    ? z.ZodOptional<Inner>
    : never;
};

/** A section that says only what it says: `partial()` would fill in the defaults, and undo the file's values. */
function bare<Shape extends Record<string, z.ZodPrefault>>(section: z.ZodObject<Shape>) {
  const shape = Object.entries(section.shape).map(([key, field]) => [key, z.optional(field.unwrap())]);
  return z.strictObject(Object.fromEntries(shape) as Bare<Shape>).optional();
}

const override = z.strictObject({
  match: glob('Name of a VM, or a glob such as slow-*.'),
  ssh: bare(ssh).describe('Any keys of ssh.'),
  detect: bare(detect).describe('Any keys of detect.'),
  capture: bare(capture).describe('Any keys of capture.'),
  arm: z.optional(arm.unwrap()).describe('Another value of arm.'),
  ladder: bare(ladder).describe('Any keys of ladder.'),
  qmp: bare(qmp).describe('Any keys of qmp.'),
  symbols: bare(symbols).describe('Any keys of symbols.'),
});

const guests = z.array(guest).superRefine((entries, context) => {
  for (const key of ['name', 'unit'] as const) {
    const values = entries.map((entry) => entry[key]);
    for (const [index, value] of values.entries()) {
      const first = values.indexOf(value);
      if (value === undefined || first === index) continue;
      context.addIssue({ code: 'custom', path: [index, key], message: `already given to guests[${first}]` });
    }
  }
});

/** The whole configuration file. Every key has a default; config.example.yaml shows them all. */
export const configSchema = z.strictObject({
  ssh: ssh.prefault({}),
  detect: detect.prefault({}),
  capture: capture.prefault({}),
  arm,
  armSchedule: cron('When it is proven again, as a cron expression in UTC.').prefault('41 4 * * *'),
  ladder: ladder.prefault({}),
  qmp: qmp.prefault({}),
  symbols: symbols.prefault({}),
  archive: archive.prefault({}),
  discover: discover.prefault({}),
  guests: guests.describe('Guests that discovery does not find, or finds wrongly.').prefault([]),
  overrides: z.array(override).describe('Other values for some guests; later entries win.').prefault([]),
});

export type Config = z.output<typeof configSchema>;

/** The sections that may differ from guest to guest: those that `overrides` takes. */
export const GUEST_SECTIONS = override.omit({ match: true }).keyof().options;
type GuestSection = (typeof GUEST_SECTIONS)[number];

/** What holds for one guest: the file's values with every matching override laid over them. */
export interface GuestSettings extends Pick<Config, GuestSection> {
  vm: string;
  unit: string;
  qmpSocket: string;
  console: { kind: 'journal' } | { kind: 'file'; path: string };
  /** Its SSH host is only the VM's name, which nobody has said is one. Older records lack it. */
  hostIsName?: boolean;
}
