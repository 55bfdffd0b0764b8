import type { QmpFault } from '../../core/model.js';
import { QMP_ADVICE } from '../../core/qmp/faults.js';

/** Why a conversation with QEMU failed: the message says what happened, where, and what to do. */
export class QmpError extends Error {
  readonly fault: QmpFault;
  readonly socketPath: string;
  /** The command that was under way. */
  readonly sent?: string;
  /** QEMU's own words. */
  readonly received?: string;

  constructor(
    fault: QmpFault,
    socketPath: string,
    what: string,
    more: { sent?: string; received?: string; cause?: unknown } = {},
  ) {
    const words = more.received === undefined ? '' : `: ${more.received}`;
    super(`${socketPath}: ${what}${words}. ${QMP_ADVICE[fault]}`, { cause: more.cause });
    this.name = 'QmpError';
    this.fault = fault;
    this.socketPath = socketPath;
    if (more.sent !== undefined) this.sent = more.sent;
    if (more.received !== undefined) this.received = more.received;
  }
}
