import { expect, it } from 'vitest';
import { hookCommand } from '../../src/core/report/hook-command.js';

const values = {
  vm: 'vm-1a2b3c4d',
  unit: 'qemu-system@vm-1a2b3c4d.service',
  id: '20260918T101502Z.vm-1a2b3c4d.0123abcd',
  directory: '/home/me/.local/state/wedgewatch/incidents/20260918T101502Z.vm-1a2b3c4d.0123abcd',
};

it('puts the values in, also several in one word, and leaves all else alone', () => {
  expect(hookCommand(['tell', '%v', 'x=%i;%u', '%d/report.html', '100%%v', '+%s', '$(id)'], values)).toEqual({
    ok: true,
    command: [
      'tell',
      values.vm,
      `x=${values.id};${values.unit}`,
      `${values.directory}/report.html`,
      '100%v',
      '+%s',
      '$(id)',
    ],
  });
});

it('a value is not filled in once more', () => {
  const directory = '/tmp/%v';
  expect(hookCommand(['%d'], { ...values, directory })).toEqual({ ok: true, command: ['/tmp/%v'] });
});

it.each([
  '*',
  'a*',
  '$(reboot)',
  'a;b',
  'a b',
  'é',
  '-rf',
  '@x',
  'a\\',
  'a%i',
  '[a-z]',
  'a`b',
  "a'b",
  '~root',
  '.',
])('the name %j goes into no argument', (vm) => {
  const unit = `qemu-system@${vm}.service`;
  expect(hookCommand(['restart', '%v'], { ...values, vm, unit })).toMatchObject({ ok: false });
  expect(hookCommand(['restart', '%i'], { ...values, vm, unit })).toMatchObject({ ok: true });
  expect(hookCommand(['restart', '%%v'], { ...values, vm, unit })).toMatchObject({ ok: true });
});

it('a unit is judged by itself: its VM may have been quoted for it', () => {
  const quoted = { ...values, vm: 'a/b', unit: 'qemu-system@a\\x2fb.service' };
  expect(hookCommand(['%u'], quoted)).toEqual({ ok: true, command: [quoted.unit] });
  expect(hookCommand(['%u'], { ...values, unit: '*.service' })).toMatchObject({ ok: false });
});
