import { z } from 'zod';
import { cronProblem } from './cron.js';
import { capture, ladder, symbols } from './evidence.js';
import {
  count,
  duration,
  expression,
  flag,
  glob,
  hostName,
  optionalPath,
  optionalUserPath,
  qmpAddress,
  size,
  text,
  vmName,
} from './fields.js';
import { metrics, onIncident, status } from './outlets.js';

const ssh = z
  .strictObject({
    enabled: flag('Probe SSH. Without it, only blocked tasks accuse a guest.').prefault(true),
    host: hostName(
      'Host as in ~/.ssh/config; %v is the name of the VM. If ssh does not know that name, wedgewatch asks no name server: it takes the way to the banner from the arguments of QEMU.',
    ).prefault('%v'),
    configFile: optionalUserPath(
      "Configuration file for ssh -F; %v is the name of the VM, ~/ the home directory. Default: ssh's own. For kdevops: ~/.local/state/windmill/workbench/system/ssh/config.d/%v.conf",
    ),
    interval: duration(
      {
        min: '500ms',
        max: '10min',
        because: "each probe is a connection to the guest's server",
      },
      'Time from the start of one probe to the start of the next.',
    ).prefault('3s'),
    timeout: duration(
      { min: '200ms', max: '1min', because: 'a login takes that long on a busy but healthy guest' },
      'Deadline of one probe.',
    ).prefault('3s'),
    failures: count(1, 20, 'Number of failed probes in a row after which SSH counts as lost.').prefault(2),
    login: flag(
      'Also log in and run a command that forks and reads from a disk: a server greets from memory even if its disks are dead.',
    ).prefault(true),
    commandInterval: duration(
      { min: '10s', max: '1d', because: 'each command is a login in the guest' },
      'Time from one command to the next. wedgewatch starts at most one command a second, and runs one at once if the console falls silent.',
    ).prefault('1min'),
    commandTimeout: duration(
      { min: '5s', max: '2min', because: 'a login takes that long on a busy but healthy guest' },
      'A command that takes longer counts as hanging, unless the guest is always that slow.',
    ).prefault('15s'),
  })
  .describe('How wedgewatch finds out whether a guest still answers.');

const detect = z
  .strictObject({
    silence: duration(
      { min: '2s', max: '1h', because: 'a busy host delays console lines by a second or two' },
      'Suspect a guest that was up after this time without news on its console.',
    ).prefault('8s'),
    bootSilence: duration(
      { min: '2s', max: '1h', because: 'a busy host delays console lines by a second or two' },
      'Suspect a booting guest after this time without news on its console.',
    ).prefault('20s'),
    secondLook: duration(
      { min: '500ms', max: '1min', because: 'a slow task needs the time to move' },
      'Time between the first dump of blocked tasks and the second.',
    ).prefault('3s'),
    blindBoot: duration(
      { min: '10s', max: '1d', because: 'nothing but silence speaks against such a guest' },
      'File a booting guest after this silence, if it prints no dumps or seems busy.',
    ).prefault('3min'),
    testPattern: expression(
      'More lines that say which test begins: an RE2 regular expression whose first group is the name.',
    ),
    testTimes: optionalPath(
      "The suite's own record of how long each test took: lines of a name and seconds, as results/check.time of fstests; %v is the name of the VM. wedgewatch looks into a guest whose test takes ten times as long.",
    ),
    cooldown: duration(
      { min: '1s', max: '30min', because: 'each look prints a dump on the console' },
      'Pause after a case in which nothing was stuck; doubles up to 30min.',
    ).prefault('2min'),
  })
  .describe('When wedgewatch suspects a guest.');

const arm = z
  .enum(['off', 'report', 'fix'], 'expected off, report or fix')
  .describe(
    'Prove on each healthy guest, once per boot, that it will print its dumps: off, report, or fix, which also sets kernel.sysrq and the loglevel over SSH.',
  )
  .prefault('report');

const memory = z
  .enum(['on', 'off'], 'expected on or off')
  .describe(
    "Read the guest's memory from outside, where that is possible: its tasks with their stacks, and its log. off: it is not even opened.",
  )
  .prefault('on');

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
      'Deadline of the greeting and of each QMP command.',
    ).prefault('1s'),
  })
  .describe('How wedgewatch talks to QEMU. The QMP socket serves one client, so connections are short.');

const archive = z
  .strictObject({
    directory: optionalPath(
      'Directory of the archive. Default: $STATE_DIRECTORY, else $XDG_STATE_HOME/wedgewatch, with --system /var/lib/wedgewatch.',
    ),
    consoleLines: count(10, 100_000, 'Console lines before the stall to keep with an incident.').prefault(
      2000,
    ),
    maxIncidents: count(
      1,
      1_000_000,
      'Number of incidents to keep; the guest that has most loses its oldest.',
    ).prefault(500),
    maxAge: duration(
      { min: '1h', max: '3650d', because: 'an incident should outlive the night' },
      'Remove an incident at this age, but for the newest 20 and the newest 3 of each guest.',
    ).prefault('90d'),
    maxSize: size(
      { min: '1MiB', because: 'one large dump takes more' },
      'Total size of all incidents; the guest that has most loses its oldest, the newest stays.',
    ).prefault('10GiB'),
    schedule: cron('When to remove old incidents, as a cron expression in UTC.').prefault('17 3 * * *'),
  })
  .describe('Where to keep the evidence, and for how long.');

const discover = z
  .strictObject({
    enabled: flag('Watch for guests of qemu-system@.service.').prefault(true),
    processes: flag(
      'Watch each QEMU of this user, whoever started it: by hand, by virtme-ng, by libvirt. Its QMP and console are read from its arguments.',
    ).prefault(false),
    directory: optionalPath(
      'Directory with one directory per VM, which holds its qmp.sock. Default: $XDG_RUNTIME_DIR/qemu-system, with --system /run/qemu-system.',
    ),
    unit: text(
      /^[^/\s%]*%v[^/\s%]*\.service$/,
      'a service unit with one %v in it, such as qemu-system@%v.service',
      'The unit of a VM; %v is its name.',
    ).prefault('qemu-system@%v.service'),
  })
  .describe('How wedgewatch finds guests.');

const guest = z.strictObject({
  name: vmName('Name of the VM.'),
  unit: text(
    /^[^/\s]+\.service$/,
    'a service unit',
    'Its systemd unit, of the user or with --system of the system. Default: discover.unit.',
  ).optional(),
  qmp: qmpAddress(
    'Its QMP: the absolute path of a socket, tcp:HOST:PORT, or libvirt:DOMAIN or libvirt:URI/DOMAIN for a domain of libvirt. Default: NAME/qmp.sock in discover.directory.',
  ).optional(),
  console: text(
    /^(journal|file:\/.+)$/,
    'journal, or file: with an absolute path',
    'Source of the serial console: journal, or file:/absolute/path.',
  ).prefault('journal'),
  ssh: z
    .union([hostName('SSH host'), z.literal(false)], 'expected a host as in ~/.ssh/config, or false')
    .describe('SSH host, probed even if ssh.enabled is false; false for no SSH.')
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
  memory: z.optional(memory.unwrap()).describe('Another value of memory.'),
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
  armSchedule: cron('When to prove it again, as a cron expression in UTC.').prefault('41 4 * * *'),
  memory,
  ladder: ladder.prefault({}),
  qmp: qmp.prefault({}),
  symbols: symbols.prefault({}),
  archive: archive.prefault({}),
  known: optionalUserPath(
    'List of known hangs, or a directory of such lists as *.yaml; ~/ is the home directory. Default: ~/.config/wedgewatch/known.yaml, if there is one. docs/fleet.md shows one.',
  ),
  discover: discover.prefault({}),
  status: status.prefault({}),
  metrics: metrics.prefault({}),
  onIncident,
  guests: guests.describe('Guests that discovery misses or gets wrong.').prefault([]),
  overrides: z.array(override).describe('Different values for some guests; later entries win.').prefault([]),
});

export type Config = z.output<typeof configSchema>;

/** The sections that may differ from guest to guest: those that `overrides` takes. */
export const GUEST_SECTIONS = override.omit({ match: true }).keyof().options;

/** What holds for one guest: the file's values with every matching override laid over them. */
export interface GuestSettings extends Pick<Config, (typeof GUEST_SECTIONS)[number]> {
  vm: string;
  unit: string;
  qmpSocket: string;
  console: { kind: 'journal' } | { kind: 'file'; path: string };
  /** Its SSH host is only the VM's name, which nobody has said is one. Older records lack it. */
  hostIsName?: boolean;
}
