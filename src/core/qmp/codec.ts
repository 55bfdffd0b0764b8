/** QMP on the wire (QEMU docs/interop/qmp-spec): one JSON object a line, each way. */
import { printable } from '../printable.js';

export type QmpMessage =
  | { kind: 'greeting'; version: string }
  | { kind: 'reply'; id: unknown; value: unknown }
  | { kind: 'error'; id: unknown; errorClass: string; description: string }
  | QmpEvent;

export interface QmpEvent {
  kind: 'event';
  name: string;
  data: unknown;
}

/** The longest message that is read. QEMU's own largest, query-qmp-schema, has 200 KB. */
export const MAX_MESSAGE_BYTES = 1 << 20;

/** All that is read of one connection: a session of ours takes some kilobytes, a peer that sends for ever is none. */
const MAX_SESSION_BYTES = 2 << 20;

/** QEMU's own parser takes nothing deeper (MAX_NESTING, qobject/json-streamer.c); JSON.parse does, and JSON.stringify throws. */
const MAX_NESTING = 1024;

const NEWLINE = 0x0a;

/**
 * Cuts the bytes of one connection into messages. It holds at most one message of MAX_MESSAGE_BYTES; `problem`
 * says why the peer does not speak QMP, and nothing after it is read.
 */
export class QmpDecoder {
  #parts: Uint8Array[] = [];
  #held = 0;
  #received = 0;
  #problem: string | null = null;

  push(chunk: Uint8Array): { messages: QmpMessage[]; problem: string | null } {
    const messages: QmpMessage[] = [];
    let from = 0;
    this.#received += chunk.length;
    if (this.#received > MAX_SESSION_BYTES)
      this.#problem ??= `more than ${MAX_SESSION_BYTES} bytes in one session`;
    while (this.#problem === null) {
      const end = chunk.indexOf(NEWLINE, from);
      const fits = this.#hold(chunk.subarray(from, end === -1 ? chunk.length : end));
      if (!fits || end === -1) break;
      from = end + 1;
      const line = this.#take();
      if (line.trim() !== '') this.#read(line, messages);
    }
    return { messages, problem: this.#problem };
  }

  #hold(part: Uint8Array): boolean {
    this.#held += part.length;
    if (this.#held > MAX_MESSAGE_BYTES) {
      this.#problem = `a message longer than ${MAX_MESSAGE_BYTES} bytes`;
      this.#parts = [];
      return false;
    }
    if (part.length > 0) this.#parts.push(part);
    return true;
  }

  #take(): string {
    const decoder = new TextDecoder();
    const text =
      this.#parts.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode();
    this.#parts = [];
    this.#held = 0;
    return text;
  }

  #read(line: string, messages: QmpMessage[]): void {
    const message = classify(line);
    if (message === null) this.#problem = `a line that is no QMP message: ${printable(line, 120)}`;
    else messages.push(message);
  }
}

type Json = Record<string, unknown>;

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function classify(line: string): QmpMessage | null {
  let json: unknown;
  if (isNestedDeeply(line)) return null;
  try {
    json = JSON.parse(line);
  } catch {
    return null;
  }
  if (!isObject(json)) return null;
  if (isObject(json['QMP'])) return { kind: 'greeting', version: versionOf(json['QMP']) };
  if ('return' in json) return { kind: 'reply', id: json['id'], value: json['return'] };
  if (isObject(json['error'])) {
    const { class: errorClass, desc } = json['error'];
    return {
      kind: 'error',
      id: json['id'],
      errorClass: typeof errorClass === 'string' ? errorClass : 'GenericError',
      description: typeof desc === 'string' ? desc : '',
    };
  }
  if (typeof json['event'] === 'string') return { kind: 'event', name: json['event'], data: json['data'] };
  return null;
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];

function isNestedDeeply(line: string): boolean {
  let [depth, quoted] = [0, false];
  for (let at = 0; at < line.length; at += 1) {
    const code = line.charCodeAt(at);
    if (code === QUOTE) quoted = !quoted;
    else if (quoted) at += Number(code === BACKSLASH);
    // `[` and `{`, `]` and `}`, but for the bit in which they differ.
    else if ((code & ~0x20) === 0x5b) depth += 1;
    else if ((code & ~0x20) === 0x5d) depth -= 1;
    if (depth > MAX_NESTING) return true;
  }
  return false;
}

function versionOf(greeting: Json): string {
  const { version } = greeting;
  if (!isObject(version) || !isObject(version['qemu'])) return 'unknown';
  const { major, minor, micro } = version['qemu'];
  return [major, minor, micro].map((part) => (typeof part === 'number' ? part : '?')).join('.');
}

/** One command, ready to be written. */
export function encodeCommand(execute: string, args: object | undefined, id: number): string {
  return `${JSON.stringify({ execute, ...(args === undefined ? {} : { arguments: args }), id })}\n`;
}
