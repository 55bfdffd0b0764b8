import {
  COMMAND,
  commandOutcome,
  type SshCommand,
  type SshStep,
  stepOf,
} from '../../core/ssh/command-probe.js';
import { loginArguments } from './probe.js';
import { noLogin, runSsh, startFailure, type SshOptions } from './resolve.js';

/** ssh gives up a dead connection within this, so that it does not count as a command that hangs. */
const KEEPALIVE = ['-o', 'ServerAliveInterval=5', '-o', 'ServerAliveCountMax=3'];

/**
 * Logs in and runs a command that forks and reads from a disk. Never throws, never prompts; it is killed at the
 * deadline. `onStep` gets each step that it reaches.
 */
export async function runCommand(
  host: string,
  options: SshOptions & { connectMs: number },
  onStep: (step: SshStep) => void,
): Promise<SshCommand> {
  const started = performance.now();
  const refused = await noLogin(host, options);
  if (refused !== null) return { kind: 'no-login', step: 'login', detail: refused, tookMs: 0 };
  let at: SshStep = 'connect';
  const args = [...KEEPALIVE, ...loginArguments(host, options.connectMs), COMMAND];
  const result = await runSsh(['-o', 'LogLevel=DEBUG1', ...args], {
    ...options,
    onOutput: ({ stderr }) => {
      const step = stepOf(stderr);
      if (step !== at) onStep((at = step));
      return 'go on';
    },
  });
  const tookMs = Math.round(performance.now() - started);
  const failed = startFailure(result);
  if (failed !== null) return { kind: 'host-fault', step: 'connect', detail: failed, tookMs };
  if (result.stopped === 'deadline')
    return {
      kind: 'timed-out',
      step: at,
      detail: `not finished within ${options.timeoutMs} ms`,
      tookMs,
      ...(result.late === true && { late: true }),
    };
  if (result.stopped !== null || result.exitCode === null)
    return { kind: 'host-fault', step: at, detail: 'ssh was killed', tookMs };
  return { ...commandOutcome(result.exitCode, result.stdout, result.stderr), tookMs };
}
