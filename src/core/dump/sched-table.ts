/**
 * The scheduler's own list of tasks, which a t dump prints behind the stacks (kernel/sched/debug.c: print_rq() for
 * each CPU that is online; CONFIG_SCHED_DEBUG, always on since 6.15). Its heading says `runnable tasks:`, but since 3.13 it
 * lists every task whose last CPU that was; older kernels, and some distributions' later ones, list those that can run.
 * So a task in it must be among the stacks, and not the other way round.
 */

/** ` %c %15s %5d %9Ld.%06ld`; `>R` is the task that runs; before 5.4 without the blank in front of the name. */
const ROW = /^>?([A-Za-z]) ?(.{15}) +(\d{1,10}) +-?\d{1,16}\.\d{6}\b/;
/** Of a task that has exited the stack is gone: sched_show_task() shows nothing of it. */
const EXITED = new Set(['Z', 'X', 'x']);
const MAX_PIDS = 200_000;

/** Collects the pids of the rows. */
export class SchedTable {
  private readonly pids = new Set<number>();

  push(text: string): void {
    const [, state, , pid] = ROW.exec(text) ?? [];
    if (state === undefined || EXITED.has(state) || this.pids.size >= MAX_PIDS) return;
    this.pids.add(Number(pid));
  }

  /**
   * How many of its tasks have no stack in the dump. A task with a higher pid than all that are shown is not counted:
   * it was born between the two lists.
   */
  missingFrom(tasks: readonly { pid: number | null }[]): number {
    const shown = new Set(tasks.map(({ pid }) => pid));
    const newest = tasks.reduce((highest, { pid }) => Math.max(highest, pid ?? 0), 0);
    let missing = 0;
    for (const pid of this.pids) if (pid <= newest && !shown.has(pid)) missing += 1;
    // A header that lost its pid is one of them.
    return Math.max(0, missing - tasks.filter(({ pid }) => pid === null).length);
  }
}
