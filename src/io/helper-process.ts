/** Work on what a guest printed, in a process of its own: if that costs the heap or never ends, only the work is lost. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { getPriority, setPriority } from 'node:os';

interface Limits {
  /** Of its JavaScript heap. */
  heapMb: number;
}

/** The watch goes first: it must not be late because dumps are read. */
const NICE = 5;

/** The message says in one phrase how the process ended. */
export class HelperFailed extends Error {
  override readonly name = 'HelperFailed';

  /** `late`: it was killed at its deadline, which a busy host alone can make it miss. */
  constructor(
    message: string,
    readonly late = false,
  ) {
    super(message);
  }
}

/** Started with the first question, or before; one question at a time. After a failure the next question starts it anew. */
export class HelperProcess {
  private child: ChildProcess | null = null;

  /** `entry`: path of the module that calls `serve`. */
  constructor(
    private readonly entry: string,
    private readonly limits: Limits,
  ) {}

  get running(): boolean {
    return this.child !== null;
  }

  start(): ChildProcess {
    if (this.child !== null) return this.child;
    const child = fork(this.entry, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // Two megabytes for what is young, and large buffers given back when they are freed: half of what it has otherwise.
      execArgv: [`--max-old-space-size=${this.limits.heapMb}`, '--max-semi-space-size=2'],
      env: { ...process.env, MALLOC_MMAP_THRESHOLD_: '131072' },
    });
    // What it dies of is told by its exit; without this handler a pipe that breaks would end the daemon.
    child.on('error', () => undefined);
    child.once('exit', () => {
      if (this.child === child) this.child = null;
    });
    this.child = child;
    return child;
  }

  /** Rejects with HelperFailed if it dies, or gives no answer in time; it is gone then. */
  async ask(question: unknown, deadlineMs: number, signal?: AbortSignal): Promise<unknown> {
    const child = this.start();
    const over = new AbortController();
    const timeout = setTimeout(() => over.abort(), deadlineMs);
    const end = signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]);
    try {
      const answer = once(child, 'message', { signal: end });
      const death = once(child, 'exit', { signal: end }).then((end) => {
        throw new HelperFailed(endOf(end as [number | null, NodeJS.Signals | null], this.limits));
      });
      // Whichever comes second is of no interest.
      answer.catch(() => undefined);
      death.catch(() => undefined);
      child.send({ question }, () => undefined);
      return await Promise.race([answer.then(([message]: unknown[]) => unwrapped(message)), death]);
    } catch (error) {
      this.close();
      if (over.signal.aborted && signal?.aborted !== true)
        throw new HelperFailed(`it took more than ${Math.round(deadlineMs / 1000)} s`, true);
      throw error;
    } finally {
      clearTimeout(timeout);
      over.abort();
    }
  }

  /** Kills it, whatever it does. */
  close(): void {
    const { child } = this;
    this.child = null;
    child?.kill('SIGKILL');
  }
}

/** V8 aborts when its heap is full. */
function endOf([code, killed]: [number | null, NodeJS.Signals | null], { heapMb }: Limits): string {
  if (killed === 'SIGABRT' || code === 134) return `it needed more than ${heapMb} MB`;
  return killed === null ? `its process exited with ${code ?? '?'}` : `its process was killed by ${killed}`;
}

function unwrapped(message: unknown): unknown {
  const { answer, fault } = message as { answer?: unknown; fault?: string };
  if (fault !== undefined) throw new HelperFailed(fault);
  return answer;
}

/** The other side: answers each question; what that throws becomes the asker's HelperFailed. */
export function serve(answer: (question: unknown) => unknown): void {
  // Whoever was started nicer may not become less so.
  setPriority(Math.max(NICE, getPriority()));
  // A terminal's Ctrl-C goes to the whole group; the asker decides when this ends.
  process.on('SIGINT', () => undefined);
  process.on('message', (message: { question: unknown }) => {
    void Promise.resolve()
      .then(() => answer(message.question))
      .then(
        (given) => ({ answer: given }),
        (error: unknown) => ({ fault: error instanceof Error ? error.message : String(error) }),
      )
      .then((reply) => process.send?.(reply));
  });
}
