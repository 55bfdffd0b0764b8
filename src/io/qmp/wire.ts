import { connect, type IpcNetConnectOpts, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { QmpFault } from '../../core/model.js';
import { encodeCommand, QmpDecoder, type QmpEvent, type QmpMessage } from '../../core/qmp/codec.js';
import { connectFault } from '../../core/qmp/faults.js';
import { printable } from '../../core/printable.js';
import { Deadline, type Expired } from '../deadline.js';
import { QmpError } from './error.js';

interface Waiter {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
  deadline: Deadline;
  sent: string | null;
}

/** Takes the place of a command's id for the greeting, which answers none. */
const GREETING = 0;
/** A guest that resets itself in a loop could send them for ever. */
const MAX_EVENTS = 1000;

/** What is connected to, and how errors call it. */
interface QmpWire {
  address: string;
  options: IpcNetConnectOpts | TcpNetConnectOpts;
}

/** One connection to a QMP socket: matches replies to commands, keeps events, and fails everything at once. */
export class Wire {
  readonly events: QmpEvent[] = [];
  /** Rejects when the connection fails; never resolves. */
  readonly failed: Promise<never>;
  #socket: Socket;
  #socketPath: string;
  #decoder = new QmpDecoder();
  #waiting = new Map<number, Waiter>();
  #lastId = GREETING;
  #connected = false;
  #failure: Error | null = null;
  #reportFailure: (error: Error) => void = () => undefined;

  /** `extraMs`: what is added to a deadline at most for the time that this process was late. */
  constructor(
    to: QmpWire,
    private readonly extraMs: number,
  ) {
    this.#socketPath = to.address;
    this.failed = new Promise((_, reject) => (this.#reportFailure = reject));
    this.failed.catch(() => undefined);
    this.#socket = connect(to.options);
    this.#socket.on('connect', () => (this.#connected = true));
    this.#socket.on('data', (bytes) => this.#receive(bytes));
    this.#socket.on('error', (error) => this.fail(this.#socketError(error)));
    this.#socket.on('close', () => this.fail(this.#error('closed', 'the connection was closed')));
  }

  /** Of a TCP connection. */
  get ownPort(): number | undefined {
    return this.#socket.localPort;
  }

  get open(): boolean {
    return this.#failure === null;
  }

  /** Resolves with QEMU's version. */
  greeting(ms: number): Promise<unknown> {
    const expired = (late: Expired) => this.#error('no-greeting', `no greeting within ${ms} ms`, late);
    return this.#await(GREETING, ms, null, expired);
  }

  /** Sends a command and resolves with what it returns; `late` is the fault of a missing reply. */
  execute(
    execute: string,
    args: object | undefined,
    ms: number,
    late: QmpFault = 'timeout',
  ): Promise<unknown> {
    this.#lastId += 1;
    const sent = encodeCommand(execute, args, this.#lastId).trimEnd();
    const reply = this.#await(this.#lastId, ms, sent, (expired) =>
      this.#error(late, `no reply to ${execute} within ${ms} ms`, { sent, ...expired }),
    );
    if (this.#failure === null) this.#socket.write(`${sent}\n`);
    return reply;
  }

  /** Hangs up; all that still waits gets this error. */
  fail(error: Error): void {
    this.#socket.destroy();
    if (this.#failure !== null) return;
    this.#failure = error;
    this.#reportFailure(error);
    for (const { reject, deadline } of this.#waiting.values()) {
      deadline.end();
      reject(error);
    }
    this.#waiting.clear();
  }

  #await(id: number, ms: number, sent: string | null, error: (expired: Expired) => Error): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== null) {
        reject(this.#failure);
        return;
      }
      const deadline = new Deadline(
        ms,
        (expired) => {
          this.#waiting.delete(id);
          reject(error(expired));
        },
        { extraMs: this.extraMs },
      );
      this.#waiting.set(id, { resolve, reject, deadline, sent });
    });
  }

  #receive(bytes: Uint8Array): void {
    const { messages, problem } = this.#decoder.push(bytes);
    for (const message of messages) this.#take(message);
    if (problem !== null) this.fail(this.#error('protocol', `the peer sent ${problem}`));
  }

  #take(message: QmpMessage): void {
    switch (message.kind) {
      case 'event':
        if (this.events.length < MAX_EVENTS) this.events.push(message);
        return;
      case 'greeting': {
        this.#settle(GREETING, ({ resolve }) => resolve(message.version));
        return;
      }
      case 'reply': {
        this.#reply(message.id, ({ resolve }) => resolve(message.value));
        return;
      }
      case 'error': {
        this.#reply(message.id, ({ reject, sent }) => {
          const received = printable(`${message.errorClass}: ${message.description}`, 300);
          reject(this.#error('refused', 'QEMU answered', { sent: sent ?? '', received }));
        });
        return;
      }
    }
  }

  #reply(id: unknown, settle: (waiter: Waiter) => void): void {
    const sent = typeof id === 'number' && Number.isInteger(id) && id > GREETING && id <= this.#lastId;
    // One that is known and not waited for is late: its command has given up already.
    if (sent) this.#settle(id, settle);
    else {
      const received = printable(JSON.stringify(id ?? null), 60);
      this.fail(this.#error('protocol', 'a reply to a command that was never sent, id', { received }));
    }
  }

  #settle(id: number, settle: (waiter: Waiter) => void): void {
    const waiter = this.#waiting.get(id);
    if (waiter === undefined) return;
    this.#waiting.delete(id);
    waiter.deadline.end();
    settle(waiter);
  }

  #socketError(error: NodeJS.ErrnoException): QmpError {
    const { code = error.message } = error;
    if (this.#connected) return this.#error('closed', 'the connection broke', { received: code });
    return this.#error(connectFault(error.code), 'cannot connect', { received: code, cause: error });
  }

  #error(fault: QmpFault, what: string, more?: ConstructorParameters<typeof QmpError>[3]): QmpError {
    return new QmpError(fault, this.#socketPath, what, more);
  }
}
