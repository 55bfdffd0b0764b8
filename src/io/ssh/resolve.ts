import { routeOf, type SshRoute } from '../../core/ssh/config.js';
import { printable } from '../../core/printable.js';
import { runGroup, type GroupOptions, type GroupResult } from '../process-group.js';

export interface SshOptions {
  /** Deadline of the whole call, in milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  /** Configuration file for `ssh -F`; null for ssh's own. */
  config?: string | null;
  /** See GroupOptions. */
  onOutput?: GroupOptions['onOutput'];
  /** The ssh program; default: `ssh` in PATH. */
  ssh?: string;
}

/** A route to the host, or why this machine cannot tell one. */
type Resolved = SshRoute | { kind: 'host-fault'; detail: string };

/** A fork of ssh for every probe would cost more than the probe: 6 ms against less than 1. */
const KEPT_MS = 10 * 60_000;
/** A probe that fails may fail because the configuration changed; its answer may be this old, no older. */
const KEPT_AFTER_FAILURE_MS = 30_000;
const MAX_KEPT = 1000;

/** Asks `ssh -G` how hosts are reached, and remembers the answers for ten minutes. */
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
    if (kept !== undefined && this.#now() - kept.at < KEPT_MS) return kept.route;
    const result = await runSsh(['-G', '--', host], options);
    const route = result.exitCode === 0 ? routeOf(result.stdout) : null;
    if (route === null) return { kind: 'host-fault', detail: resolveFailure(host, result) };
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(key, { at: this.#now(), route });
    return route;
  }

  /** To be told of each failed probe, so that a changed configuration is noticed. */
  failed(host: string, options: SshOptions): void {
    const key = keyOf(host, options);
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#now() - kept.at >= KEPT_AFTER_FAILURE_MS) this.#kept.delete(key);
  }
}

/** For all callers of this process, so that they share its answers. */
export const sshResolver = new SshResolver();

const keyOf = (host: string, options: SshOptions) =>
  [options.ssh ?? 'ssh', options.config ?? '', host].join('\0');

/** Runs ssh where it can ask nobody anything: no terminal, no askpass, the C locale for its words. */
export function runSsh(args: readonly string[], options: SshOptions): Promise<GroupResult> {
  return runGroup(options.ssh ?? 'ssh', [...configArguments(options), ...args], {
    timeoutMs: options.timeoutMs,
    signal: options.signal,
    onOutput: options.onOutput,
    env: quietEnvironment(),
  });
}

export const configArguments = ({ config = null }: SshOptions): string[] =>
  config === null ? [] : ['-F', config];

/** In which ssh can ask nobody, and speaks the language that its words are known in. */
export const quietEnvironment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  LC_ALL: 'C',
  SSH_ASKPASS: undefined,
  SSH_ASKPASS_REQUIRE: 'never',
});

/** Why ssh did not even start; null if it did. */
export function startFailure(result: GroupResult): string | null {
  if (result.startFailure === null) return null;
  if (result.startFailure === 'ENOENT') return 'no ssh binary in PATH; install openssh-client';
  return `ssh cannot be started: ${result.startFailure}; see that the host has processes, memory and files to spare`;
}

function resolveFailure(host: string, result: GroupResult): string {
  const failed = startFailure(result);
  if (failed !== null) return failed;
  const fix = `try: ssh -G ${printable(host, 60)}`;
  if (result.stopped === 'aborted') return 'aborted';
  if (result.stopped === 'deadline') return `ssh -G did not end in time, perhaps for a Match exec; ${fix}`;
  const said = printable(result.stderr.trim().split('\n').at(-1) ?? '', 200);
  return `ssh -G failed: ${said}; mend ~/.ssh/config, then ${fix}`;
}
