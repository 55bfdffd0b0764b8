/** A task by the scheduler's table. A priority below 99 is real-time. */
interface ScheduledTask {
  comm: string;
  pid: number;
  priority: number;
  switches: number;
  ranMs: number;
}

/** One CPU of the scheduler's table, and how many others could run there. */
export interface OnCpu {
  cpu: number;
  running: ScheduledTask | null;
  /** The real-time task that has run most of those that wait there, as for an ordinary task's share of the CPU. */
  preempted?: ScheduledTask;
  waiting: number;
}
