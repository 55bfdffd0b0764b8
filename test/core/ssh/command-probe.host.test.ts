import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { COMMAND, commandOutcome } from '../../../src/core/ssh/command-probe.js';

it.each(['sh', 'bash', 'dash'])(
  'the command runs in %s as a login shell runs it, and reads from a disk',
  (shell) => {
    const printed = execFileSync(shell, ['-c', COMMAND], { encoding: 'utf8' });
    expect(printed).toMatch(/^wedgewatch-begin\nwedgewatch-end (?:direct|cached)\n$/);
    expect(commandOutcome(0, printed, '').kind).toBe('ok');
  },
);

it('what a guest prints cannot break out of its line', () => {
  const { detail } = commandOutcome(255, '', 'Authenticated to x\n\u001b[2Jkex: \u0007bad\n');
  expect(detail).toBe(' [2Jkex:  bad');
});
