/** Letters of a verb that are the program's too, as the `-c` of `stacks`. */
import type { CommandUnknownOpts } from '@commander-js/extra-typings';

/**
 * The words of a command line, in which such a letter is spelled out where it stands behind its verb: commander takes it
 * for the program's, wherever it stands.
 */
export function withOwnLetters(program: CommandUnknownOpts, words: readonly string[]): string[] {
  const at = verbAt(program, words);
  const verb = program.commands.find((one) => one.name() === words[at]);
  const own = (verb?.options ?? []).filter(({ short }) => letterOf(program, short) !== undefined);
  const rest = words.indexOf('--', at);
  return words.map((word, index) => {
    if (index <= at || (rest >= 0 && index > rest)) return word;
    const option = own.find(({ short = '' }) => word.startsWith(short));
    if (option?.long === undefined) return word;
    return word.length === 2 ? option.long : `${option.long}=${word.slice(2)}`;
  });
}

const letterOf = ({ options }: CommandUnknownOpts, short: string | undefined) =>
  options.find((option) => option.short !== undefined && option.short === short);

/** Behind the program's own options, some of which have a value in a word of its own. */
function verbAt(program: CommandUnknownOpts, words: readonly string[]): number {
  let at = 0;
  for (let word = words[at]; word?.startsWith('-') === true && word !== '--'; word = words[at]) {
    const option = program.options.find(({ short, long }) => word === short || word === long);
    at += option?.required === true ? 2 : 1;
  }
  return at;
}
