import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { SshProbe, SshWay } from '../../core/model.js';
import { greetingOf, stepOf, withoutDebug } from '../../core/ssh/command-probe.js';
import { sshOutcome } from '../../core/ssh/outcome.js';
import { printable } from '../../core/printable.js';
import { type SshRoute, unknownToSsh } from '../../core/ssh/ssh-config.js';
import { Deadline } from '../deadline.js';
import { runSsh, sshResolver, startFailure, type SshOptions } from './resolve.js';
import { probeTcp, type TcpOutcome } from './tcp.js';

/**
 * Asks once whether the guest's sshd is alive, by its banner and without a login: in this process if TCP reaches the
 * host, through ssh if that takes a proxy. Never throws, never prompts. At the deadline a proxy gets another
 * 200 ms to die.
 */
export async function probeSsh(host: string, options: SshOptions, resolver = sshResolver): Promise<SshProbe> {
  const started = performance.now();
  const deadline = new Deadline(options.timeoutMs);
  try {
    const route = await resolver.resolve(host, options);
    const left = Math.max(1, Math.floor(deadline.left()));
    const outcome = await probeRoute(host, route, { ...options, timeoutMs: left });
    if (outcome.kind !== 'ok') resolver.failed(host, options);
    return { ...outcome, tookMs: Math.round(performance.now() - started) };
  } finally {
    deadline.end();
  }
}

type Route = SshRoute | ({ kind: 'host-fault' } & TcpOutcome);
type Outcome = TcpOutcome & { way?: SshWay };

function probeRoute(host: string, route: Route, options: SshOptions): Promise<Outcome> {
  switch (route.kind) {
    case 'host-fault':
      return Promise.resolve(route);
    case 'tcp':
      return probeTcp(route.hostname, route.port, options);
    case 'command':
      return probeCommand(host, options);
    case 'unknown':
      return options.byName === undefined
        ? probeTcp(route.hostname, 22, options)
        : probeByName(host, options, options.byName);
  }
}

/** No name server is asked for a name that ssh does not know: only the arguments of its QEMU can give the way. */
async function probeByName(
  host: string,
  options: SshOptions,
  { wayIn }: NonNullable<SshOptions['byName']>,
): Promise<Outcome> {
  const { forward = null, cid = null } = wayIn ?? {};
  if (forward !== null) return { ...(await probeTcp(forward.address, forward.port, options)), way: 'port' };
  const proxy = cid === null ? null : await vsockProxy(options.vsockProxies);
  if (cid !== null && proxy !== null) {
    const through = [`ProxyCommand=${proxy} vsock/${cid} 22`, 'ProxyUseFdpass=yes'];
    const outcome = await probeCommand(host, { ...options, config: 'none' }, through);
    return { ...outcome, way: 'vsock' };
  }
  const why =
    wayIn === null
      ? 'its QEMU was not found'
      : cid === null
        ? 'its QEMU forwards no port to its port 22 and gives it no vsock CID'
        : 'its vsock CID needs systemd-ssh-proxy from systemd 256';
  return { kind: 'host-fault', detail: `${unknownToSsh(host)}; ${why}` };
}

/** Where distributions have it, and NixOS. */
const VSOCK_PROXIES = [
  '/usr/lib/systemd/systemd-ssh-proxy',
  '/run/current-system/systemd/lib/systemd/systemd-ssh-proxy',
];

async function vsockProxy(paths: readonly string[] = VSOCK_PROXIES): Promise<string | null> {
  for (const path of paths)
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return path;
  return null;
}

/**
 * Through a proxy, ssh reports the banner, and is ended right then, before it can log in.
 * `through`: further options of ssh.
 */
async function probeCommand(
  host: string,
  options: SshOptions,
  through: readonly string[] = [],
): Promise<TcpOutcome> {
  const only = ['LogLevel=DEBUG1', 'PreferredAuthentications=none', ...through];
  const onlyGreet = only.flatMap((option) => ['-o', option]);
  const result = await runSsh([...onlyGreet, ...loginArguments(host, options.timeoutMs), 'true'], {
    ...options,
    onOutput: ({ stderr }) => (greetingOf(stderr) === null ? 'go on' : 'enough'),
  });
  const step = stepOf(result.stderr) === 'connect' ? 'connect' : 'banner';
  const failed = startFailure(result);
  if (failed !== null) return { kind: 'host-fault', detail: failed };
  const software = greetingOf(result.stderr);
  if (software !== null) return { kind: 'ok', detail: printable(`SSH-2.0-${software}`, 100) };
  if (result.stopped === 'aborted') return { kind: 'host-fault', detail: 'aborted' };
  if (result.stopped === 'deadline')
    return {
      kind: 'timed-out',
      step,
      detail: `no banner through ssh within ${options.timeoutMs} ms`,
      ...(result.late === true && { late: true }),
    };
  if (result.exitCode === null) return { kind: 'host-fault', detail: 'ssh was killed by someone else' };
  const { kind, line } = sshOutcome(result.exitCode, withoutDebug(result.stderr));
  const code = result.exitCode === 0 ? '' : `ssh exited with ${result.exitCode}`;
  const fix = kind === 'host-fault' ? `; try: ssh ${host} true` : '';
  const detail = printable([code, line].filter((part) => part !== '').join(': '), 200) + fix;
  return { kind, detail, ...(kind !== 'ok' && kind !== 'host-fault' && { step }) };
}

/**
 * What `Host *` gives a person's own logins, and a guest must not get with ours (ssh_config(5)): the agent, the display,
 * forwarded ports, tunnels, Kerberos tickets, words of the environment, commands on either side, entries in known_hosts
 * and in the agent. Options of the command line win over the configuration. How ssh comes to the guest, and with which
 * keys, stays as configured. Each is known to OpenSSH 7.8 already: an unknown one would end ssh.
 */
const BARE = [
  ...['BatchMode=yes', 'RequestTTY=no', 'ControlMaster=no', 'ControlPath=none'],
  ...['ClearAllForwardings=yes', 'ForwardAgent=no', 'ForwardX11=no', 'ForwardX11Trusted=no', 'Tunnel=no'],
  ...['PermitLocalCommand=no', 'RemoteCommand=none', 'GSSAPIDelegateCredentials=no'],
  // The first SetEnv wins, and it cannot be empty. What SendEnv finds is bounded by quietEnvironment().
  ...['SetEnv=LC_ALL=C', 'AddKeysToAgent=no', 'UpdateHostKeys=no'],
];

/**
 * A login without prompts that brings nothing along and changes nothing here. It takes no shared connection: one kept
 * open by someone else would prove nothing about sshd, and one kept open by ssh would outlive the probe. It reads
 * standard input only with `input`.
 */
export function loginArguments(host: string, timeoutMs: number, { input = false } = {}): string[] {
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  const options = [...BARE, `ConnectTimeout=${seconds}`];
  return [...options.flatMap((option) => ['-o', option]), ...(input ? [] : ['-n']), '-T', '--', host];
}
