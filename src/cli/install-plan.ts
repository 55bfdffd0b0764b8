/** What `install` and `uninstall` do, as data: the same list is printed, and carried out. */
import { join } from 'node:path';
import { type Scope, SCOPES } from '../core/scope.js';

/** One step. `why` says to the user what it is for. */
export type Step =
  | { do: 'write'; path: string; text: string; why: string }
  | { do: 'link'; path: string; to: string; why: string }
  | { do: 'remove'; path: string; why: string }
  /** Only if it leads there. */
  | { do: 'unlink'; path: string; to: string; why: string }
  | { do: 'run'; command: readonly string[]; why: string; mayFail?: true }
  /** Takes root: it is only told. */
  | { do: 'tell'; lines: readonly string[]; why: string };

export interface Place {
  scope: Scope;
  /** Of the user. */
  home: string;
  user: string;
  lingers: boolean;
  /** Its dist/cli/main.js, to be linked as the user's command; null where there is a command already. */
  program: string | null;
  /** The words that start this wedgewatch: node and main.js, or a command. */
  command: readonly string[];
  /** The package of a distribution brings units and command. */
  packaged: boolean;
  /** The units, by name, as the package has them. */
  units: Readonly<Record<string, string>>;
  /** journald's limits for the user's consoles: whether the drop-in is there, and where the package has it. */
  rateLimit: { inPlace: boolean; path: string };
}

const MAIN_UNIT = 'wedgewatch.service';
const DROP_IN = '50-install.conf';
/** The unit by which journald counts the lines of consoles: it knows no user units. */
export const RATE_LIMITED: Readonly<Record<Scope, string>> = {
  user: 'user@.service',
  system: 'qemu-system@.service',
};
const MADE =
  '# Written by `wedgewatch install`, removed by `wedgewatch uninstall`; put your own settings into another file.';

/** The manager, which started without the user's shell, looks there whatever that shell says. */
const unitsIn = ({ scope, home }: Place): string =>
  scope === 'system' ? '/etc/systemd/system' : join(home, '.config/systemd/user');
const dropIn = (place: Place): string => join(unitsIn(place), `${MAIN_UNIT}.d`, DROP_IN);
/** man(1) looks in share/man beside each bin of the PATH. */
function linksOf({ scope, home, program }: Place): { path: string; to: string; why: string }[] {
  if (program === null) return [];
  const base = scope === 'system' ? '/usr/local' : join(home, '.local');
  const page = join(program, '../../wedgewatch.1');
  return [
    { path: join(base, 'bin/wedgewatch'), to: program, why: 'the command' },
    { path: join(base, 'share/man/man1/wedgewatch.1'), to: page, why: 'its manual: man wedgewatch' },
  ];
}
const manager = ({ scope }: Place, ...words: string[]): string[] => [...SCOPES[scope].systemctl, ...words];

/** A word of ExecStart=: systemd knows quotes, specifiers and variables in it. */
const quoted = (word: string): string =>
  `"${word.replace(/[\\"]/g, '\\$&').replace(/%/g, '%%').replace(/\$/g, '$$$$')}"`;

/** Units, command, linger, start; each step may be done again, after an upgrade or a move. */
export function installSteps(place: Place): Step[] {
  const { scope, user, lingers } = place;
  const withWhat = scope === 'system' ? 'it starts with the host' : 'it starts with your user manager';
  const outlive = 'guests and watchdog outlive your login';
  const linger: Step[] =
    lingers || scope === 'system'
      ? []
      : [{ do: 'run', command: ['loginctl', 'enable-linger', user], why: outlive, mayFail: true }];
  return [
    ...(place.packaged ? [] : filesOf(place)),
    ...linger,
    { do: 'run', command: manager(place, 'daemon-reload'), why: 'systemd reads the units' },
    { do: 'run', command: manager(place, 'reenable', MAIN_UNIT), why: withWhat },
    { do: 'run', command: manager(place, 'restart', MAIN_UNIT), why: 'it starts now' },
    ...rateLimitSteps(place),
  ];
}

function filesOf(place: Place): Step[] {
  const { scope, units, command } = place;
  const copies = Object.entries(units).map(([name, text]): Step => ({
    do: 'write',
    path: join(unitsIn(place), name),
    text: `${MADE}\n${text}`,
    why: name === MAIN_UNIT ? 'the unit of the daemon' : 'logs an alert if the daemon fails for good',
  }));
  const start = [...command, ...(scope === 'system' ? ['--system'] : []), 'run'].map(quoted).join(' ');
  return [
    ...copies,
    {
      do: 'write',
      path: dropIn(place),
      text: `${MADE}\n[Service]\nExecStart=\nExecStart=${start}\n`,
      why: 'where node and wedgewatch are',
    },
    ...linksOf(place).map((link): Step => ({ do: 'link', ...link })),
  ];
}

function rateLimitSteps({ scope, rateLimit: { inPlace, path } }: Place): Step[] {
  if (inPlace) return [];
  const directory = `/etc/systemd/system/${RATE_LIMITED[scope]}.d`;
  return [
    {
      do: 'tell',
      why: 'as root, once: journald drops lines of a large dump otherwise. It holds from the next start of that unit',
      lines: [
        `sudo mkdir -p ${directory}`,
        `sudo cp ${shellWord(path)} ${directory}/`,
        'sudo systemctl daemon-reload',
      ],
    },
  ];
}

/** Takes back what `install` did, but for linger, which other units may need, and the evidence. */
export function uninstallSteps(place: Place): Step[] {
  const files: Step[] = place.packaged
    ? []
    : [
        ...Object.keys(place.units).map((name): Step => ({
          do: 'remove',
          path: join(unitsIn(place), name),
          why: 'its unit',
        })),
        { do: 'remove', path: dropIn(place), why: 'where node and wedgewatch are' },
        ...linksOf(place).map((link): Step => ({ do: 'unlink', ...link })),
      ];
  return [
    { do: 'run', command: manager(place, 'disable', '--now', MAIN_UNIT), why: 'it ends', mayFail: true },
    ...files,
    { do: 'run', command: manager(place, 'daemon-reload'), why: 'systemd forgets the units' },
    place.scope === 'system'
      ? { do: 'tell', why: 'left as they are: the incidents and the configuration', lines: [] }
      : {
          do: 'tell',
          why: 'left as they are: your incidents, your configuration, and linger. To end linger as well',
          lines: ['loginctl disable-linger'],
        },
  ];
}

const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, `'\\''`)}'`;

/** A step in a line or more, as `--dry-run` prints it. */
export function stepText(step: Step): string {
  switch (step.do) {
    case 'write':
      return `write   ${step.path}  (${step.why})`;
    case 'link':
      return `link    ${step.path} -> ${step.to}  (${step.why})`;
    case 'remove':
    case 'unlink':
      return `remove  ${step.path}  (${step.why})`;
    case 'run':
      return `run     ${step.command.map(shellWord).join(' ')}  (${step.why})`;
    case 'tell':
      return [`${step.why}:`, ...step.lines.map((line) => `  ${line}`)].join('\n');
  }
}
