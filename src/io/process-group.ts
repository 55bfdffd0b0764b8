/** A short-lived command in a process group of its own, which never outlives its deadline. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { Deadline } from './deadline.js';

export interface GroupOptions {
  /** Deadline in milliseconds; the group is asked to end then, and killed `graceMs` later. */
  timeoutMs: number;
  /** Default: 200. */
  graceMs?: number;
  signal?: AbortSignal | undefined;
  env?: NodeJS.ProcessEnv;
  cwd?: string | undefined;
  /** A file descriptor that it reads; stays open. Default: nothing. */
  stdin?: number;
  /** Bytes of each stream; what is beyond is read, so that the writer does not block, and dropped. Default: 64 KiB. */
  maxOutput?: number;
  /** Called with all that came so far, as it comes; `enough` kills the group at once. */
  onOutput?: ((output: { stdout: string; stderr: string }) => 'go on' | 'enough') | undefined;
}

export interface GroupResult {
  /** Null if it was killed, or never started. */
  exitCode: number | null;
  stdout: string;
  stderr: string;
  /** What stopped it early. */
  stopped: 'deadline' | 'aborted' | 'enough' | null;
  /** Errno of a failed start: ENOENT, EACCES, EMFILE … */
  startFailure: string | null;
  /** Its deadline passed while this process was late. */
  late?: true;
}

const GRACE_MS = 200;
const LATE_OUTPUT_MS = 200;
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
        stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
        env: options.env,
        cwd: options.cwd,
      });
      // Without a pid it has, for want of file descriptors, perhaps no streams either.
      if (child.pid === undefined) child.once('error', failed);
      else watch(child as Child, child.pid, options, resolve);
    } catch (error) {
      failed(error);
    }
  });
}

type Child = ChildProcessByStdio<Writable | null, Readable, Readable>;

function watch(
  child: Child,
  pid: number,
  options: GroupOptions,
  resolve: (result: GroupResult) => void,
): void {
  const { maxOutput = MAX_OUTPUT, graceMs = GRACE_MS } = options;
  const stdout = collect(child.stdout, maxOutput);
  const stderr = collect(child.stderr, maxOutput);
  const timers: NodeJS.Timeout[] = [];
  let stopped: GroupResult['stopped'] = null;
  let [exited, late] = [false, false];
  const finish = () => {
    timers.forEach(clearTimeout);
    deadline.end();
    options.signal?.removeEventListener('abort', onAbort);
    leave(child, pid);
    const exitCode = stopped === null ? child.exitCode : null;
    resolve({
      exitCode,
      stdout: stdout(),
      stderr: stderr(),
      stopped,
      startFailure: null,
      ...(late && { late }),
    });
  };
  const stop = (why: 'deadline' | 'aborted', isLate = false) => {
    if (exited || stopped !== null) return;
    [stopped, late] = [why, isLate];
    signalGroup(pid, 'SIGTERM');
    // Then it is killed and not waited for: in an uninterruptible wait a process survives even that.
    timers.push(setTimeout(finish, graceMs));
  };
  const onAbort = () => stop('aborted');
  const onData = () => {
    if (stopped !== null || options.onOutput?.({ stdout: stdout(), stderr: stderr() }) !== 'enough') return;
    stopped = 'enough';
    finish();
  };
  if (options.onOutput !== undefined)
    [child.stdout, child.stderr].forEach((stream) => stream.on('data', onData));
  const deadline = new Deadline(options.timeoutMs, (expired) => stop('deadline', expired.late));
  options.signal?.addEventListener('abort', onAbort, { once: true });
  child.once('exit', () => {
    exited = true;
    // The rest of its output, unless something else keeps the pipes open.
    timers.push(setTimeout(finish, LATE_OUTPUT_MS));
  });
  child.once('close', finish);
  child.on('error', () => undefined);
}

/** Whatever is left of the group holds nothing of ours. */
function leave(child: Child, pid: number): void {
  signalGroup(pid, 'SIGKILL');
  child.stdout.destroy();
  child.stderr.destroy();
}

function collect(stream: Readable, max: number): () => string {
  const parts: Buffer[] = [];
  let held = 0;
  stream.on('data', (data: Buffer) => {
    if (held < max) parts.push(data.subarray(0, max - held));
    held += data.length;
  });
  return () => Buffer.concat(parts).toString('utf8');
}

/** Signals what is left of a process group; one that is gone is no error. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone already.
  }
}
