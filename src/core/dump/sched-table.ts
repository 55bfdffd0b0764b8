/**
 * The scheduler's own list of tasks, which a t dump prints behind the stacks (kernel/sched/debug.c: print_rq() for
 * each CPU that is online; CONFIG_SCHED_DEBUG, always on since 6.15). Its heading says `runnable tasks:`, but since 3.13 it
 * lists every task whose last CPU that was; older kernels, and some distributions' later ones, list those that can run.
 * So a task in it must be among the stacks, and not the other way round.
 */

import type { OnCpu } from '../model.js';

/** ` %c %15s %5d %9Ld.%06ld`; `>R` is the task that runs; before 5.4 without the blank in front of the name. */
const ROW = /^>?([A-Za-z]) ?(.{15}) +(\d{1,10}) +-?\d{1,16}\.\d{6}\b/;
/** Of a task that has exited the stack is gone: sched_show_task() shows nothing of it. */
const EXITED = new Set(['Z', 'X', 'x']);
const MAX_PIDS = 200_000;

/** `cpu#0, 2445.405 MHz` */
const CPU = /^cpu#(\d{1,5})\b/;
const MAX_CPUS = 8192;
/**
 * Behind the pid: `tree-key switches prio wait-time sum-exec`, since 6.6 `vruntime … sum-exec switches prio wait-time`.
 * Times are milliseconds.
 */
const NUMBERS = /(-?\d+\.\d{6}) +(\d{1,15}) +(-?\d{1,5}) +-?\d+\.\d{6}(?: +(-?\d+\.\d{6}))?/;

/** Collects the pids of the rows, and what runs on each CPU. */
export class SchedTable {
  readonly onCpu: OnCpu[] = [];
  private readonly pids = new Set<number>();
  private cpu: OnCpu | null = null;

  push(text: string): void {
    const cpu = CPU.exec(text)?.[1];
    if (cpu !== undefined) this.enter(Number(cpu));
    else this.onRow(text);
    this.row(text);
  }

  private enter(cpu: number): void {
    this.cpu = { cpu, running: null, waiting: 0 };
    if (this.onCpu.length < MAX_CPUS) this.onCpu.push(this.cpu);
  }

  private onRow(text: string): void {
    if (!this.cpu || !/^>?R/.test(text)) return;
    const [head, , comm = '', pid] = ROW.exec(text) ?? [];
    if (head === undefined) return;
    if (!text.startsWith('>')) {
      this.cpu.waiting += 1;
      return;
    }
    const rest = text.slice(
      text.indexOf(` ${pid} `, text.startsWith('>R ') ? 18 : 17) + 1 + String(pid).length,
    );
    const [all, first, switches, priority, second] = NUMBERS.exec(rest) ?? [];
    if (all === undefined) return;
    // Only in the older order does it begin right there.
    const ran = rest.trimStart().startsWith(all) ? second : first;
    if (ran === undefined) return;
    this.cpu.running = {
      comm: comm.trim(),
      pid: Number(pid),
      priority: Number(priority),
      switches: Number(switches),
      ranMs: Math.floor(Number(ran)),
    };
  }

  private row(text: string): void {
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
