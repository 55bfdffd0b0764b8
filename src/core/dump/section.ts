import type { Blocker, Dump, DumpKey, Stall, Task } from '../model.js';
import { parseFrames, parseInstruction } from './frame.js';
import type { Report } from './openers.js';
import { SchedTable } from './sched-table.js';
import { StallReport } from './stall.js';
import { LockTable, parseWorkqueue } from './tables.js';
import { joinTorn, parseTaskHeader, taskTag, type TaskHeader, tornHeader } from './task-header.js';
import { WorkqueueTable } from './workqueues.js';

type Cpu = Dump['cpus'][number];

/** Deeper than any kernel stack; a guest that prints frames for ever stops here. */
const MAX_FRAMES = 512;
const MAX_TASKS = 200_000;
/** Rows between the halves of a torn header. */
const TORN_WITHIN = 3;

const CPU_LINE = /^CPU: (\d+) (?:UID: \d+ )?PID: (\d+) Comm: (.{1,64}?) (?:Not tainted|Tainted|Kdump)/;
const NMI_LINE = /^NMI backtrace for cpu (\d+)( skipped: idling at)?/;
const TRACE = /^(?:Call [Tt]race|Backtrace):/;
const TASK_KEYS: ReadonlySet<DumpKey> = new Set(['w', 't', 'none']);
const LISTING_KEYS: ReadonlySet<DumpKey> = new Set(['w', 't']);

/** The part of a log that becomes one Dump. Takes its lines one by one, prefixes already off. */
export class Section {
  readonly tasks: Task[] = [];
  readonly cpus: Cpu[] = [];
  readonly blockers: Blocker[] = [];
  readonly locks = new LockTable();
  readonly workqueues = new WorkqueueTable();
  readonly sched = new SchedTable();
  fenced = false;
  lost = 0;
  cutStacks = 0;
  tornHeaders = 0;
  /** Headers that were torn and put together again. */
  mended = 0;

  private readonly stalls: StallReport | null;
  private mode: 'stacks' | 'sched' | 'workqueues' = 'stacks';
  private task: Task | null = null;
  private cpu: Cpu | null = null;
  private traced = false;
  private open = false;
  private interrupt = { from: 0, registersSeen: false };
  private report: Report | null = null;
  private readonly reports = new Set<number>();
  private torn: { head: string; rows: number } | null = null;

  constructor(
    readonly key: DumpKey,
    readonly headline: string,
    readonly seconds: number | null,
    readonly boot: number,
  ) {
    this.stalls = key === 'rcu_stall' || key === 'lockup' ? new StallReport() : null;
    this.stalls?.push(headline);
  }

  /** Whom a stall or lockup accuses. */
  get stall(): Stall | null {
    return this.stalls?.stall ?? null;
  }

  /** A hung_task report; the stack of its task follows. */
  hung(report: Report): void {
    this.end();
    this.report = report;
    this.reports.add(report.pid);
  }

  /** Whether this section already has a report of the task: then a new round of reports began. */
  reported(pid: number): boolean {
    return this.reports.has(pid);
  }

  /** Nothing in it but what hung_task said. */
  get onlyReports(): boolean {
    return this.key === 'hung_task' && this.tasks.length <= this.reports.size + this.blockers.length;
  }

  /** Closes what is open; call it before reading the results. */
  end(): void {
    this.giveUpTorn();
    this.closeStack();
    this.startReported();
    this.task = null;
    this.cpu = null;
  }

  push(text: string): void {
    if (this.torn && this.mend(text)) return;
    if (this.mode !== 'sched' && this.frame(text)) return;
    if (this.locks.push(text) || this.stalls?.push(text) === true) return;
    if (this.table(text)) return;
    const header = parseTaskHeader(text);
    if (header) {
      this.giveUpTorn();
      this.startTask(header);
    } else if (!this.mark(text) && !this.cpuLine(text)) this.maybeTorn(text);
  }

  private frame(text: string): boolean {
    const target = this.task ?? this.cpu;
    if (!text.includes('0x') || text.startsWith('#') || text.startsWith('NMI ')) return false;
    const instruction = parseInstruction(text);
    if (instruction) this.interrupt.registersSeen = true;
    const frames = instruction ? [instruction] : parseFrames(text, target?.frames.length === 0);
    if (!frames) return false;
    this.giveUpTorn();
    if (target && target.frames.length < MAX_FRAMES) target.frames.push(...frames);
    return true;
  }

  /** The tables behind the tasks. In the scheduler's, rows look like headers of old kernels: all are skipped. */
  private table(text: string): boolean {
    if (text.startsWith('Sched Debug Version:')) this.enter('sched');
    else if (text.startsWith('Showing busy workqueues')) this.enter('workqueues');
    else if (text.startsWith('Showing ')) this.enter('stacks');
    else if (this.mode === 'workqueues') return this.workqueues.push(text);
    else if (this.mode === 'sched' && taskTag(text) < 0) this.sched.push(text);
    else return false;
    return true;
  }

  private enter(mode: 'stacks' | 'sched' | 'workqueues'): void {
    this.end();
    this.mode = mode;
  }

  private mark(text: string): boolean {
    if (TRACE.test(text)) this.callTrace();
    else if (text === '<TASK>') this.open = this.task !== null || this.cpu !== null;
    else if (text === '</TASK>') this.leaveTask();
    else if (text === '<IRQ>' || text === '<NMI>') this.interrupt.from = this.cpu?.frames.length ?? 0;
    else if (text === '</NMI>' || text === '</IRQ>' || text === '<EOI>') this.leaveInterrupt(text);
    else if (text.startsWith('Workqueue: ')) {
      if (this.task) this.task.workqueue ??= parseWorkqueue(text);
    } else if (text.startsWith('------------[ cut here')) this.end();
    else return false;
    return true;
  }

  /** The NMI or interrupt that printed the backtrace is not what the CPU was doing, unless it was in an interrupt. */
  private leaveInterrupt(text: string): void {
    if (this.cpu && (text === '</NMI>' || !this.interrupt.registersSeen))
      this.cpu.frames.length = this.interrupt.from;
  }

  private leaveTask(): void {
    this.open = false;
    this.task = null;
    this.cpu = null;
  }

  private callTrace(): void {
    this.giveUpTorn();
    if (this.traced || !(this.task ?? this.cpu)) {
      const reported = this.report !== null;
      this.closeStack();
      this.leaveTask();
      if (reported) this.startReported();
      // A stack whose header was lost is still evidence in a dump of tasks; elsewhere it may be anything.
      else if (LISTING_KEYS.has(this.key)) this.startTask({ comm: '', pid: null, ppid: null, state: '?' });
    }
    this.traced = true;
  }

  /** hung_task named the task, but no header came. */
  private startReported(): void {
    if (this.report) this.startTask({ comm: this.report.comm, pid: this.report.pid, ppid: null, state: 'D' });
  }

  private startTask(header: TaskHeader): void {
    this.closeStack();
    const reported = this.report !== null && (header.pid === this.report.pid || header.pid === null);
    this.task = {
      ...header,
      frames: [],
      workqueue: null,
      blockedForSeconds: reported && this.report ? this.report.seconds : null,
    };
    if (reported) this.report = null;
    this.cpu = null;
    this.traced = false;
    this.mode = 'stacks';
    if (this.tasks.length < MAX_TASKS) this.tasks.push(this.task);
  }

  private cpuLine(text: string): boolean {
    const nmi = NMI_LINE.exec(text);
    if (nmi) {
      this.startCpu({ cpu: Number(nmi[1]), comm: null, pid: null, idle: nmi[2] !== undefined, frames: [] });
      return true;
    }
    const [, cpu, pid, comm] = CPU_LINE.exec(text) ?? [];
    if (comm === undefined) return false;
    const of = { cpu: Number(cpu), comm, pid: Number(pid), idle: comm.startsWith('swapper/') };
    if (this.cpu?.cpu === of.cpu && this.cpu.comm === null) Object.assign(this.cpu, of);
    else if (TASK_KEYS.has(this.key)) this.end();
    else this.startCpu({ ...of, frames: [] });
    return true;
  }

  private startCpu(cpu: Cpu): void {
    this.end();
    this.cpu = cpu;
    this.traced = false;
    this.interrupt = { from: 0, registersSeen: false };
    if (this.cpus.length < MAX_TASKS) this.cpus.push(cpu);
  }

  private closeStack(): void {
    if (this.open) this.cutStacks += 1;
    this.open = false;
  }

  private maybeTorn(text: string): void {
    const at = taskTag(text);
    if (at >= 0 && (at === 0 || /\s/.test(text.charAt(at - 1))))
      this.torn = { head: text.slice(at), rows: 0 };
  }

  /** Tries a line as the second half of a torn header. */
  private mend(text: string): boolean {
    if (!this.torn) return false;
    const whole = parseTaskHeader(text) !== null;
    const header = whole ? null : joinTorn(this.torn.head, text);
    if (header) {
      this.torn = null;
      this.mended += 1;
      this.startTask(header);
      return true;
    }
    this.torn.rows += 1;
    if (this.torn.rows > TORN_WITHIN || TRACE.test(text) || whole) this.giveUpTorn();
    return false;
  }

  private giveUpTorn(): void {
    if (!this.torn) return;
    const { head } = this.torn;
    this.torn = null;
    this.tornHeaders += 1;
    this.startTask(tornHeader(head));
  }
}
