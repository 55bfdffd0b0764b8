/**
 * Whom a stall or lockup report accuses: kernel/rcu/tree_stall.h and tree_exp.h, kernel/watchdog.c,
 * arch/powerpc/kernel/watchdog.c, kernel/workqueue.c.
 */
import { findKernelLine } from '../kernel-lines/find.js';
import type { Frame, Stall, Task } from '../model.js';
import { isIdleTask } from './cpu-lines.js';
import { parseFrames } from './frame.js';

const MAX_ACCUSED = 4096;
const COMM_MAX = 32;
/** `	1-....: (20999 ticks this GP) idle=…`; `1: (…` before 3.19. */
const RCU_CPU = /^(?:rcu: *)?(\d{1,5})(?:-[A-Za-z.?!\d]{3,6})?: ?\(/;
/** `t=21003 jiffies g=7740`: the age of the grace period and its number. */
const AGE = /\(?\bt=(\d{1,15}) jiffies,? (?:g=(-?\d{1,15}))?/;
const STARVED =
  /^(?:rcu: *)?(\w+) kthread (?:starved|timer wakeup didn't happen) for (\d{1,15}) jiffies!(?:.*->state=0x([0-9a-f]{1,8}))?(?:.*->cpu=(\d{1,5}))?/;
/** It is printed where no timer came; its softirq count says nothing more. */
const NO_TIMER = /^(?:rcu: *)?\s*Possible timer handling issue on cpu=(\d{1,5})/;
const DETECTED = /\(detected by (\d{1,5})\b/;
const ALL_SEEN =
  /^(?:rcu: *)?All QSes seen, last (\w+) kthread activity (\d{1,15})\b.{0,80}?\bjiffies_till_next_fqs=(\d{1,6})/;
const TICKLESS = /: ?\(0 ticks this GP\)/;
const RCU_TASKS = /^(?:rcu: *)?Tasks blocked on level-\d/;
/** All in one line, on old kernels and of an expedited grace period: `{ 1-...D 2 P77/1:b..l }`. */
const RCU_LIST = /stalls? on CPUs?(?:\/tasks)?:? *\{([^}]{0,4000})\}/;
const LISTED = /(?:^|\s)(P)?(\d{1,10})\b/g;

/** Gathers the accused from the lines of one report, its headline first. */
export class StallReport {
  private readonly cpus = new Set<number>();
  private readonly pids = new Set<number>();
  private seconds: number | null = null;
  private readonly tickless: number[] = [];
  private readonly rest: Pick<Stall, 'jiffies' | 'gracePeriod' | 'starved' | 'allSeen' | 'detectedBy'> = {};

  /** What was found, or null. */
  get stall(): Stall | null {
    const { starved, allSeen } = this.rest;
    if (this.cpus.size === 0 && this.pids.size === 0 && !starved && !allSeen) return null;
    return {
      cpus: [...this.cpus],
      pids: [...this.pids],
      seconds: this.seconds,
      ...(this.tickless.length === 0 ? {} : { tickless: this.tickless }),
      ...this.rest,
    };
  }

  /** True if the line names an accused. */
  push(text: string): boolean {
    const by = text.includes('detected by') ? DETECTED.exec(text)?.[1] : undefined;
    if (by !== undefined) this.rest.detectedBy = Number(by);
    if (text.includes('Possible timer') && this.noTimer(text)) return true;
    if (text.includes('jiffies') && this.age(text)) return true;
    return this.rcu(text) || this.lockup(text);
  }

  /** True if nothing else is in the line. */
  private age(text: string): boolean {
    const [, thread, starved, state, cpu] = STARVED.exec(text) ?? [];
    if (thread !== undefined) {
      this.rest.starved = {
        comm: thread.slice(0, COMM_MAX),
        cpu: cpu === undefined ? null : Number(cpu),
        jiffies: Number(starved),
        ...runnableIn(state),
      };
      return true;
    }
    const [, last, quiet, pause] = ALL_SEEN.exec(text) ?? [];
    if (last !== undefined) {
      const comm = last.slice(0, COMM_MAX);
      this.rest.allSeen = { comm, jiffies: Number(quiet), pause: Number(pause) };
      return true;
    }
    const [, jiffies, number] = AGE.exec(text) ?? [];
    if (jiffies === undefined) return false;
    this.rest.jiffies = Number(jiffies);
    if (number !== undefined) this.rest.gracePeriod = Number(number);
    return !text.includes('stall');
  }

  private noTimer(text: string): boolean {
    const cpu = NO_TIMER.exec(text)?.[1];
    if (cpu === undefined || !this.rest.starved) return false;
    this.rest.starved = { ...this.rest.starved, cpu: Number(cpu), runnable: false };
    return true;
  }

  private rcu(text: string): boolean {
    const cpu = RCU_CPU.exec(text)?.[1];
    if (cpu !== undefined) {
      if (TICKLESS.test(text) && this.tickless.length < MAX_ACCUSED) this.tickless.push(Number(cpu));
      return this.cpu(cpu);
    }
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
    const found = findKernelLine(text);
    if (found?.line.dump !== 'lockup') return false;
    const { cpu, cpus, pid, seconds } = found.groups;
    if (seconds !== undefined) this.seconds = Number(seconds);
    if (pid !== undefined) this.pid(pid);
    if (cpu !== undefined) this.cpu(cpu);
    if (cpus !== undefined) this.ranges(cpus);
    return true;
  }

  private cpu(number: string | undefined): boolean {
    if (this.cpus.size < MAX_ACCUSED) this.cpus.add(Number(number));
    return true;
  }

  private pid(number: string | undefined): void {
    if (this.pids.size < MAX_ACCUSED) this.pids.add(Number(number));
  }

  /** `0-3,7`, as `%*pbl` prints CPU masks. */
  private ranges(text: string): void {
    for (const [, from, to] of text.matchAll(/(\d{1,5})(?:-(\d{1,5}))?/g))
      for (let cpu = Number(from); cpu <= Number(to ?? from) && this.cpus.size < MAX_ACCUSED; cpu += 1)
        this.cpus.add(cpu);
  }
}

/** TASK_RUNNING is 0, and TASK_INTERRUPTIBLE and TASK_UNINTERRUPTIBLE are its lowest bits, include/linux/sched.h. */
function runnableIn(state: string | undefined): { runnable?: boolean } {
  if (state === undefined) return {};
  const bits = Number.parseInt(state, 16);
  if (bits === 0) return { runnable: true };
  return (bits & 3) === 0 ? {} : { runnable: false };
}

/** The CPU and the task that a soft lockup's headline names, or null. */
export function softLockup(headline: string): { cpu: number; comm: string; pid: number } | null {
  const { cpu, comm, pid } = findKernelLine(headline)?.groups ?? {};
  return cpu === undefined || comm === undefined ? null : { cpu: Number(cpu), comm, pid: Number(pid) };
}

/** The CPU of a report whose stack nothing introduces: by its headline, or the only one of the stall of a paste. */
export function accusedCpu(headline: string, stall: Stall | null): AccusedCpu | null {
  const accused = softLockup(headline);
  if (accused) return { ...accused, idle: isIdleTask(accused.comm, accused.pid) };
  const cpu = stall?.cpus.length === 1 ? stall.cpus[0] : undefined;
  return cpu === undefined ? null : { cpu, comm: '', pid: null, idle: false };
}

/** Where a hard lockup of powerpc says that its CPU was. */
const AT = / LOCKUP @ ([A-Za-z_.$][\w.$]*\+0x[0-9a-f]{1,8}\/0x[0-9a-f]{1,8}(?: \[[\w-]+\])?)$/;

/** `watchdog: CPU 3 self-detected hard LOCKUP @ _raw_spin_lock+0x30/0x80`: its CPU at that place, or none. */
export function cpuInHeadline(headline: string): (AccusedCpu & { frames: Frame[] })[] {
  const frames = parseFrames(AT.exec(headline)?.[1] ?? '', true);
  const cpu = findKernelLine(headline)?.groups['cpu'];
  return frames === null || cpu === undefined
    ? []
    : [{ cpu: Number(cpu), comm: '', pid: null, idle: false, frames }];
}

interface AccusedCpu {
  cpu: number;
  comm: string;
  pid: number | null;
  idle: boolean;
}

/** `rcu_preempt kthread starved for 5251 jiffies!`: the thread that ends grace periods does not get to run. */
export const isStarved = (text: string): boolean => text.includes(' kthread ') && STARVED.test(text);

/** The kernel shows the accused and RCU's own threads unasked; only lines of a dump know the parents of others. */
export function isOfStall({ comm, pid, ppid }: Task, stall: Stall | null): boolean {
  return ppid === null || comm.startsWith('rcu_') || (pid !== null && stall?.pids.includes(pid) === true);
}
