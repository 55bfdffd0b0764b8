import { Command } from '@commander-js/extra-typings';
import { describe, expect, it } from 'vitest';
import { withOwnLetters } from '../../src/cli/own-letters.js';

function program() {
  const made = new Command('wedgewatch').option('-c, --config <file>').option('-q, --quiet');
  made.command('stacks [id]').option('-c, --function <name>').option('-m, --module <name>');
  made.command('list').option('--json');
  return made;
}

describe('a letter that a verb and the program both have', () => {
  it.each([
    ['stacks vm -c nfs_*', 'stacks vm --function nfs_*'],
    ['stacks -cnfs_* vm', 'stacks --function=nfs_* vm'],
    ['stacks vm -c', 'stacks vm --function'],
    ['-c my.yaml stacks vm -c nfs_* -m nfs', '-c my.yaml stacks vm --function nfs_* -m nfs'],
    ['-q --config stacks list -c my.yaml', '-q --config stacks list -c my.yaml'],
    ['stacks vm --config my.yaml', 'stacks vm --config my.yaml'],
    ['stacks -- -c', 'stacks -- -c'],
    ['list -c my.yaml', 'list -c my.yaml'],
    ['-c', '-c'],
    ['', ''],
  ])('%s', (typed, meant) => {
    expect(withOwnLetters(program(), typed.split(' ')).join(' ')).toBe(meant);
  });

  it('is the verb’s own behind it, for commander', async () => {
    const seen: unknown[] = [];
    const made = program();
    made.commands[0]?.action((...given) => void seen.push(given[0], given[1], made.opts()));
    await made.parseAsync(withOwnLetters(made, ['-c', 'my.yaml', 'stacks', 'vm', '-c', 'nfs_*']), {
      from: 'user',
    });
    expect(seen).toEqual(['vm', { function: 'nfs_*' }, { config: 'my.yaml' }]);
  });
});
