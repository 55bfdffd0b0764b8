import { expect, it } from 'vitest';
import { stateDirectory } from '../../src/io/archive/directory.js';
import { findConfig } from '../../src/io/config-file.js';
import { knownPath } from '../../src/io/known-file.js';
import { qmpDirectory, runtimeDirectory } from '../../src/io/paths.js';

it.each([
  [{ XDG_RUNTIME_DIR: '/run/user/7' }, '/run/user/7'],
  [{ XDG_RUNTIME_DIR: '' }, `/run/user/${process.getuid?.() ?? 0}`],
  [{ XDG_RUNTIME_DIR: 'relative' }, `/run/user/${process.getuid?.() ?? 0}`],
  [{}, `/run/user/${process.getuid?.() ?? 0}`],
])('with %j the runtime directory is %s', (env, directory) => {
  expect(runtimeDirectory(env)).toBe(directory);
  expect(qmpDirectory(env)).toBe(`${directory}/qemu-system`);
});

it('those of the system are none of root’s own', () => {
  const env = {
    WEDGEWATCH_SCOPE: 'system',
    ...{ XDG_RUNTIME_DIR: '/run/user/0', XDG_CONFIG_HOME: '/root/.config', XDG_STATE_HOME: '/root/.state' },
  };
  expect(runtimeDirectory(env)).toBe('/run');
  expect(qmpDirectory(env)).toBe('/run/qemu-system');
  expect(stateDirectory(env)).toBe('/var/lib/wedgewatch');
  expect(findConfig(null, env).path).toBe('/etc/wedgewatch/config.yaml');
  expect(knownPath({ known: null }, env).path).toBe('/etc/wedgewatch/known.yaml');
});
