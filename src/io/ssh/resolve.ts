import { homedir } from 'node:os';
import { join } from 'node:path';
import { access } from 'node:fs/promises';
import type { WayIn } from '../../core/host/machine.js';
import { routeOf, type SshRoute, unknownToSsh } from '../../core/ssh/ssh-config.js';
import { printable } from '../../core/printable.js';
import { runGroup, type GroupOptions, type GroupResult } from '../process-group.js';

export interface SshOptions {
  /** Deadline of the whole call, in milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Configuration file for `ssh -F`, which may begin with `~/`; null for ssh's own. */
  config?: string | null;
  /**
   * Set if the host is only a VM's name, which only ssh's configuration can know: it is not looked up. `wayIn`: the way
   * from the arguments of the VM's QEMU; null if they are not known.
   */
  byName?: { wayIn: WayIn | null };
  /** Where systemd-ssh-proxy may be; default: where distributions have it. */
  vsockProxies?: readonly string[];
  /** See GroupOptions. */
  onOutput?: GroupOptions['onOutput'];
  /** The ssh program; default: `ssh` in PATH. */
  ssh?: string;
}

/** A route to the host, or why this machine knows none. */
type Resolved = SshRoute | { kind: 'host-fault'; detail: string };

/** A fork of ssh for every probe would cost more than the probe: 6 ms against less than 1. */
const KEPT_MS = 10 * 60_000;
/** A probe that fails may fail because the configuration changed; its answer may be this old, no older. */
const KEPT_AFTER_FAILURE_MS = 30_000;
/** A host that is not known yet may be in a minute, and its probes need not fail meanwhile. */
const KEPT_UNKNOWN_MS = 3 * 60_000;
const MAX_KEPT = 1000;

/** Asks `ssh -G` how hosts are reached, and remembers the answers for ten minutes, of unknown ones for three. */
export class SshResolver {
  readonly #kept = new Map<string, { at: number; route: SshRoute }>();
  readonly #now: () => number;

  /** `now` is a monotonic clock in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Never throws. */
  async resolve(host: string, options: SshOptions): Promise<Resolved> {
    const key = keyOf(host, options);
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#now() - kept.at < keptMs(kept.route)) return kept.route;
    const result = await runSsh(['-G', '--', host], options);
    const route = result.exitCode === 0 ? routeOf(result.stdout, hostIn(host)) : null;
    if (route === null) return { kind: 'host-fault', detail: await resolveFailure(host, result, options) };
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(key, { at: this.#now(), route });
    return route;
  }

  /** Call this for each failed probe, so that a changed configuration is noticed. */
  failed(host: string, options: SshOptions): void {
    const key = keyOf(host, options);
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#now() - kept.at >= KEPT_AFTER_FAILURE_MS) this.#kept.delete(key);
  }
}

const keptMs = ({ kind }: SshRoute): number => (kind === 'unknown' ? KEPT_UNKNOWN_MS : KEPT_MS);

/** Without the user in front. */
const hostIn = (destination: string): string => destination.slice(destination.lastIndexOf('@') + 1);

/** Why nobody can log in there, or null. Never throws. */
export async function noLogin(
  host: string,
  options: SshOptions,
  resolver = sshResolver,
): Promise<string | null> {
  if (options.byName === undefined) return null;
  const { kind } = await resolver.resolve(host, options);
  return kind === 'unknown' ? unknownToSsh(host) : null;
}

/** For all callers of this process, so that they share its answers. */
export const sshResolver = new SshResolver();

const keyOf = (host: string, options: SshOptions) =>
  [options.ssh ?? 'ssh', options.config ?? '', host].join('\0');

/** Runs ssh so that it cannot prompt: no terminal, no askpass; and in the C locale, for its known words. */
export function runSsh(args: readonly string[], options: SshOptions): Promise<GroupResult> {
  return runGroup(options.ssh ?? 'ssh', [...configArguments(options), ...args], {
    timeoutMs: options.timeoutMs,
    signal: options.signal,
    onOutput: options.onOutput,
    env: quietEnvironment(),
  });
}

export const configArguments = (options: SshOptions): string[] => {
  const path = configPath(options);
  return path === null ? [] : ['-F', path];
};

/** ssh -F replaces no tilde. */
function configPath({ config = null }: SshOptions): string | null {
  return config?.startsWith('~/') === true ? join(homedir(), config.slice(2)) : config;
}

/** What ssh, its agents and its proxies need. SendEnv cannot be undone on the command line: it finds no more than this. */
const NEEDED = new Set([
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'TMPDIR', 'LD_LIBRARY_PATH', 'DBUS_SESSION_BUS_ADDRESS'],
  ...['SSH_AUTH_SOCK', 'SSH_AGENT_PID', 'SSH_SK_PROVIDER', 'SSH_SK_HELPER', 'SSH_PKCS11_HELPER'],
  ...['XDG_RUNTIME_DIR', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_STATE_HOME', 'XDG_CACHE_HOME'],
  ...['KRB5CCNAME', 'KRB5_CONFIG'],
]);

/** Keeps ssh from prompting, from translating its messages, and from telling the guest what else is in ours. */
export const quietEnvironment = (env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(env).filter(([name]) => NEEDED.has(name))),
  LC_ALL: 'C',
  SSH_ASKPASS_REQUIRE: 'never',
});

/** Why ssh did not even start; null if it did. */
export function startFailure(result: GroupResult): string | null {
  if (result.startFailure === null) return null;
  if (result.startFailure === 'ENOENT') return 'no ssh binary in PATH; install openssh-client';
  return `cannot start ssh: ${result.startFailure}; check that the host has processes, memory and files to spare`;
}

async function resolveFailure(host: string, result: GroupResult, options: SshOptions): Promise<string> {
  const failed = startFailure(result);
  if (failed !== null) return failed;
  const fix = `try: ssh -G ${printable(host, 60)}`;
  if (result.stopped === 'aborted') return 'aborted';
  if (result.stopped === 'deadline')
    return `ssh -G did not finish in time, perhaps because of a Match exec; ${fix}`;
  const path = configPath(options);
  const unread =
    path === null
      ? null
      : await access(path).then(
          () => null,
          (error: unknown) => String(error),
        );
  if (unread !== null)
    return `ssh.configFile cannot be read (${printable(unread, 200)}); write it, or correct ssh.configFile in the configuration`;
  const said = printable(result.stderr.trim().split('\n').at(-1) ?? '', 200);
  return `ssh -G failed: ${said}; fix ~/.ssh/config, then ${fix}`;
}
