import type { SshProbe } from '../../core/model.js';
import { greetingOf, stepOf, withoutDebug } from '../../core/ssh/command.js';
import { sshOutcome } from '../../core/ssh/outcome.js';
import { printable } from '../../core/printable.js';
import type { SshRoute } from '../../core/ssh/config.js';
import { runSsh, sshResolver, startFailure, type SshOptions } from './resolve.js';
import { probeTcp, type TcpOutcome } from './tcp.js';

/**
 * Asks once whether the guest's sshd is alive, by its banner and without a login: in this process where the host is
 * reached by TCP, by ssh where it takes a proxy. Never throws, never prompts. At the deadline a proxy gets another
 * 200 ms to die.
 */
export async function probeSsh(host: string, options: SshOptions, resolver = sshResolver): Promise<SshProbe> {
  const started = performance.now();
  const route = await resolver.resolve(host, options);
  const left = options.timeoutMs - (performance.now() - started);
  const outcome = await probeRoute(host, route, { ...options, timeoutMs: Math.max(1, Math.floor(left)) });
  if (outcome.kind !== 'ok') resolver.failed(host, options);
  return { ...outcome, tookMs: Math.round(performance.now() - started) };
}

type Route = SshRoute | ({ kind: 'host-fault' } & TcpOutcome);

function probeRoute(host: string, route: Route, options: SshOptions): Promise<TcpOutcome> {
  switch (route.kind) {
    case 'host-fault':
      return Promise.resolve(route);
    case 'tcp':
      return probeTcp(route.hostname, route.port, options);
    case 'command':
      return probeCommand(host, options);
  }
}

/** Through a proxy the banner comes by way of ssh, which is ended as soon as it says so: before it could log in. */
async function probeCommand(host: string, options: SshOptions): Promise<TcpOutcome> {
  const onlyGreet = ['-o', 'LogLevel=DEBUG1', '-o', 'PreferredAuthentications=none'];
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
    return { kind: 'timed-out', step, detail: `no banner by ssh within ${options.timeoutMs} ms` };
  if (result.exitCode === null) return { kind: 'host-fault', detail: 'ssh was killed by someone else' };
  const { kind, line } = sshOutcome(result.exitCode, withoutDebug(result.stderr));
  const code = result.exitCode === 0 ? '' : `ssh exited with ${result.exitCode}`;
  const fix = kind === 'host-fault' ? `; try: ssh ${host} true` : '';
  const detail = printable([code, line].filter((part) => part !== '').join(': '), 200) + fix;
  return { kind, detail, ...(kind !== 'ok' && kind !== 'host-fault' && { step }) };
}

/**
 * A login that asks nothing and shares nothing: over a connection that someone else keeps open it would prove
 * nothing of sshd, and one that ssh keeps open itself would outlive the probe. It reads nothing but where `input` is.
 */
export function loginArguments(host: string, timeoutMs: number, { input = false } = {}): string[] {
  const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
  const options = ['BatchMode=yes', `ConnectTimeout=${seconds}`, 'ControlMaster=no', 'ControlPath=none'];
  return [...options.flatMap((option) => ['-o', option]), ...(input ? [] : ['-n']), '-T', '--', host];
}
