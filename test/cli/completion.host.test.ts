import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const scripts: Record<string, string> = {};
beforeAll(() => {
  for (const shell of ['bash', 'zsh', 'fish'])
    scripts[shell] = execFileSync(process.execPath, [main, 'completion', shell], { encoding: 'utf8' });
}, 60_000);

/** What a real bash offers behind these words, the last of which is being typed. It finds no program to start. */
function offered(...words: string[]): string[] {
  const script = `${scripts['bash'] ?? ''}
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_wedgewatch; printf '%s\\n' "\${COMPREPLY[@]}"; complete -p wedgewatch`;
  const out = execFileSync('/bin/bash', ['--norc', '-c', script, 'bash', 'wedgewatch', ...words], {
    encoding: 'utf8',
    env: { PATH: '/none' },
  });
  const lines = out.trim().split('\n');
  expect(lines.pop()).toBe('complete -o default -F _wedgewatch wedgewatch');
  return lines.filter((line) => line !== '');
}

describe('completion', () => {
  it.each([
    [['an'], ['analyze']],
    [['s'], ['status', 'show', 'stacks']],
    [
      ['config', ''],
      ['check', 'schema', 'show', '-h', '--help'],
    ],
    [['config', 'sh'], ['show']],
    [['config', 'show', '--j'], ['--json']],
    [['analyze', '--vm'], ['--vmlinux']],
    [['--quiet', 'export', '--s'], ['--speedscope']],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish', '-h', '--help'],
    ],
    [['analyze', '/etc/host'], []],
  ])('in bash, of %j', (words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });

  it.each(['bash', 'zsh', 'fish'])('%s knows every verb', (shell) => {
    const help = execFileSync(process.execPath, [main, '--help'], { encoding: 'utf8' });
    const verbs = [...help.matchAll(/^ {2}([a-z]+) /gm)].map(([, verb]) => verb ?? '');
    expect(verbs.length).toBeGreaterThan(15);
    for (const verb of verbs.filter((one) => one !== 'help'))
      expect(scripts[shell]).toMatch(new RegExp(`\\b${verb}\\b`));
  });
});
