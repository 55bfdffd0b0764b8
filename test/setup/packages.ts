import { packagesHere } from '../../src/guest/host-packages.js';
import { installPackages } from '../../src/guest/packages.js';

/**
 * Debian packages of the tests beyond those of the demo guest: a bootable systemd, a Debian guest's image, a browser for
 * the report, a compiler for a file with debug information.
 */
const testPackages = [
  'binutils',
  'chromium',
  'dbus-user-session',
  'e2fsprogs',
  'gcc',
  'libc6-dev',
  'libpam-systemd',
  'make',
  'mandoc',
  'mmdebstrap',
  'openssh-server',
  'python3',
  'systemd-container',
  'systemd-journal-remote',
  'systemd-sysv',
  'uidmap',
];

/** Makes a fresh machine ready, so that `npm ci && npm test` needs nothing else. */
export default async function setup(): Promise<void> {
  const names = new Set([...packagesHere(), ...testPackages]);
  await installPackages([...names], { log: (line) => process.stdout.write(`${line}\n`) });
}
