import type { QmpFault } from '../../core/model.js';
import { QMP_ADVICE } from '../../core/qmp/faults.js';

/** Instead of advice on QEMU. */
const LATE = 'this host was late itself, and the answer may have come: nobody is to blame';

/** Why a conversation with QEMU failed: the message says what happened, where, and what to do. */
export class QmpError extends Error {
  readonly fault: QmpFault;
  readonly socketPath: string;
  /** The command that was under way. */
  readonly sent?: string;
  /** QEMU's own words. */
  readonly received?: string;
  /** A deadline passed while this process was late: it says nothing about QEMU. */
  readonly late: boolean;

  constructor(
    fault: QmpFault,
    socketPath: string,
    what: string,
    more: { sent?: string; received?: string; late?: boolean; cause?: unknown } = {},
  ) {
    const words = more.received === undefined ? '' : `: ${more.received}`;
    const advice = more.late === true ? LATE : QMP_ADVICE[fault];
    super(`${socketPath}: ${what}${words}. ${advice}`, { cause: more.cause });
    this.name = 'QmpError';
    this.fault = fault;
    this.socketPath = socketPath;
    this.late = more.late === true;
    if (more.sent !== undefined) this.sent = more.sent;
    if (more.received !== undefined) this.received = more.received;
  }
}
