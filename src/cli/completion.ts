/** `completion SHELL`: what the shell needs to complete verbs and options, made from the verbs themselves. */
import { type Command, type CommandUnknownOpts, Argument } from '@commander-js/extra-typings';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

interface Verb {
  /** `config check`; empty for the program itself. */
  path: string;
  name: string;
  about: string;
  /** Those below it. */
  verbs: Verb[];
  options: { flags: string[]; about: string }[];
}

/** Registers the verb; the script goes to `out`. */
export function completionCommand(program: Command, out: (text: string) => void): void {
  program
    .command('completion')
    .description(
      'Print the script that completes verbs and options in a shell: eval "$(wedgewatch completion bash)"',
    )
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .action((shell) => {
      out(completionScript(program, shell));
    });
}

/** The script for one shell. If no verb or option fits, the shell completes file names. */
function completionScript(program: CommandUnknownOpts, shell: Shell): string {
  const root = verbOf(program, []);
  return { bash, zsh, fish }[shell](root);
}

function verbOf(command: CommandUnknownOpts, above: readonly string[]): Verb {
  const names = above.length === 0 ? [] : [...above.slice(1), command.name()];
  const below = [...above, command.name()];
  return {
    path: names.join(' '),
    name: command.name(),
    about: firstSentence(command.description()),
    verbs: [...command.commands.map((one) => verbOf(one, below)), ...choicesOf(command, names)],
    options: [
      ...command.options.map(({ short, long, description }) => ({
        flags: [short, long].filter((flag) => typeof flag === 'string'),
        about: firstSentence(description),
      })),
      { flags: ['-h', '--help'], about: 'show how to use it' },
    ],
  };
}

/** The values of an argument that takes only some are completed as verbs are. */
const choicesOf = (command: CommandUnknownOpts, above: readonly string[]): Verb[] =>
  command.registeredArguments
    .flatMap(({ argChoices = [] }) => argChoices)
    .map((name) => ({ path: [...above, name].join(' '), name, about: '', verbs: [], options: [] }));

const firstSentence = (text: string): string =>
  text
    .split(/(?<=\.)\s|[:;(]/)[0]
    ?.trim()
    .replace(/\.$/, '') ?? '';

const all = (verb: Verb): Verb[] => [verb, ...verb.verbs.flatMap(all)];
const flagsOf = ({ options }: Verb): string[] => options.flatMap(({ flags }) => flags);

/** Lines of a `case` that follow the words of the command line to the innermost verb. */
const steps = (root: Verb): string[] =>
  all(root).flatMap(({ path, verbs }) =>
    verbs.map((verb) => `      '${path} ${verb.name}') verb='${verb.path}' ;;`),
  );

function bash(root: Verb): string {
  const cases = all(root).map(
    (verb) =>
      `    '${verb.path}') words='${[...verb.verbs.map(({ name }) => name), ...flagsOf(verb)].join(' ')}' ;;`,
  );
  return `_wedgewatch() {
  local verb='' words='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$verb $word" in
${steps(root).join('\n')}
    esac
  done
  case "$verb" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _wedgewatch wedgewatch
`;
}

const zshQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''").replaceAll(':', '\\:')}'`;

function zsh(root: Verb): string {
  const cases = all(root).map((verb) => {
    const verbs = verb.verbs.map(
      ({ name, about }) => `${zshQuoted(name).slice(0, -1)}:${zshQuoted(about).slice(1)}`,
    );
    const options = verb.options.flatMap(({ flags, about }) =>
      flags.map((flag) => `${zshQuoted(flag).slice(0, -1)}:${zshQuoted(about).slice(1)}`),
    );
    return `    '${verb.path}') verbs=(${verbs.join(' ')}); options=(${options.join(' ')}) ;;`;
  });
  return `#compdef wedgewatch
_wedgewatch() {
  local verb='' word
  local -a verbs options
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$verb $word" in
${steps(root).join('\n')}
    esac
  done
  case "$verb" in
${cases.join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    _describe -o option options
  elif (( \${#verbs} )); then
    _describe verb verbs
  else
    _files
  fi
}
compdef _wedgewatch wedgewatch
`;
}

const fishQuoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

function fish(root: Verb): string {
  const lines = all(root).flatMap((verb) => {
    const [name = ''] = verb.path.split(' ').slice(-1);
    const here = verb.path === '' ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${name}`;
    const below = verb.verbs.map(
      (one) => `complete -c wedgewatch -n ${fishQuoted(here)} -f -a ${one.name} -d ${fishQuoted(one.about)}`,
    );
    const options = verb.options.map(({ flags, about }) => {
      const named = flags.map((flag) =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      return `complete -c wedgewatch -n ${fishQuoted(here)} ${named.join(' ')} -d ${fishQuoted(about)}`;
    });
    return [...below, ...options];
  });
  return `${lines.join('\n')}\n`;
}
