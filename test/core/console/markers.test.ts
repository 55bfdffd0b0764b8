import { expect, it } from 'vitest';
import { bootStarts, kernelCommandLine } from '../../../src/core/console/markers.js';

it.each([
  'SeaBIOS (version 1.16.2-debian-1.16.2-1)',
  'BdsDxe: loading Boot0001 "UEFI QEMU HARDDISK"',
  '[    0.000000] Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)',
  '[    0.000000][    T0] Linux version 6.12.0 (me@here)',
])('sees a boot begin: %s', (line) => {
  expect(bootStarts(line)).toBe(true);
});

it.each(['see SeaBIOS (version 1)', '[    1.000000] usb: Linux version 6', 'Linux versions'])(
  'sees none in %s',
  (line) => {
    expect(bootStarts(line)).toBe(false);
  },
);

it('reads the kernel command line', () => {
  expect(kernelCommandLine('[    0.000000] Command line: console=ttyS0 quiet')).toBe('console=ttyS0 quiet');
  expect(kernelCommandLine('[    0.012345] Kernel command line: ro')).toBe('ro');
  expect(kernelCommandLine('sudo: Command line: x')).toBeNull();
});
