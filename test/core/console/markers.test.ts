import { expect, it } from 'vitest';
import { bootMarker, kernelCommandLine, kernelRelease } from '../../../src/core/console/markers.js';

it.each([
  ['SeaBIOS (version 1.16.2-debian-1.16.2-1)', 'firmware'],
  ['BdsDxe: loading Boot0001 "UEFI QEMU HARDDISK"', 'firmware'],
  ['[    0.000000] Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)', 'kernel'],
  ['[    0.000000][    T0] Linux version 6.12.0 (me@here)', 'kernel'],
  ['see SeaBIOS (version 1)', null],
  ['[    1.000000] usb: Linux version 6', null],
  ['Linux versions', null],
])('sees in %j a boot begin by %j', (line, by) => {
  expect(bootMarker(line)).toBe(by);
});

it('reads the kernel command line', () => {
  expect(kernelCommandLine('[    0.000000] Command line: console=ttyS0 quiet')).toBe('console=ttyS0 quiet');
  expect(kernelCommandLine('[    0.012345] Kernel command line: ro')).toBe('ro');
  expect(kernelCommandLine('sudo: Command line: x')).toBeNull();
});

it.each([
  ['[    0.000000] Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org) (gcc', '6.1.0-18-amd64'],
  ['[   17.317745] Sched Debug Version: v0.11, 6.18.0-rc3 #1', '6.18.0-rc3'],
  ['[   12.938792]       Not tainted 6.1.0-56-amd64 #1 Debian 6.1.192-2', '6.1.0-56-amd64'],
  [
    '[   12.0] CPU: 1 UID: 0 PID: 0 Comm: swapper/1 Tainted: G        W  O       6.12.1+ #7 PREEMPT',
    '6.12.1+',
  ],
  ['May 17 18:48:11 host kernel: [ 6141.921764]       Tainted: G C      4.14.17-v7+ #1090', '4.14.17-v7+'],
  ['the value is tainted 9.9 #1', null],
  ['usb: Linux version 6', null],
])('reads the release in %j', (line, release) => {
  expect(kernelRelease(line)).toBe(release);
});
