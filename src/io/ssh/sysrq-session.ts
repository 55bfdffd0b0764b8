import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { SysrqKey } from '../../core/model.js';
import { printable } from '../../core/printable.js';
import { NOT_TRIGGERED, TRIGGER_COMMAND, TRIGGERED, triggerLine } from '../../core/ssh/sysrq-trigger.js';
import { Deadline, type Expired } from '../deadline.js';
import { signalGroup } from '../process-group.js';
import { loginArguments } from './probe.js';
import { configArguments, quietEnvironment, type SshOptions } from './resolve.js';

/** An unused session ends after this; the next key opens another. */
const IDLE_MS = 20_000;
const SAID_MAX = 4_096;

interface Asked {
  answer: (problem: string | null) => void;
  deadline: Deadline;
}

/**
 * SysRq keys over SSH, all in one login: a second login may fail in a guest that is half dead. Concurrent keys run one
 * after the other, so that a fence stays behind its dump.
 */
export class SysrqSession {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #signal: AbortSignal | undefined;
  readonly #asked: Asked[] = [];
  #idle: NodeJS.Timeout | null = null;
  #said = '';
  #heard = '';
  #ended: string | null = null;

  /** Logs in. `timeoutMs` is the login's. */
  constructor(host: string, options: SshOptions) {
    const login = loginArguments(host, options.timeoutMs, { input: true });
    this.#child = spawn(options.ssh ?? 'ssh', [...configArguments(options), ...login, TRIGGER_COMMAND], {
      detached: true,
      env: quietEnvironment(),
    });
    this.#signal = options.signal;
    this.#signal?.addEventListener('abort', this.#onAbort, { once: true });
    this.#child.on('error', (error) => this.#end(`cannot start ssh: ${error.message}`));
    this.#child.on('exit', (code) => this.#end(this.#exited(code)));
    this.#child.stdin.on('error', () => undefined);
    this.#child.stderr.on('data', (data: Buffer) => {
      this.#said = (this.#said + data.toString()).slice(-SAID_MAX);
    });
    this.#child.stdout.on('error', () => undefined);
    this.#child.stdout.on('data', (data: Buffer) => {
      const lines = (this.#heard + data.toString()).split('\n');
      this.#heard = lines.pop()?.slice(-SAID_MAX) ?? '';
      lines.forEach((line) => this.#onLine(line));
    });
  }

  get ended(): boolean {
    return this.#ended !== null;
  }

  /**
   * Asks for a key. Resolves when its handler is done, with why it is not, or null. Never throws. At the deadline, in
   * milliseconds, the session is over.
   */
  press(key: SysrqKey, timeoutMs: number): Promise<string | null> {
    if (this.#ended !== null) return Promise.resolve(this.#ended);
    if (this.#idle !== null) clearTimeout(this.#idle);
    return new Promise((answer) => {
      const expired = ({ late }: Expired) => {
        const because = late ? ', on a host that was late itself' : '';
        this.#end(`no command ran over SSH within ${timeoutMs} ms${because}`);
      };
      this.#asked.push({ answer, deadline: new Deadline(timeoutMs, expired) });
      this.#child.stdin.write(triggerLine(key));
    });
  }

  readonly #onAbort = (): void => this.#end('the guest was stopped');

  #onLine(line: string): void {
    if (line !== TRIGGERED && line !== NOT_TRIGGERED) return;
    const asked = this.#asked.shift();
    if (asked === undefined) return;
    asked.deadline.end();
    asked.answer(line === TRIGGERED ? null : this.#refused());
    if (this.#asked.length === 0) this.#idle = setTimeout(() => this.#end('idle'), IDLE_MS);
  }

  #exited(code: number | null): string {
    if (code !== 255) return this.#refused();
    return `SSH failed: ${this.#lastWords()}`;
  }

  #refused(): string {
    return `/proc/sysrq-trigger was not written: ${this.#lastWords()}; log in as root, or allow sudo without a password`;
  }

  #lastWords(): string {
    return printable(this.#said.trim().split('\n').at(-1) ?? '', 160);
  }

  #end(why: string): void {
    if (this.#ended !== null) return;
    this.#ended = why;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    for (const { answer, deadline } of this.#asked.splice(0)) {
      deadline.end();
      answer(why);
    }
    if (this.#child.pid !== undefined) signalGroup(this.#child.pid, 'SIGKILL');
    this.#child.stdin.destroy();
    this.#child.stdout.destroy();
    this.#child.stderr.destroy();
  }
}
