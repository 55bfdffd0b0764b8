import { expect, it } from 'vitest';
import { guard } from '../../src/cli/guard.js';
import { oneGuest } from '../../src/cli/one-guest.js';
import { parseConfig } from '../../src/core/config/parse-config.js';
import type { Config } from '../../src/core/config/schema.js';
import { qmpDirectory, runtimeDirectory } from '../../src/io/paths.js';
import { run } from '../support/archive.js';

it.each<[string[], string[], Partial<Parameters<typeof guard>[2]>, string]>([
  [[], [], {}, 'say what to run behind --'],
  [[], ['true'], { ci: 'travis' }, '--ci travis: expected github, gitlab, jenkins, plain'],
  [[], ['true'], { grace: '3' }, '--grace: expected a duration'],
  [['a/b'], ['true'], {}, 'a/b: expected a name without /'],
])('guard %j -- %j with %j is refused', async (vms, command, options, why) => {
  const { code, err } = await run((terminal) =>
    guard(vms, command, { grace: '10s', ...options }, { config: null, quiet: false, terminal }),
  );
  expect(err).toContain(why);
  expect(code).toBe(2);
});

function configOf(text: string): Config {
  const parsed = parseConfig(text, 'here');
  if (!parsed.ok) throw new Error('a broken configuration');
  return parsed.config;
}

const named = (qmp: string | undefined, console: string | undefined, vms: string[] = [], yaml = '{}') =>
  oneGuest({ qmp, console }, vms, configOf(yaml));

it('takes a guest by its two files, which need not be there yet', () => {
  const one = named('/run/vng/qmp.sock', '/run/vng/console', [], 'guests: [{name: vng, ssh: lab}]');
  expect(one).toMatchObject({
    vm: 'vng',
    config: {
      discover: { enabled: false },
      guests: [{ name: 'vng', qmp: '/run/vng/qmp.sock', console: 'file:/run/vng/console', ssh: 'lab' }],
    },
    runtime: expect.stringContaining(`${runtimeDirectory()}/wedgewatch/guard-`) as string,
  });
  expect(named('/run/a.sock', '/run/console')).toMatchObject({ vm: 'a' });
  expect(named('/run/a.sock', '/run/console', ['b'])).toMatchObject({ vm: 'b' });
  expect(named(undefined, undefined)).toBeNull();
});

it('leaves a guest that the daemon would find, or is told of, to the one watch of this user', () => {
  const found = named(`${qmpDirectory()}/vm/qmp.sock`, '/c');
  expect(found).toMatchObject({ vm: 'vm' });
  expect(found).not.toHaveProperty('runtime');
  expect(named('/q', '/c', ['vm'], 'guests: [{name: vm, qmp: /q}]')).not.toHaveProperty('runtime');
});

it.each([
  ['/q', undefined, [], '--qmp and --console belong together'],
  [undefined, '/c', [], '--qmp and --console belong together'],
  ['/q', '/c', ['a', 'b'], 'name one VM'],
  ['/.sock', '/c', [], 'name the VM'],
] as const)('says why %s with %s cannot be one', (qmp, console, vms, why) => {
  expect(named(qmp, console, [...vms])).toContain(why);
});
