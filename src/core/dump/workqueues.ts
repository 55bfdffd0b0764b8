/**
 * `Showing busy workqueues and worker pools`, kernel/workqueue.c: show_pwq(), show_one_worker_pool(). Lists are joined
 * by commas; `BAR(12)` behind an item is a barrier: task 12 waits for that item to end. Repeats are `3*FUNC` since 6.2.
 */
import type { Dump, WorkItem } from '../model.js';

type Row = Dump['workqueues'][number];

const MAX_LINES = 20_000;
const HEAD = /^(workqueue|pool) (.{1,100}?): ?(.*)$/;
const PWQ = /^pwq (\d{1,10}):/;
const LIST = /^(in-flight|pending|inactive|delayed): ?(.*)$/;
/** `12(RESCUER):` before what a worker runs, `bh:` without one; behind it, what is queued for it. */
const ITEM =
  /\bBAR\((\d{1,10})\)|(?:(?:\b(\d{1,10})|\bbh(?:-hi)?)(?:\(RESCUER\))?:)?(?:\b\d{1,10}\*)?\b([A-Za-z_][\w.$]*)(?: \[[\w-]+\])?(?: for (\d{1,10})s)?/g;

/** Collects `workqueue NAME: flags=…` with its lines, and each `pool N:` as an entry of its own. */
export class WorkqueueTable {
  readonly rows: Row[] = [];
  private lines = 0;
  private pool: number | null = null;

  /** True if the line belongs to the table. */
  push(text: string): boolean {
    if (text === '') return true;
    const [, kind, name, rest = ''] = HEAD.exec(text) ?? [];
    const row = this.rows.at(-1);
    const isHead = kind !== undefined && name !== undefined;
    if (!isHead && !(row && (PWQ.test(text) || LIST.test(text)))) return false;
    this.lines += 1;
    if (this.lines > MAX_LINES) return true;
    if (isHead) this.rows.push(kind === 'pool' ? poolRow(name, rest) : { name, lines: lineOf(rest) });
    else if (row) this.detail(row, text);
    return true;
  }

  private detail(row: Row, text: string): void {
    row.lines.push(text);
    const pwq = PWQ.exec(text)?.[1];
    if (pwq !== undefined) this.pool = Number(pwq);
    const [, state, list] = LIST.exec(text) ?? [];
    if (state !== undefined && list !== undefined)
      (row.items ??= []).push(...parseItems(state, list, this.pool));
  }
}

const lineOf = (rest: string): string[] => (rest === '' ? [] : [rest]);

function poolRow(name: string, rest: string): Row {
  const hung = /\bhung=(\d{1,10})s/.exec(rest)?.[1];
  return {
    name: `pool ${name}`,
    lines: lineOf(rest),
    ...(hung === undefined ? {} : { hungSeconds: Number(hung) }),
  };
}

function parseItems(list: string, text: string, pool: number | null): WorkItem[] {
  const items: WorkItem[] = [];
  const waits = list === 'in-flight' || list === 'pending' ? 'pending' : 'inactive';
  for (const [whole, waiter, pid, func, seconds] of text.matchAll(ITEM)) {
    if (waiter !== undefined) items.at(-1)?.flushers.push(Number(waiter));
    if (func === undefined) continue;
    items.push({
      state: list === 'in-flight' && whole.includes(':') ? 'in-flight' : waits,
      func,
      pid: pid === undefined ? null : Number(pid),
      pool,
      flushers: [],
      seconds: seconds === undefined ? null : Number(seconds),
    });
  }
  return items;
}
