/** A conversation with QEMU, whichever way it is reached. */
import type { QmpEvent } from '../../core/qmp/codec.js';

export interface QmpOptions {
  /** Deadline in milliseconds of the greeting and of each command. */
  timeoutMs: number;
  /** How long the socket may be held from the greeting on, in milliseconds; default: HOLD_MS of with-qmp.ts. */
  holdMs?: number;
  signal?: AbortSignal | undefined;
}

/** A QEMU that has greeted and takes commands. */
export interface QmpSession {
  /** What happened meanwhile, oldest first; the first thousand. */
  readonly events: readonly QmpEvent[];
  /** Resolves with what the command returns. @throws QmpError */
  execute(command: string, args?: object): Promise<unknown>;
  /** Milliseconds that are left of the time that the socket may be held. */
  left(): number;
}
