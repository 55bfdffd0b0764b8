/** The tables behind a dump's tasks: locks held (CONFIG_LOCKDEP) and busy workqueues (kernel/workqueue.c). */
import type { Dump } from '../model.js';

const HOLDER = /^\d+ locks? held by (.{1,64})\/(\d{1,10})(?::| )/;
/** ` #0: ffff8881 (&mm->mmap_lock){++++}-{4:4}, at: …`; kernels before 4.15 print no address. */
const LOCK = /^#\d+: +(?:([0-9a-f]{8,16}) +)?\((.{1,200})\)\{/;

/** Collects the rows `#0: …` below `2 locks held by COMM/PID:`. */
export class LockTable {
  readonly rows: Dump['locks'] = [];
  private holder: { comm: string; pid: number } | null = null;

  /** True if the line belongs to the table. */
  push(text: string): boolean {
    if (text.startsWith('#')) {
      const [, address = '', name] = LOCK.exec(text) ?? [];
      if (name === undefined || !this.holder) return false;
      this.rows.push({ ...this.holder, address, name });
      return true;
    }
    if (!text.includes(' held by ')) return false;
    const [, comm, pid] = HOLDER.exec(text) ?? [];
    if (comm === undefined) return false;
    this.holder = { comm, pid: Number(pid) };
    return true;
  }
}

const MAX_LINES = 2000;

/** Collects `workqueue NAME: flags=…` with its lines, and each `pool N:` as an entry of its own. */
export class WorkqueueTable {
  readonly rows: Dump['workqueues'] = [];
  private lines = 0;

  push(text: string): void {
    this.lines += 1;
    if (text === '' || this.lines > MAX_LINES) return;
    const [, kind, name, rest] = /^(workqueue|pool) (.{1,100}?): ?(.*)$/.exec(text) ?? [];
    if (kind !== undefined && name !== undefined) {
      this.rows.push({
        name: kind === 'pool' ? `pool ${name}` : name,
        lines: rest === undefined || rest === '' ? [] : [rest],
      });
      return;
    }
    this.rows.at(-1)?.lines.push(text);
  }
}

/** `Workqueue: NAME FUNC (description)`; an idle worker has `0x0` for a function and gives null. */
export function parseWorkqueue(text: string): { name: string; func: string } | null {
  const [, name, func] =
    /^Workqueue: (.{0,100}?) ?([^\s()]+)(?: \[[\w-]+\])?(?: \([^)]*\))?$/.exec(text) ?? [];
  return name === undefined || func === undefined || func === '0x0' ? null : { name, func };
}
