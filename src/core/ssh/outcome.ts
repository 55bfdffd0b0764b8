/** What a failed TCP connection, or the end of an ssh command, says about the guest's sshd. */
import type { SshProbe } from '../model.js';

export type SshOutcome = SshProbe['kind'];

const TCP_OUTCOMES: Readonly<Record<string, SshOutcome>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'refused',
  ECONNABORTED: 'refused',
  EPIPE: 'refused',
  EHOSTUNREACH: 'timed-out',
  EHOSTDOWN: 'timed-out',
  ENETUNREACH: 'timed-out',
  ETIMEDOUT: 'timed-out',
};

/** The outcome of an errno of connect(2), read(2) or a name lookup. An unknown one accuses the host, not the guest. */
export function tcpOutcome(code: string | undefined): SshOutcome {
  return TCP_OUTCOMES[code ?? ''] ?? 'host-fault';
}

/**
 * OpenSSH's words on stderr when it exits with 255; the first row that matches decides. A failed ProxyCommand is
 * followed by a closed connection, so what accuses the host stands above what accuses the guest.
 */
const SSH_WORDS: readonly (readonly [pattern: RegExp, outcome: SshOutcome])[] = [
  // It got as far as keys and passwords: the guest's sshd is alive.
  [/: Permission denied \(|Too many authentication failures|Unable to negotiate with/, 'ok'],
  [/Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/, 'ok'],
  [/Could not resolve hostname|Name or service not known|Temporary failure in name resolution/, 'host-fault'],
  [
    /Bad configuration option|Bad owner or permissions|bad configuration options|Can't open user config/,
    'host-fault',
  ],
  // A `${NAME}` in the configuration that is not among what ssh is told of our environment.
  [/env var \$\{\S+\} has no value/, 'host-fault'],
  [/keyword \S+ extra arguments|missing argument|unsupported option/i, 'host-fault'],
  // A shell that cannot start the ProxyCommand: `/bin/sh: 1: exec: x: not found`, `zsh:1: command not found: x`.
  [/^\S*sh: ?.*(?:not found|no such file or directory|permission denied)/i, 'host-fault'],
  [/Too many open files|Cannot allocate memory|fork.*: Resource temporarily unavailable/i, 'host-fault'],
  [/timed out|No route to host|Network is unreachable/i, 'timed-out'],
];

/**
 * The outcome of `ssh HOST true`, with the line of stderr that decided it, else the last one. Any exit code but ssh's
 * own 255 was sent by the guest, which is therefore alive.
 */
export function sshOutcome(exitCode: number, stderr: string): { kind: SshOutcome; line: string } {
  const lines = stderr.trim().split(/\s*\n/);
  const last = lines.at(-1) ?? '';
  if (exitCode !== 255) return { kind: 'ok', line: last };
  for (const [pattern, kind] of SSH_WORDS) {
    const line = lines.find((one) => pattern.test(one));
    if (line !== undefined) return { kind, line };
  }
  // Closed, reset, refused, or words unknown here: sshd does not serve.
  return { kind: 'refused', line: last };
}
