import { execa } from 'execa';

export interface CallOptions {
  /** Deadline of the call, in milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  cwd?: string;
  env?: Record<string, string>;
}

const outputLimit = 10_000_000;
const outputTail = 4_000;
const graceMs = 5_000;

/** A program that could not be run, failed, or did not end in time. */
export class CallError extends Error {
  constructor(
    command: string,
    reason: string,
    output: string,
    /** Null where the program did not run, or was killed. */
    readonly exitCode: number | null,
  ) {
    super(`${command}: ${reason}${output === '' ? '' : `\n${output.slice(-outputTail)}`}`);
    this.name = 'CallError';
  }
}

/** Signals a whole process group; one that is gone already is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/**
 * Runs a program to its end and returns its standard output without the last newline. At the deadline, or when aborted, its process
 * group is asked to end and then killed.
 * @throws CallError with what the program printed, and the reason of the signal when aborted
 */
export async function call(file: string, args: readonly string[], options: CallOptions): Promise<string> {
  options.signal?.throwIfAborted();
  const child = execa(file, args, {
    detached: true,
    stdin: 'ignore',
    all: true,
    reject: false,
    maxBuffer: outputLimit,
    env: { LC_ALL: 'C', ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const ended = AbortSignal.any([deadline, ...(options.signal ? [options.signal] : [])]);
  let hardKill: NodeJS.Timeout | undefined;
  const kill = () => {
    const { pid } = child;
    if (pid === undefined) return;
    signalGroup(pid, 'SIGTERM');
    hardKill = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs);
  };
  ended.addEventListener('abort', kill, { once: true });
  const result = await child;
  ended.removeEventListener('abort', kill);
  clearTimeout(hardKill);
  options.signal?.throwIfAborted();
  if (!result.failed) return result.stdout;
  const exitCode = result.exitCode ?? null;
  let reason = exitCode === null ? (result.originalMessage ?? 'killed') : `exit code ${exitCode}`;
  if (deadline.aborted) reason = `did not end within ${options.timeoutMs / 1000} s`;
  throw new CallError([file, ...args].join(' '), reason, result.all, exitCode);
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
