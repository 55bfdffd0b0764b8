import type { Blocker, Dump, DumpKey, Stall, Task } from '../model.js';
import { parseCpuLine, taskDumpFor } from './cpu-lines.js';
import { parseInstruction } from './frame.js';
import { ANYBODY, type Report } from './openers.js';
import { FutexRegisters } from './registers.js';
import { SchedTable } from './sched-table.js';
import * as rows from './section-rows.js';
import { Stack } from './stack.js';
import type { StackPool } from './stack-pool.js';
import { accusedCpu, isOfStall, StallReport } from './stall.js';
import { bareFunction, isLooseFrame, looseOwner } from './loose.js';
import { LockTable, setWorkqueue } from './tables.js';
import { ofReported, parseTaskHeader, parseUntagged, taskTag, type TaskHeader } from './task-header.js';
import { TornHeaders } from './torn.js';
import { Unplaced } from './unplaced.js';
import { WorkqueueTable } from './workqueues.js';

type Cpu = Dump['cpus'][number];
type Mode = 'stacks' | 'sched' | 'workqueues';

const MAX_TASKS = 200_000;

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
  /** Stacks that a paste begins below their header. */
  halves = 0;
  /** The log ends before the stack does. */
  endsInStack = false;

  readonly torn = new TornHeaders();
  private readonly stack: Stack;
  private readonly leftOver = new Unplaced();
  private readonly stalls: StallReport | null;
  private readonly registers = new FutexRegisters();
  private onCpu: number | null = null;
  private mode: Mode = 'stacks';
  protected task: Task | null = null;
  protected cpu: Cpu | null = null;
  private report: Report | null = null;
  private readonly reports = new Set<number>();
  private readonly byPid = new Map<number, Task>();
  private row = 0;
  private frameRow = 0;

  constructor(
    readonly key: DumpKey,
    readonly headline: string,
    readonly seconds: number | null,
    readonly boot: number,
    pool: StackPool,
    private readonly pasted = false,
  ) {
    this.stack = new Stack(pool);
    this.stalls = key === 'rcu_stall' || key === 'lockup' ? new StallReport() : null;
    this.stalls?.push(headline);
  }

  get stall(): Stall | null {
    return this.stalls?.stall ?? null;
  }

  /** Whose stack it is, was said. */
  get hasStack(): boolean {
    return this.cpus.length + this.tasks.length > 0;
  }

  get cutStacks(): number {
    return this.stack.cut;
  }

  get unplaced(): Dump['unplaced'] {
    return rows.UNREAD_KEYS.has(this.key) ? undefined : this.leftOver.found;
  }

  /** A hung_task report, or one of all tasks that follow; the stack of its task follows. */
  hung(report: Report): void {
    this.end();
    this.report = report;
    this.reports.add(report.pid);
  }

  /** Who holds up a task; a paste may have lost the report of it. */
  blocked(blocker: Blocker): void {
    this.end();
    this.blockers.push(blocker);
    if (this.pasted && !this.byPid.has(blocker.waiter.pid))
      this.startTask({ ...blocker.waiter, ppid: null, state: 'D' });
    this.leave();
  }

  /** Whether this section already has a report of the task: then a new round of reports began. */
  reported(pid: number): boolean {
    return this.reports.has(pid);
  }

  /** Nothing in it but what the kernel says by itself: no tasks of a dump that it broke into. */
  get onlyReports(): boolean {
    if (this.stalls !== null) return this.tasks.every((task) => isOfStall(task, this.stall));
    const told = this.reports.has(ANYBODY) ? MAX_TASKS : this.reports.size + this.blockers.length;
    return this.key === 'hung_task' && this.tasks.length <= told;
  }

  /** HELP came: all that was printed up to here is inside. */
  fence(): void {
    this.fenced = true;
    this.leftOver.settle();
  }

  endOfLog(): void {
    this.endsInStack = this.row > 0 && this.frameRow === this.row && this.stack.unfinished;
  }

  /** Closes what is open; call it before reading the results. */
  end(): void {
    this.giveUpTorn();
    this.startReported();
    this.leave();
  }

  push(text: string): void {
    if (text === '') return;
    this.row += 1;
    if (this.place(text)) this.leftOver.settle();
    else this.leftOver.add(text, this.pasted && this.key === 'hung_task');
  }

  /** False where no part of the dump wants the line. */
  private place(text: string): boolean {
    const mended = this.torn.mend(text);
    if (mended) return this.startTask(mended);
    this.giveUpTorn(this.torn.pass(text));
    if (this.mode !== 'sched' && this.frame(text)) return true;
    if (this.pasted && this.half(text)) return true;
    if (this.locks.push(text) || this.stalls?.push(text) === true) return true;
    if (this.table(text)) return true;
    const header = parseTaskHeader(text) ?? parseUntagged(text);
    if (header) return this.startTask(header);
    if (this.registers.push(this.task, text)) return true;
    return this.mark(text) || this.cpuLine(text) || this.torn.keep(text);
  }

  private frame(text: string): boolean {
    if (this.key === 'lockup' && this.stack.idle && parseInstruction(text)) this.startAccused();
    if (this.pasted && this.stack.beginsAnew(text)) this.leave();
    if (this.pasted && this.stack.idle && isLooseFrame(text)) this.startHalf();
    if (!this.stack.push(text)) return false;
    this.frameRow = this.row;
    this.giveUpTorn();
    if (this.stack.idle) this.task = this.cpu = null;
    return true;
  }

  private startHalf(): void {
    const before = this.tasks.length + this.cpus.length;
    if (this.report) this.startReported();
    else if (this.key === 'none' || this.leftOver.announces) this.startTask({ ...rows.NOBODY, state: 'D' });
    else this.startAccused();
    this.halves += this.tasks.length + this.cpus.length - before;
  }

  /** What only a paste has: a function without its offset, `cat /proc/12/stack`, a worker's line without its header. */
  private half(text: string): boolean {
    if (this.stack.bare(bareFunction(text))) return true;
    if (text.startsWith('Workqueue: ') && this.stack.idle && (this.report || this.key === 'none'))
      this.startHalf();
    const owner = this.key === 'none' || this.key === 'hung_task' ? looseOwner(text) : null;
    if (owner) this.halves += 1;
    return owner !== null && this.startTask(owner);
  }

  /** The tables behind the tasks. In the scheduler's, rows look like headers of old kernels. */
  private table(text: string): boolean {
    if (text.startsWith('Sched Debug Version:')) this.enter('sched');
    else if (text.startsWith('Showing busy workqueues')) this.enter('workqueues');
    else if (text.startsWith('Showing ')) this.enter('stacks');
    else if (this.mode === 'workqueues') return this.workqueues.push(text);
    else if (this.mode === 'sched' && taskTag(text) < 0) this.sched.push(text);
    else return false;
    return true;
  }

  private enter(mode: Mode): void {
    this.end();
    this.mode = mode;
  }

  private mark(text: string): boolean {
    const [trace, rest] = rows.TRACE.exec(text) ?? [];
    const same = rows.SAME.exec(text)?.[1];
    if (trace !== undefined) this.callTrace(rest ?? '');
    else if (same !== undefined) this.stack.sameAs(this.byPid.get(Number(same)));
    else if (text.startsWith('Workqueue: ')) setWorkqueue(this.task ?? this.cpu, text);
    else if (rows.OTHERS.test(text)) this.end();
    else return false;
    return true;
  }

  private callTrace(rest: string): void {
    this.giveUpTorn();
    if (this.stack.homeless) {
      const reported = this.report !== null;
      this.leave();
      if (reported) this.startReported();
      // A stack whose header was lost is still evidence in a dump of tasks; elsewhere it may be anything.
      else if (rows.LISTING_KEYS.has(this.key)) {
        this.torn.lost += 1;
        this.startTask(rows.NOBODY);
      } else this.startAccused();
    }
    this.stack.trace();
    if (rest !== '') this.stack.push(rest);
  }

  private leave(): void {
    this.stack.leave();
    this.task = this.cpu = null;
  }

  /** The first stack of a report about a CPU, of which no line says whose it is, is of the one it accuses. */
  private startAccused(): void {
    if (!rows.CPU_KEYS.has(this.key) || this.hasStack) return;
    const accused = accusedCpu(this.headline, this.pasted ? this.stall : null);
    if (accused) this.startCpu({ ...accused, frames: [] });
    else this.startTask({ ...rows.NOBODY, state: 'R' });
  }

  private startReported(): void {
    if (this.report && this.report.pid !== ANYBODY)
      this.startTask({ comm: this.report.comm, pid: this.report.pid, ppid: null, state: 'D' });
  }

  private startTask(told: TaskHeader): true {
    const header = ofReported(told, this.report);
    const blockedForSeconds = this.reportedSeconds(header);
    const { comm, pid, ppid, state } = header;
    this.task = { comm, pid, ppid, state, frames: [], workqueue: null, blockedForSeconds };
    if (this.onCpu !== null) this.task.cpu = this.onCpu;
    this.onCpu = null;
    this.cpu = null;
    // Of a running task the dump shows the interrupt that printed it as well.
    this.stack.begin(this.task, state === 'R');
    this.mode = 'stacks';
    if (this.tasks.length < MAX_TASKS) this.tasks.push(this.task);
    if (header.pid !== null) this.byPid.set(header.pid, this.task);
    return true;
  }

  /** How long hung_task says that the task of this header is blocked; null where it did not speak of it. */
  private reportedSeconds({ pid }: TaskHeader): number | null {
    const { report } = this;
    if (report?.pid === ANYBODY) return report.seconds;
    if (report && (pid === report.pid || pid === null)) {
      this.report = null;
      return report.seconds;
    }
    const last = this.tasks.at(-1);
    if (typeof last?.blockedForSeconds !== 'number' || last.ppid !== null || last.pid !== pid) return null;
    // Its header comes late: what was taken for its stack belonged to another report.
    this.tasks.pop();
    return last.blockedForSeconds;
  }

  private cpuLine(text: string): boolean {
    this.onCpu = taskDumpFor(text);
    if (this.onCpu !== null) return true;
    const line = parseCpuLine(text);
    if (!line) return false;
    const { cpu, comm, pid, idle } = line;
    if (rows.TASK_KEYS.has(this.key)) {
      if (comm !== null) this.end();
    } else if (this.cpu && !this.cpu.comm && (cpu ?? this.cpu.cpu) === this.cpu.cpu) {
      Object.assign(this.cpu, { comm, pid, idle: idle || this.cpu.idle });
    } else if (cpu !== null) this.startCpu({ cpu, comm, pid, idle, frames: [] });
    else if (pid !== this.task?.pid && pid !== this.cpu?.pid) {
      this.end();
      this.startTask({ comm: comm ?? '', pid, ppid: null, state: 'R' });
    }
    return true;
  }

  private startCpu(cpu: Cpu): void {
    this.end();
    this.cpu = cpu;
    // The checker of spinlocks is called by what it prints, be that an interrupt.
    this.stack.begin(cpu, !this.headline.startsWith('BUG: spinlock'));
    if (this.cpus.length < MAX_TASKS) this.cpus.push(cpu);
  }

  private giveUpTorn(header: TaskHeader | null = this.torn.giveUp()): void {
    if (header) this.startTask(header);
  }
}
