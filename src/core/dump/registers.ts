/**
 * What the registers of a sleeping program say of its futex, on x86-64: __show_regs() prints them behind the stack,
 * futex is syscall 202, and its first three arguments are in RDI, RSI and RDX.
 */
import type { Task } from '../model.js';

const IN_FUTEX = / ORIG_RAX: 0{14}ca$/;
const ARGUMENTS = /^RDX: ([0-9a-f]{16}) RSI: ([0-9a-f]{16}) RDI: ([0-9a-f]{16})$/;

/** Reads the lines of one task after the other. */
export class FutexRegisters {
  private inFutex: Task | null = null;

  /** True if the line is one of the registers that matter; then the task tells of its futex. */
  push(task: Task | null, text: string): boolean {
    if (task === null || !text.startsWith('R')) return false;
    if (text.startsWith('RSP: ')) {
      this.inFutex = IN_FUTEX.test(text) ? task : null;
      return this.inFutex !== null;
    }
    const [, value, operation, address] = this.inFutex === task ? (ARGUMENTS.exec(text) ?? []) : [];
    if (value === undefined || operation === undefined || address === undefined) return false;
    task.futex = {
      address: `0x${address.replace(/^0+(?=.)/, '')}`,
      operation: Number.parseInt(operation, 16),
      value: Number.parseInt(value, 16),
    };
    this.inFutex = null;
    return true;
  }
}
