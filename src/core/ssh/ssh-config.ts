/** How an SSH host is reached by what ssh's configuration says, and the words for one that it says nothing of. */
import type { SshWay } from '../model.js';
import { printable } from '../printable.js';

/**
 * By a TCP connection that wedgewatch can open itself, or only through ssh. `unknown`: the configuration says nothing
 * of this bare name, and whether it is a host at all only name servers could tell.
 */
export type SshRoute =
  | { kind: 'tcp'; hostname: string; port: number }
  | { kind: 'command' }
  | { kind: 'unknown'; hostname: string };

const DEFAULT_PORT = 22;

/** Reads what `ssh -G HOST` prints (ssh_config(5) names, in lower case, one a line); null if there is no host in it. */
export function routeOf(printed: string, host: string): SshRoute | null {
  const values = new Map<string, string>();
  for (const line of printed.split('\n')) {
    const [, name, value] = /^(\S+) (.*)$/.exec(line.trim()) ?? [];
    if (name !== undefined && value !== undefined && !values.has(name)) values.set(name, value.trim());
  }
  const hostname = values.get('hostname');
  const port = Number(values.get('port'));
  if (hostname === undefined || !Number.isInteger(port) || port < 1 || port > 65535) return null;
  const proxied = ['proxycommand', 'proxyjump'].some((name) => (values.get(name) ?? 'none') !== 'none');
  // systemd-ssh-proxy(1) gives vsock/CID and unix/PATH a meaning; as TCP they have none.
  if (proxied || /^(?:vsock|unix)\//.test(hostname)) return { kind: 'command' };
  const told = port !== DEFAULT_PORT || !isBareName(hostname) || hostname !== host.toLowerCase();
  return told ? { kind: 'tcp', hostname, port } : { kind: 'unknown', hostname };
}

/** Neither an address, in any form that inet_aton(3) takes, nor a name with a domain. */
const isBareName = (hostname: string): boolean =>
  !/[.:]/.test(hostname) && !/^(?:0x[\da-f]+|\d+)$/i.test(hostname);

export const WAYS: Readonly<Record<SshWay, string>> = {
  port: 'by the port that QEMU forwards',
  vsock: 'by the vsock CID that QEMU was given',
};

const KDEVOPS_INCLUDE = 'Include ~/.local/state/windmill/workbench/system/ssh/config.d/*.conf';

/** What lets ssh know a guest. */
export const LET_SSH_KNOW = `add its Include line to ~/.ssh/config (kdevops: ${KDEVOPS_INCLUDE}), or set ssh.configFile, or ssh: in its guests entry`;

const notKnown = (host: string): string => `ssh does not know ${printable(host, 80)}`;

/** That ssh does not know the host, with what closes the gap. */
export const unknownToSsh = (host: string): string => `${notKnown(host)}: ${LET_SSH_KNOW}`;

/** How it is reached all the same. */
export const wayText = (way: SshWay, host: string): string => `${WAYS[way]}; ${notKnown(host)}`;
