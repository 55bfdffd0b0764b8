/** A short-lived command in a process group of its own, which never outlives its deadline. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';

interface GroupOptions {
  /** Deadline in milliseconds; the group is asked to end then, and killed GRACE_MS later. */
  timeoutMs: number;
  signal?: AbortSignal | undefined;
  env?: NodeJS.ProcessEnv;
}

export interface GroupResult {
  /** Null where it was killed, or never started. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  /** What stopped it early. */
  stopped: 'deadline' | 'aborted' | null;
  /** Errno of a failed start: ENOENT, EACCES, EMFILE … */
  startFailure: string | null;
}

const GRACE_MS = 200;
/** Output beyond this is read, so that the writer does not block, and dropped. */
const MAX_OUTPUT = 64 * 1024;

/**
 * Runs a command to its end. Never throws and never waits much beyond the deadline: children of children (an ssh
 * ProxyCommand) hold the pipes open when their parent is gone, so the end of the command counts, not that of its
 * output, and whatever is left of the group is killed.
 */
export function runGroup(file: string, args: readonly string[], options: GroupOptions): Promise<GroupResult> {
  const nothing = { exitCode: null, stdout: '', stderr: '', stopped: null, startFailure: null };
  if (options.signal?.aborted) return Promise.resolve({ ...nothing, stopped: 'aborted' });
  return new Promise((resolve) => {
    const failed = (error: unknown) => {
      const { code, message } = error as NodeJS.ErrnoException;
      resolve({ ...nothing, startFailure: code ?? message });
    };
    try {
      const child = spawn(file, args, {
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: options.env,
      });
      // Without a pid it has, for want of file descriptors, perhaps no streams either.
      if (child.pid === undefined) child.once('error', failed);
      else watch(child, child.pid, options, resolve);
    } catch (error) {
      failed(error);
    }
  });
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

function watch(
  child: Child,
  pid: number,
  options: GroupOptions,
  resolve: (result: GroupResult) => void,
): void {
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const timers: NodeJS.Timeout[] = [];
  let stopped: GroupResult['stopped'] = null;
  let exited = false;
  const finish = () => {
    timers.forEach(clearTimeout);
    options.signal?.removeEventListener('abort', onAbort);
    signalGroup(pid, 'SIGKILL');
    child.stdout.destroy();
    child.stderr.destroy();
    const exitCode = stopped === null ? child.exitCode : null;
    resolve({ exitCode, stdout: stdout(), stderr: stderr(), stopped, startFailure: null });
  };
  const stop = (why: 'deadline' | 'aborted') => {
    if (exited || stopped !== null) return;
    stopped = why;
    signalGroup(pid, 'SIGTERM');
    // Then it is killed and not waited for: in an uninterruptible wait a process survives even that.
    timers.push(setTimeout(finish, GRACE_MS));
  };
  const onAbort = () => stop('aborted');
  timers.push(setTimeout(() => stop('deadline'), options.timeoutMs));
  options.signal?.addEventListener('abort', onAbort, { once: true });
  child.once('exit', () => {
    exited = true;
    // The rest of its output, unless something else keeps the pipes open.
    timers.push(setTimeout(finish, GRACE_MS));
  });
  child.once('close', finish);
  child.on('error', () => undefined);
}

function collect(stream: Readable): () => string {
  const parts: Buffer[] = [];
  let held = 0;
  stream.on('data', (data: Buffer) => {
    if (held < MAX_OUTPUT) parts.push(data.subarray(0, MAX_OUTPUT - held));
    held += data.length;
  });
  return () => Buffer.concat(parts).toString('utf8');
}

/** Signals what is left of a process group. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}
