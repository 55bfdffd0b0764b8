import { spawn, type ChildProcess } from 'node:child_process';

interface CallOptions {
  /** Deadline of the call, in milliseconds. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  cwd?: string;
  env?: Record<string, string>;
}

const outputLimit = 10_000_000;
const outputTail = 4_000;
const graceMs = 5_000;
const lateOutputMs = 300;

/** A program that could not be run, failed, or did not end in time. */
export class CallError extends Error {
  constructor(
    command: string,
    reason: string,
    output: string,
    /** Null where the program did not run, or was killed. */
    readonly exitCode: number | null,
  ) {
    super(`${command}: ${reason}${output === '' ? '' : `\n${output}`}`);
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

interface Ended {
  exitCode: number | null;
  /** Why there is no exit code. */
  cause: string;
}

/**
 * Resolves when the program itself has ended and its output has come; a daemon that it started may keep the
 * pipes open for ever, as apt's packages do where no systemd starts theirs.
 */
function ending(child: ChildProcess): Promise<Ended> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: null, cause: error.message }));
    child.once('exit', (exitCode, signal) => {
      const finish = () => {
        child.stdout?.destroy();
        child.stderr?.destroy();
        resolve({ exitCode, cause: `ended by ${signal ?? 'itself'}` });
      };
      child.once('close', finish);
      setTimeout(finish, lateOutputMs).unref();
    });
  });
}

/** Asks the process group to end, and kills it if it does not. Returns what calls that off. */
function endGroup(pid: number): () => void {
  signalGroup(pid, 'SIGTERM');
  const hardKill = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs);
  return () => clearTimeout(hardKill);
}

/**
 * Runs a program to its end and returns its standard output without the last newline. At the deadline, or when
 * aborted, its process group is asked to end and then killed.
 * @throws CallError with what the program printed, and the reason of the signal when aborted
 */
export async function call(file: string, args: readonly string[], options: CallOptions): Promise<string> {
  options.signal?.throwIfAborted();
  const child = spawn(file, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C', ...options.env },
    cwd: options.cwd,
  });
  let stdout = '';
  let tail = '';
  const keep = (chunk: string) => (tail = (tail + chunk).slice(-outputTail));
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout = (stdout + chunk).slice(0, outputLimit);
    keep(chunk);
  });
  child.stderr.setEncoding('utf8').on('data', keep);
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const early = AbortSignal.any([deadline, ...(options.signal ? [options.signal] : [])]);
  let callOff = () => {};
  const onEarly = () => {
    if (child.pid !== undefined) callOff = endGroup(child.pid);
  };
  early.addEventListener('abort', onEarly, { once: true });
  const { exitCode, cause } = await ending(child);
  early.removeEventListener('abort', onEarly);
  callOff();
  options.signal?.throwIfAborted();
  if (exitCode === 0 && !deadline.aborted) return stdout.replace(/\n$/, '');
  let reason = exitCode === null ? cause : `exit code ${exitCode}`;
  if (deadline.aborted) reason = `did not end within ${options.timeoutMs / 1000} s`;
  throw new CallError([file, ...args].join(' '), reason, tail, exitCode);
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
