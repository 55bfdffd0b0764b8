/** The manual page, in mdoc, made from the verbs as --help is. */
import type { Command, CommandUnknownOpts, Option } from '@commander-js/extra-typings';
import { EXIT_CODES } from './globals.js';

interface Text {
  /** The end of the first section. */
  about: readonly string[];
  environment: readonly (readonly [name: string, says: string])[];
  files: readonly (readonly [path: string, says: string])[];
  examples: readonly (readonly [command: string, says: string])[];
}

const TEXT: Text = {
  about: [
    'Guests are the systemd user units qemu-system@VM.service, with --system the system units of that name, and whatever the configuration names.',
    'The daemon follows their consoles in the journal and probes their SSH servers. When one is wedged it reads its stacks, says in one line where it is stuck, and archives the evidence.',
    'All verbs but run, guard and completion take --json.',
  ],
  environment: [
    ['NO_COLOR', 'If set and not empty, no colour is used.'],
    ['WEDGEWATCH_PAGER, PAGER', 'The pager of show in a terminal; cat, or nothing, for none. Default: less.'],
    ['XDG_CONFIG_HOME', 'Where wedgewatch/config.yaml is looked for. Default: ~/.config.'],
    ['STATE_DIRECTORY, XDG_STATE_HOME', 'Where the archive is. Default: ~/.local/state, in wedgewatch.'],
    ['XDG_RUNTIME_DIR', 'Where the sockets of the daemon and of the guests are. With --system: /run.'],
  ],
  files: [
    [
      '~/.config/wedgewatch/config.yaml',
      'The configuration; it may be missing. With --system: /etc/wedgewatch/config.yaml.',
    ],
    [
      '~/.local/state/wedgewatch/incidents/',
      'A directory for each incident; verdict.txt and report.html first. With --system: in /var/lib/wedgewatch.',
    ],
    ['~/.local/state/wedgewatch/index.html', 'All incidents, for a browser.'],
  ],
  examples: [
    ['wedgewatch list --since 2h', 'What hung in the last two hours.'],
    ['wedgewatch show', 'The newest incident.'],
    ['wedgewatch analyze console.log', 'The verdict on a log that somebody sent.'],
    ['wedgewatch doctor', 'Whether all that is needed is there, and how to get it.'],
  ],
};

/** A build that is to be the same each time says of when it is (https://reproducible-builds.org). */
const dateOf = ({ SOURCE_DATE_EPOCH: epoch }: NodeJS.ProcessEnv): Date =>
  epoch === undefined ? new Date() : new Date(Number(epoch) * 1000);

/** Registers the hidden verb that prints the page; the build puts it beside the program. */
export function manCommand(program: Command, out: (text: string) => void): void {
  program
    .command('man', { hidden: true })
    .description('Print the manual page, in mdoc.')
    .action(() => {
      out(manPage(program, dateOf(process.env)));
    });
}

function manPage(program: CommandUnknownOpts, date: Date): string {
  const day = date.toLocaleDateString('en-US', { timeZone: 'UTC', dateStyle: 'long' });
  const lines = [
    `.Dd ${day}`,
    '.Dt WEDGEWATCH 1',
    '.Os',
    '.Sh NAME',
    '.Nm wedgewatch',
    '.Nd watchdog for wedged QEMU guests',
    '.Sh SYNOPSIS',
    '.Nm',
    ...program.options.filter(isShown).map((option) => `.Op ${flagsOf(option)}`),
    '.Ar verb',
    '.Op Ar option ...',
    '.Sh DESCRIPTION',
    ...text(program.description()),
    ...TEXT.about.flatMap(paragraph),
    '.Pp',
    'The options of all verbs:',
    ...options(program),
    '.Sh VERBS',
    ...program.commands.filter(isVerb).flatMap((verb) => section(verb, [])),
    '.Sh ENVIRONMENT',
    ...tagged(TEXT.environment.map(([name, says]) => [`.It Ev ${name.replaceAll(', ', ' , ')}`, says])),
    '.Sh FILES',
    ...tagged(TEXT.files.map(([path, says]) => [`.It Pa ${path}`, says])),
    '.Sh EXIT STATUS',
    ...tagged(EXIT_CODES.map(([code, says]) => [`.It ${code}`, sentence(says)])),
    '.Sh EXAMPLES',
    ...tagged(TEXT.examples.map(([command, says]) => [`.It Li ${command}`, says])),
    '.Sh SEE ALSO',
    '.Xr journalctl 1 ,',
    '.Xr qemu-system-x86_64 1',
  ];
  return `${lines.join('\n')}\n`;
}

const isVerb = (command: CommandUnknownOpts): boolean =>
  command.name() !== 'help' && (command as { _hidden?: boolean })._hidden !== true;
const isShown = ({ hidden }: Option): boolean => !hidden;

/** A verb with those below it: `config check`. */
function section(verb: CommandUnknownOpts, above: readonly string[]): string[] {
  const path = [...above, verb.name()];
  const words = verb.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? ' ...' : ''}`;
    return argument.required ? `.Ar ${name}` : `.Op Ar ${name}`;
  });
  const below = verb.commands.filter(isVerb);
  return [
    `.Ss ${path.join(' ')}`,
    ...(below.length > 0
      ? []
      : [
          '.Nm wedgewatch',
          `.Cm ${path.join(' ')}`,
          ...(verb.options.some(isShown) ? ['.Op Ar options'] : []),
          ...words,
          '.Pp',
        ]),
    ...text(verb.description()),
    ...options(verb),
    ...below.flatMap((one) => section(one, path)),
  ];
}

const options = (command: CommandUnknownOpts): string[] =>
  tagged(
    command.options
      .filter(isShown)
      .map((option) => [`.It ${flagsOf(option)}`, sentence(option.description) + defaultOf(option)]),
  );

/** `Fl c , Fl -config Ar file`. */
function flagsOf({ short, long, flags }: Option): string {
  const names = [short, long].filter((name) => name !== undefined).map((name) => `Fl ${name.slice(1)}`);
  const value = /[<[]([\w.-]+)[>\]]/.exec(flags)?.[1];
  return names.join(' , ') + (value === undefined ? '' : ` Ar ${value}`);
}

const defaultOf = ({ defaultValue }: Option): string =>
  typeof defaultValue === 'string' && defaultValue !== '' ? ` Default: ${defaultValue}.` : '';

function tagged(rows: readonly (readonly [head: string, says: string])[]): string[] {
  if (rows.length === 0) return [];
  return ['.Bl -tag -width Ds', ...rows.flatMap(([head, says]) => [head, ...text(says)]), '.El'];
}

const paragraph = (says: string): string[] => ['.Pp', ...text(says)];

const sentence = (says: string): string => {
  const whole = says.charAt(0).toUpperCase() + says.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
};

/** A sentence a line, as mdoc wants it; nothing in it is taken for a request or an escape. */
const text = (says: string): string[] =>
  says
    .replaceAll('\\', '\\e')
    .split(/(?<=[.!?]) +(?=[A-Z])/)
    .flatMap((line) => broken(line.trim()))
    .map((line) => line.replace(/^[.']/, '\\&$&'));

const LINE = 78;

function broken(line: string): string[] {
  const lines = [''];
  for (const word of line.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last !== '' && last.length + 1 + word.length > LINE) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines;
}
