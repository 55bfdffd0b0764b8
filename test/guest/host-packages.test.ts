import { expect, test } from 'vitest';
import { hostPackages } from '../../src/guest/host-packages.js';

const bookworm = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n';
const trixie = 'VERSION_ID="13"\nID=debian\n';
const sid = 'PRETTY_NAME="Debian GNU/Linux forky/sid"\nID=debian\n';

test('Debian 12 has virtiofsd with QEMU, and a plain user needs the tools for user namespaces', () => {
  expect(hostPackages(bookworm, 'root')).toEqual(['qemu-system-x86', 'openssh-client']);
  expect(hostPackages(bookworm, 'other')).toContain('uidmap');
});

test.each([trixie, sid])('later Debian has virtiofsd in a package of its own', (osRelease) => {
  expect(hostPackages(osRelease, 'other')).toEqual(['qemu-system-x86', 'openssh-client', 'virtiofsd']);
});
