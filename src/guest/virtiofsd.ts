import { existsSync } from 'node:fs';

const rust = '/usr/libexec/virtiofsd';
const c = '/usr/lib/qemu/virtiofsd';

/**
 * The command that serves `directory` on `socket`: Debian 13's virtiofsd serves any user; the one of Debian 12
 * wants to be root and to have /run, so other users give it a user namespace with the ids of /etc/subuid.
 * @throws Error if neither is installed
 */
export function virtiofsdCommand(directory: string, socket: string, user: 'root' | 'other'): string[] {
  if (existsSync(rust)) {
    return [rust, `--socket-path=${socket}`, `--shared-dir=${directory}`, '--sandbox=none', '--cache=auto'];
  }
  if (!existsSync(c)) throw new Error(`No virtiofsd: neither ${rust} nor ${c} is there.`);
  const serve = [
    c,
    `--socket-path=${socket}`,
    '--thread-pool-size=1',
    '-o',
    `source=${directory},cache=auto,sandbox=chroot`,
  ];
  if (user === 'root') return serve;
  const namespace = ['unshare', '--user', '--map-root-user', '--map-auto', '--mount'];
  return [...namespace, 'sh', '-c', 'mount -t tmpfs tmpfs /run && exec "$@"', 'sh', ...serve];
}
