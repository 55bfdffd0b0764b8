import { expect, it } from 'vitest';
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
