/**
 * A command that somebody waits for, with the streams of this process. It leads a session of its own: shells and
 * timeout(1) put what they start into process groups of their own, but all stay in the session.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs } from './clock.js';
import { sessionMembers } from './proc.js';
import { signalGroup } from './process-group.js';

/** How often the session is looked at while it ends. */
const POLL_MS = 100;
/** What is killed and does not go by then hangs in the kernel. */
const KILLED_MS = 2_000;
/** As shells say it. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** How the end of a job went. */
export interface JobEnd {
  /** The last signal that it took; null where nothing of it was left. */
  by: 'SIGTERM' | 'SIGKILL' | null;
  /** What is still there: it waits in the kernel and cannot be killed. */
  left: number[];
}

/** The command could not be started. */
export class NotStarted extends Error {
  override readonly name = 'NotStarted';
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}

export class Job {
  /** Its exit code once it has ended: as shells have it, 128 + n for the signal n. */
  readonly ended: Promise<number>;

  private constructor(
    private readonly child: ChildProcess,
    private readonly pid: number,
  ) {
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) =>
        resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
      );
    });
  }

  /** @throws NotStarted with the exit code that a shell would end with */
  static async start(file: string, args: readonly string[]): Promise<Job> {
    const child = spawn(file, args, { detached: true, stdio: 'inherit' });
    const failed = once(child, 'error') as Promise<[NodeJS.ErrnoException]>;
    if (child.pid !== undefined) {
      failed.catch(() => undefined);
      return new Job(child, child.pid);
    }
    const [{ code, message }] = await failed;
    throw new NotStarted(
      code === 'ENOENT' ? 'there is no such command' : message,
      code === 'ENOENT' ? NOT_FOUND : NOT_EXECUTABLE,
    );
  }

  /** Passes a signal on to its process group, as a terminal does. */
  signal(name: NodeJS.Signals): void {
    signalGroup(this.pid, name);
  }

  /** Ends all of its session: SIGTERM, and SIGKILL for what is there after `graceMs`. */
  async end(graceMs: number): Promise<JobEnd> {
    if (!(await this.gone(0))) {
      await this.tell('SIGTERM');
      if (await this.gone(graceMs)) return { by: 'SIGTERM', left: [] };
      await this.tell('SIGKILL');
      await this.gone(KILLED_MS);
      return { by: 'SIGKILL', left: await sessionMembers(this.pid) };
    }
    return { by: null, left: [] };
  }

  private async tell(name: NodeJS.Signals): Promise<void> {
    this.signal(name);
    const stopped = name === 'SIGTERM';
    for (const pid of await sessionMembers(this.pid)) {
      try {
        process.kill(pid, name);
        // What is stopped takes no SIGTERM.
        if (stopped) process.kill(pid, 'SIGCONT');
      } catch {
        // Gone already.
      }
    }
  }

  /** Whether nothing of it is there any more, at the latest after this time. */
  private async gone(withinMs: number): Promise<boolean> {
    const end = monotonicMs() + withinMs;
    for (;;) {
      // One that has ended is there until its parent has asked.
      if ((await sessionMembers(this.pid)).length === 0) return true;
      if (monotonicMs() >= end) return false;
      await delay(POLL_MS);
    }
  }
}
