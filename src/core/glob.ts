/** Globs in linear time: the text may be hostile, and a regular expression that backtracks is a way to stop the daemon. */
import { RE2JS } from 're2js';

/**
 * A test for whole names. `*` is any text, `?` any character, `[a-c]` one of them, `[!a-c]` none of them, `{a,b}` either;
 * `!` in front turns it round, `\` makes the next character ordinary. Throws an Error that says what is wrong.
 */
export function globTest(glob: string): (name: string) => boolean {
  const negated = glob.startsWith('!');
  const expression = RE2JS.compile(expressionOf(negated ? glob.slice(1) : glob), RE2JS.DOTALL);
  return (name) => expression.matcher(name).matches() !== negated;
}

function expressionOf(glob: string): string {
  if (glob === '') throw new Error('it is empty');
  let braces = 0;
  let expression = '';
  for (let at = 0; at < glob.length; at += 1) {
    const mark = glob[at] ?? '';
    if (mark === '*') expression += '.*';
    else if (mark === '?') expression += '.';
    else if (mark === '[') {
      const end = endOfSet(glob, at);
      expression += setOf(glob.slice(at + 1, end));
      at = end;
    } else if (mark === '{') {
      braces += 1;
      expression += '(?:';
    } else if (mark === '}' && braces > 0) {
      braces -= 1;
      expression += ')';
    } else if (mark === ',' && braces > 0) expression += '|';
    else expression += RE2JS.quote(mark === '\\' ? (glob[(at += 1)] ?? '\\') : mark);
  }
  if (braces > 0) throw new Error('Missing closing "}"');
  return expression;
}

/** A bracket that is the first of a set is one of its characters. */
function endOfSet(glob: string, at: number): number {
  const end = glob.indexOf(']', at + (/[!^]/.test(glob[at + 1] ?? '') ? 3 : 2));
  if (end === -1) throw new Error('Missing closing "]"');
  return end;
}

const setOf = (characters: string): string =>
  `[${characters.replace(/[\\[&~]/g, '\\$&').replace(/^!/, '^')}]`;
