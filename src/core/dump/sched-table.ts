/**
 * The scheduler's own list of tasks, which a t dump prints behind the stacks (kernel/sched/debug.c: print_rq() for
 * each CPU that is online; CONFIG_SCHED_DEBUG, always on since 6.15). Its heading says `runnable tasks:`, but since 3.13 it
 * lists every task whose last CPU that was; older kernels, and some distributions' later ones, list those that can run.
 * So a task in it must be among the stacks, and not the other way round.
 */

import type { OnCpu } from '../model.js';

/**
 * ` %c %15s %5d %9Ld.%06ld`; `>R` is the task that runs; before 5.4 without the blank in front of the name. 7.3 has the
 * task's weight, a whole number, in front of the first time.
 */
const ROW = /^>?([A-Za-z]) ?(.{15}) +(\d{1,10}) +(?:\d{1,20} +)?-?\d{1,16}\.\d{6}\b/;
/** Of a task that has exited the stack is gone: sched_show_task() shows nothing of it. */
const EXITED = new Set(['Z', 'X', 'x']);
const MAX_PIDS = 200_000;

/** `cpu#0, 2445.405 MHz` */
const CPU = /^cpu#(\d{1,5})\b/;
const MAX_CPUS = 8192;
/**
 * Behind the pid: `tree-key switches prio wait-time sum-exec`, since 6.6 `vruntime … sum-exec switches prio wait-time`,
 * in 7.3 with `weight` before them.
 * Times are milliseconds.
 */
const NUMBERS = /(-?\d+\.\d{6}) +(\d{1,15}) +(-?\d{1,5}) +-?\d+\.\d{6}(?: +(-?\d+\.\d{6}))?/;

interface Row {
  state: string;
  comm: string;
  pid: number;
  runs: boolean;
  numbers: Pick<NonNullable<OnCpu['running']>, 'priority' | 'switches' | 'ranMs'> | null;
}

/** Collects the pids of the rows, how often each was switched to another, and what runs on each CPU. */
export class SchedTable {
  readonly onCpu: OnCpu[] = [];
  private readonly pids = new Map<number, number | null>();
  private cpu: OnCpu | null = null;

  push(text: string): void {
    const cpu = CPU.exec(text)?.[1];
    if (cpu !== undefined) this.enter(Number(cpu));
    const row = readRow(text);
    if (row === null) return;
    if (row.state === 'R') this.onRunnable(row);
    if (!EXITED.has(row.state) && this.pids.size < MAX_PIDS)
      this.pids.set(row.pid, row.numbers?.switches ?? null);
  }

  /** Context switches of a task until then; null where no row tells. */
  switchesOf(pid: number | null): number | null {
    return pid === null ? null : (this.pids.get(pid) ?? null);
  }

  private enter(cpu: number): void {
    this.cpu = { cpu, running: null, waiting: 0 };
    if (this.onCpu.length < MAX_CPUS) this.onCpu.push(this.cpu);
  }

  private onRunnable({ comm, pid, runs, numbers }: Row): void {
    if (!this.cpu) return;
    const task = numbers && { comm, pid, ...numbers };
    if (!runs) this.cpu.waiting += 1;
    if (task === null) return;
    if (runs) this.cpu.running = task;
    else if (task.priority < 99 && task.ranMs > (this.cpu.preempted?.ranMs ?? -1)) this.cpu.preempted = task;
  }

  /**
   * How many of its tasks have no stack in the dump. A task with a higher pid than all that are shown is not counted:
   * it was born between the two lists.
   */
  missingFrom(tasks: readonly { pid: number | null }[]): number {
    const shown = new Set(tasks.map(({ pid }) => pid));
    const newest = tasks.reduce((highest, { pid }) => Math.max(highest, pid ?? 0), 0);
    let missing = 0;
    for (const pid of this.pids.keys()) if (pid <= newest && !shown.has(pid)) missing += 1;
    // A header that lost its pid is one of them.
    return Math.max(0, missing - tasks.filter(({ pid }) => pid === null).length);
  }
}

function readRow(text: string): Row | null {
  const [head, state = '', comm = '', pid = ''] = ROW.exec(text) ?? [];
  if (head === undefined) return null;
  const runs = text.startsWith('>');
  const rest = text.slice(text.indexOf(` ${pid} `, text.startsWith('>R ') ? 18 : 17) + 1 + pid.length);
  const [all, first, switches, priority, second] = NUMBERS.exec(rest) ?? [];
  // Only in the older order does it begin right there.
  const ran = all !== undefined && rest.trimStart().startsWith(all) ? second : first;
  const numbers =
    ran === undefined
      ? null
      : { priority: Number(priority), switches: Number(switches), ranMs: Math.floor(Number(ran)) };
  return { state, comm: comm.trim(), pid: Number(pid), runs, numbers };
}
