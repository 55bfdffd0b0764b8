/**
 * Whom a stall or lockup report accuses: kernel/rcu/tree_stall.h and tree_exp.h, kernel/watchdog.c,
 * arch/powerpc/kernel/watchdog.c, kernel/workqueue.c.
 */
import type { Stall } from '../model.js';

const MAX_ACCUSED = 4096;
/** `	1-....: (20999 ticks this GP) idle=…`; `1: (…` before 3.19. */
const RCU_CPU = /^(?:rcu: *)?(\d{1,5})(?:-[A-Za-z.?!\d]{3,6})?: ?\(/;
const RCU_TASKS = /^(?:rcu: *)?Tasks blocked on level-\d/;
/** All in one line, on old kernels and of an expedited grace period: `{ 1-...D 2 P77/1:b..l }`. */
const RCU_LIST = /stalls? on CPUs?(?:\/tasks)?:? *\{([^}]{0,4000})\}/;
const LISTED = /(?:^|\s)(P)?(\d{1,10})\b/g;
const SOFT = /soft lockup - CPU#(\d{1,5}) stuck for (\d{1,10})s!(?: \[(.{1,64}):(\d{1,10})\])?/;
const HARD = /hard LOCKUP on cpu (\d{1,5})/;
const POWERPC = /CPU (\d{1,5}) (?:self-detected )?hard LOCKUP/;
const POWERPC_OTHERS = /detected hard LOCKUP on other CPUs ([\d,-]{1,200})/;
const WORKQUEUE = /^BUG: workqueue lockup - pool(?: cpus=([\d,-]{1,200}))?.* stuck for (\d{1,10})s!/;

/** Gathers the accused from the lines of one report, its headline first. */
export class StallReport {
  private readonly cpus = new Set<number>();
  private readonly pids = new Set<number>();
  private seconds: number | null = null;

  /** What was found, or null. */
  get stall(): Stall | null {
    if (this.cpus.size === 0 && this.pids.size === 0) return null;
    return { cpus: [...this.cpus], pids: [...this.pids], seconds: this.seconds };
  }

  /** True if the line names an accused. */
  push(text: string): boolean {
    return this.rcu(text) || this.lockup(text);
  }

  private rcu(text: string): boolean {
    const cpu = RCU_CPU.exec(text)?.[1];
    if (cpu !== undefined) return this.cpu(cpu);
    const list = RCU_LIST.exec(text)?.[1];
    if (list !== undefined) return this.listed(list, false);
    return RCU_TASKS.test(text) && this.listed(text.slice(text.indexOf(':', 4) + 1), true);
  }

  private listed(text: string, onlyTasks: boolean): boolean {
    for (const [, task, number] of text.matchAll(LISTED)) {
      if (task !== undefined) this.pid(number);
      else if (!onlyTasks) this.cpu(number);
    }
    return true;
  }

  private lockup(text: string): boolean {
    const [, soft, seconds, , pid] = SOFT.exec(text) ?? [];
    if (soft !== undefined) {
      if (pid !== undefined) this.pid(pid);
      return this.cpu(soft, seconds);
    }
    const hard = HARD.exec(text)?.[1] ?? POWERPC.exec(text)?.[1];
    if (hard !== undefined) return this.cpu(hard);
    const others = POWERPC_OTHERS.exec(text)?.[1];
    if (others !== undefined) return this.ranges(others);
    const [, pool = '', stuck] = WORKQUEUE.exec(text) ?? [];
    if (stuck === undefined) return false;
    this.seconds = Number(stuck);
    return this.ranges(pool);
  }

  private cpu(number: string | undefined, seconds?: string): boolean {
    if (this.cpus.size < MAX_ACCUSED) this.cpus.add(Number(number));
    if (seconds !== undefined) this.seconds = Number(seconds);
    return true;
  }

  private pid(number: string | undefined): void {
    if (this.pids.size < MAX_ACCUSED) this.pids.add(Number(number));
  }

  /** `0-3,7`, as `%*pbl` prints CPU masks. */
  private ranges(text: string): boolean {
    for (const [, from, to] of text.matchAll(/(\d{1,5})(?:-(\d{1,5}))?/g))
      for (let cpu = Number(from); cpu <= Number(to ?? from) && this.cpus.size < MAX_ACCUSED; cpu += 1)
        this.cpus.add(cpu);
    return true;
  }
}

/** The CPU and the task that a soft lockup's headline names, or null. */
export function softLockup(headline: string): { cpu: number; comm: string; pid: number } | null {
  const [, cpu, , comm, pid] = SOFT.exec(headline) ?? [];
  return cpu === undefined || comm === undefined ? null : { cpu: Number(cpu), comm, pid: Number(pid) };
}
