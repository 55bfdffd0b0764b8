import { existsSync, readFileSync } from 'node:fs';

/** Debian packages that a host needs to run the guest. Debian 13 has virtiofsd in a package of its own. */
export function hostPackages(osRelease: string, user: 'root' | 'other'): string[] {
  const version = /^VERSION_ID="?(\d+)/m.exec(osRelease)?.[1];
  const ownVirtiofsd = version === undefined || Number(version) >= 13;
  return [
    'qemu-system-x86',
    'openssh-client',
    ...(ownVirtiofsd ? ['virtiofsd'] : []),
    ...(user === 'other' && !ownVirtiofsd ? ['uidmap'] : []),
  ];
}

/** The packages that this host needs for this user. */
export function packagesHere(): string[] {
  const osRelease = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return hostPackages(osRelease, process.getuid?.() === 0 ? 'root' : 'other');
}
