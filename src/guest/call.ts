import { runGroup, type GroupResult } from '../io/process-group.js';

interface CallOptions {
  /** Deadline of the call, in milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  cwd?: string | undefined;
  env?: Record<string, string>;
}

const outputLimit = 10_000_000;
const outputTail = 4_000;
/** apt and dpkg end their work first. */
const graceMs = 5_000;

/** A program that could not be run, failed, or did not end in time. */
export class CallError extends Error {
  constructor(
    command: string,
    reason: string,
    output: string,
    /** Null if the program did not run, or was killed. */
    readonly exitCode: number | null,
  ) {
    super(`${command}: ${reason}${output === '' ? '' : `\n${output}`}`);
    this.name = 'CallError';
  }
}

function reasonOf({ startFailure, stopped, exitCode }: GroupResult, timeoutMs: number): string {
  if (startFailure !== null) return `does not start: ${startFailure}`;
  if (stopped !== null) return `did not end within ${timeoutMs / 1000} s`;
  return exitCode === null ? 'was killed' : `exit code ${exitCode}`;
}

/**
 * Runs a program to its end and returns its standard output without the last newline. At the deadline, or when
 * aborted, its process group is asked to end and then killed.
 * @throws CallError with what the program printed, and the reason of the signal when aborted
 */
export async function call(file: string, args: readonly string[], options: CallOptions): Promise<string> {
  const { timeoutMs, signal, cwd } = options;
  signal?.throwIfAborted();
  const env = { ...process.env, LC_ALL: 'C', ...options.env };
  const result = await runGroup(file, args, { timeoutMs, graceMs, signal, cwd, env, maxOutput: outputLimit });
  signal?.throwIfAborted();
  const { exitCode, stdout, stderr } = result;
  if (exitCode === 0) return stdout.replace(/\n$/, '');
  const output = (stdout + stderr).slice(-outputTail);
  throw new CallError([file, ...args].join(' '), reasonOf(result, timeoutMs), output, exitCode);
}

/** Whether a program runs and succeeds within ten seconds. */
export async function succeeds(
  file: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<boolean> {
  return call(file, args, { timeoutMs: 10_000, signal }).then(
    () => true,
    () => false,
  );
}
