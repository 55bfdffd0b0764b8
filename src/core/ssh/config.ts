/** How an SSH host is reached: by a TCP connection that wedgewatch can open itself, or only through ssh. */
export type SshRoute = { kind: 'tcp'; hostname: string; port: number } | { kind: 'command' };

/** Reads what `ssh -G HOST` prints (ssh_config(5) names, in lower case, one a line); null if there is no host in it. */
export function routeOf(printed: string): SshRoute | null {
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
  return proxied || /^(?:vsock|unix)\//.test(hostname)
    ? { kind: 'command' }
    : { kind: 'tcp', hostname, port };
}
