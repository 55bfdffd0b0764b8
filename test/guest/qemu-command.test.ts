import { expect, test } from 'vitest';
import { imageIn } from '../../src/guest/build.js';
import { qemuArguments } from '../../src/guest/qemu-command.js';

const options = {
  vm: 'vm1',
  image: imageIn('/image'),
  qmpSocket: '/run/vm1/qmp.sock',
  virtiofsdSocket: '/run/vm1/store.sock',
  sshPort: 2201,
  append: 'quiet wedge.mode=job',
};

const valueOf = (args: string[], option: string) => args[args.indexOf(option) + 1];

test('the guest is reachable as the options say', () => {
  const args = qemuArguments({ ...options, console: 'stdio' });
  expect(valueOf(args, '-serial')).toBe('mon:stdio');
  expect(valueOf(args, '-qmp')).toBe('unix:/run/vm1/qmp.sock,server=on,wait=off');
  expect(valueOf(args, '-netdev')).toContain('hostfwd=tcp:127.0.0.1:2201-:22');
  expect(valueOf(args, '-append')).toBe('console=ttyS0 panic=0 no_timer_check quiet wedge.mode=job');
});

test('the console can be a file', () => {
  expect(valueOf(qemuArguments({ ...options, console: { file: '/tmp/c' } }), '-serial')).toBe('file:/tmp/c');
});

test('a kernel that mounts its root by itself has no initrd', () => {
  const args = qemuArguments({ ...options, image: { kernel: '/k', initrd: null }, console: 'stdio' });
  expect(args).not.toContain('-initrd');
  expect(valueOf(args, '-kernel')).toBe('/k');
});
