import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  archiveError,
  faultText,
  makeIncidentsDirectory,
  stateDirectory,
} from '../../../src/io/archive/directory.js';
import { temporaryDirectory } from '../../support/temporary.js';

it.each([
  [{ STATE_DIRECTORY: '/var/lib/wedgewatch', HOME: '/root' }, '/var/lib/wedgewatch'],
  [{ STATE_DIRECTORY: '/a:/b', XDG_STATE_HOME: '/x' }, '/a'],
  [{ STATE_DIRECTORY: '', XDG_STATE_HOME: '/x' }, '/x/wedgewatch'],
  [{ XDG_STATE_HOME: 'relative', HOME: '/home/dev' }, '/home/dev/.local/state/wedgewatch'],
  [{}, join(homedir(), '.local/state/wedgewatch')],
])('keeps the state of %j in %s', (env, path) => {
  expect(stateDirectory(env)).toBe(path);
});

it('names the path, the cause and the fix', () => {
  const error = Object.assign(new Error('x'), { code: 'EACCES' });
  expect(archiveError('/var/x', error).message).toBe(
    '/var/x cannot be written: permission denied. Fix: chown it to the user that runs wedgewatch, or set archive.directory (EACCES)',
  );
  expect(faultText(new Error('odd'))).toBe('odd');
  expect(faultText('odd')).toBe('odd');
});

it('makes what is missing, and takes what is there', async () => {
  const root = join(await temporaryDirectory(), 'a/b');
  expect(await makeIncidentsDirectory(root)).toBe(join(root, 'incidents'));
  expect(await makeIncidentsDirectory(root)).toBe(join(root, 'incidents'));
});

it('gives up where directories cannot be made at all', async () => {
  await expect(makeIncidentsDirectory('/proc/wedgewatch')).rejects.toThrow(
    '/proc/wedgewatch/incidents cannot be written',
  );
});
