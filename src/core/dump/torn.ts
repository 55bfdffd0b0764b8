import {
  isColumnHead,
  joinColumns,
  joinTorn,
  parseTaskHeader,
  taskTag,
  type TaskHeader,
  tornHeader,
} from './task-header.js';

/** Rows between the halves of a torn header. */
const TORN_WITHIN = 3;
const TRACE = /^(?:Call [Tt]race|Backtrace):/;

/** Keeps the first half of a task header that another writer's text has torn, until its second half comes. */
export class TornHeaders {
  /** Put together again. */
  mended = 0;
  /** Never completed. */
  lost = 0;

  private torn: { head: string; rows: number } | null = null;
  private columns: { head: string; rows: number } | null = null;

  /** Tries a line as the second half. */
  mend(text: string): TaskHeader | null {
    const header = this.torn && parseTaskHeader(text) === null ? joinTorn(this.torn.head, text) : null;
    const found = header ?? (this.columns && joinColumns(this.columns.head, text));
    if (!found) return null;
    this.mended += 1;
    if (header) this.torn = null;
    this.columns = null;
    return found;
  }

  /** A line that was no second half: after some of them, or where a stack begins, none is expected any more. */
  pass(text: string): TaskHeader | null {
    if (this.columns && (this.columns.rows += 1) > TORN_WITHIN) this.columns = null;
    if (!this.torn) return null;
    this.torn.rows += 1;
    return this.torn.rows > TORN_WITHIN || TRACE.test(text) || parseTaskHeader(text) ? this.giveUp() : null;
  }

  /** What the half still tells, if one was waiting. */
  giveUp(): TaskHeader | null {
    if (!this.torn) return null;
    const { head } = this.torn;
    this.torn = null;
    this.lost += 1;
    return tornHeader(head);
  }

  /** True if the line may be a first half, which is then kept. */
  keep(text: string): boolean {
    const at = taskTag(text);
    if (at === 0 || (at > 0 && /\s/.test(text.charAt(at - 1)))) {
      this.torn = { head: text.slice(at), rows: 0 };
      return true;
    }
    if (!isColumnHead(text)) return false;
    this.columns = { head: text, rows: 0 };
    return true;
  }
}
