import { expect, it } from 'vitest';
import { bootMarker, kernelCommandLine } from '../../../src/core/console/markers.js';

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
