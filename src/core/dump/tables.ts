/** The table of locks held (CONFIG_LOCKDEP), kernel/locking/lockdep.c, and a worker's own line. */
import type { Dump, ListedLock, Task } from '../model.js';

/** 7.3 puts the number behind: `locks held by touch/85: 1, on CPU#0:`. */
const HOLDER = /^(?:(?:\d+|no) )?locks? held by (.{1,64})\/(\d{1,10})(?::|\.| )/;
/** ` #0: ffff8881 (&mm->mmap_lock){++++}-{4:4}, at: down_read+0x1/0x2`; kernels before 4.15 print no address. */
const LOCK = /^#\d+: +(?:\(?([0-9a-f]{8,16})\)? +)?\((.{1,200})\)\{/;
const AT = /\bat: (?:\[<[0-9a-f]+>\] *)*([A-Za-z_][\w.$]*)/;
const MAX_LOCKS = 200_000;

/** Collects the rows `#0: …` below `2 locks held by COMM/PID:`. */
export class LockTable {
  private readonly byTask = new Map<number, ListedLock[]>();
  private holder: { comm: string; pid: number } | null = null;
  private fresh = false;
  private count = 0;

  /** All locks, by task in the order of the table. */
  get rows(): ListedLock[] {
    return [...this.byTask.values()].flat();
  }

  /** True if the line belongs to the table. */
  push(text: string): boolean {
    if (text.startsWith('#')) return this.lock(text);
    if (!text.includes(' held by ')) return false;
    const [, comm, pid] = HOLDER.exec(text) ?? [];
    if (comm === undefined) return false;
    this.holder = { comm, pid: Number(pid) };
    this.fresh = true;
    return true;
  }

  private lock(text: string): boolean {
    const [, address = '', name] = LOCK.exec(text) ?? [];
    if (name === undefined || !this.holder) return false;
    if ((this.count += 1) > MAX_LOCKS) return true;
    const at = AT.exec(text)?.[1];
    const row = { ...this.holder, address, name, ...(at === undefined ? {} : { at }) };
    // hung_task lists a task's locks below its stack, and then all again.
    if (this.fresh) this.byTask.set(this.holder.pid, [row]);
    else this.byTask.get(this.holder.pid)?.push(row);
    this.fresh = false;
    return true;
  }
}

/** `Workqueue: NAME FUNC (description)`; an idle worker has `0x0` for a function and gives null. */
function parseWorkqueue(text: string): Task['workqueue'] {
  const [, name, func, about] =
    /^Workqueue: (.{0,100}?) ?([^\s()]+)(?: \[[\w-]+\])?(?: \(([^)]{1,100})\))?$/.exec(text) ?? [];
  if (name === undefined || func === undefined || func === '0x0') return null;
  return about === undefined ? { name, func } : { name, func, about };
}

/** Gives the task or the CPU whose worker says so its work, unless it has one. */
export function setWorkqueue(of: Task | Dump['cpus'][number] | null, text: string): void {
  const work = parseWorkqueue(text);
  if (of && work) of.workqueue ??= work;
}
