import { expect, it } from 'vitest';
import { parseConfig } from '../../src/core/config/parse-config.js';
import { checkGuests } from '../../src/daemon/host-checks.js';

const check = (yaml: string, vms: string[] = []) => {
  const parsed = parseConfig(yaml, 'test.yaml');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return checkGuests(parsed.config, vms);
};

it('says where guests were looked for in vain, and how one is seen', () => {
  const { detail, fix, result } = check('discover: {directory: /vms}');
  expect(result).toBe('warning');
  expect(detail).toBe('none seen: no /vms/VM/qmp.sock, none in the configuration');
  expect(fix).toMatch(
    /^start QEMU with -qmp unix:\/vms\/VM\/qmp\.sock,server=on,wait=off, or .*processes: true/,
  );
});

it('names processes where they are looked at, and no socket where none is', () => {
  const { detail, fix } = check('discover: {enabled: false, processes: true}');
  expect(detail).toBe(
    'none seen: no QEMU with QMP among the processes of this user, none in the configuration',
  );
  expect(fix).not.toContain('processes: true');
});

it('names those there are', () => {
  expect(check('', ['a', 'b'])).toMatchObject({ result: 'ok', detail: 'a, b' });
});
