import type { Blocker, Dump, DumpKey, Stall, Task } from '../model.js';
import { parseCpuLine, taskDumpFor } from './cpu-lines.js';
import { parseInstruction } from './frame.js';
import type { Report } from './openers.js';
import { FutexRegisters } from './registers.js';
import { SchedTable } from './sched-table.js';
import { Stack } from './stack.js';
import type { StackPool } from './stack-pool.js';
import { StallReport, softLockup } from './stall.js';
import { LockTable, parseWorkqueue } from './tables.js';
import { parseTaskHeader, parseUntagged, taskTag, type TaskHeader } from './task-header.js';
import { TornHeaders } from './torn.js';
import { Unplaced } from './unplaced.js';
import { WorkqueueTable } from './workqueues.js';

type Cpu = Dump['cpus'][number];
type Mode = 'stacks' | 'sched' | 'workqueues';

const MAX_TASKS = 200_000;

const TRACE = /^(?:Call [Tt]race|Backtrace|Trace|Stack ?[Tt]race): *(.*)$/;
/** The stacks that follow are of others, who used the memory long ago (KASAN), or of a warning. */
const OTHERS = /^(?:-{12}\[ cut here|(?:Allocated|Freed) by task |Last potentially related work creation:)/;
/** Android's kernels print a stack once. */
const SAME = /^<Same stack as pid (\d{1,10})>/;
const NOBODY: TaskHeader = { comm: '', pid: null, ppid: null, state: '?' };
/** Dumps of tasks: a CPU's backtrace within is no part of them. */
const TASK_KEYS: ReadonlySet<DumpKey> = new Set(['w', 't', 'none']);
const LISTING_KEYS: ReadonlySet<DumpKey> = new Set(['w', 't']);
/** Memory and timers: their lines are shown as they are. */
const UNREAD_KEYS: ReadonlySet<DumpKey> = new Set(['m', 'q']);
const CPU_KEYS: ReadonlySet<DumpKey> = new Set(['lockup', 'rcu_stall', 'oops', 'panic']);

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
  /** The log ends before the stack does. */
  endsInStack = false;

  readonly torn = new TornHeaders();

  private readonly stack: Stack;
  private readonly leftOver = new Unplaced();
  private readonly stalls: StallReport | null;
  private readonly registers = new FutexRegisters();
  private onCpu: number | null = null;
  private mode: Mode = 'stacks';
  private task: Task | null = null;
  private cpu: Cpu | null = null;
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
  ) {
    this.stack = new Stack(pool);
    this.stalls = key === 'rcu_stall' || key === 'lockup' ? new StallReport() : null;
    this.stalls?.push(headline);
  }

  /** Whom a stall or lockup accuses. */
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
    return UNREAD_KEYS.has(this.key) ? undefined : this.leftOver.found;
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

  /** Nothing in it but what the kernel says by itself: no tasks of a dump that it broke into. */
  get onlyReports(): boolean {
    if (this.stalls !== null) return this.tasks.every((task) => this.isOfStall(task));
    return this.key === 'hung_task' && this.tasks.length <= this.reports.size + this.blockers.length;
  }

  /** The kernel shows the accused and RCU's own threads unasked; only lines of a dump know the parents of others. */
  private isOfStall({ comm, pid, ppid }: Task): boolean {
    return (
      ppid === null || comm.startsWith('rcu_') || (pid !== null && this.stall?.pids.includes(pid) === true)
    );
  }

  /** HELP came: all that was printed up to here is inside. */
  fence(): void {
    this.fenced = true;
    this.leftOver.settle();
  }

  /** The log ends here. */
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
    else this.leftOver.add(text);
  }

  /** False where no part of the dump wants the line. */
  private place(text: string): boolean {
    const mended = this.torn.mend(text);
    if (mended) return this.startTask(mended);
    this.giveUpTorn(this.torn.pass(text));
    if (this.mode !== 'sched' && this.frame(text)) return true;
    if (this.locks.push(text) || this.stalls?.push(text) === true) return true;
    if (this.table(text)) return true;
    const header = parseTaskHeader(text) ?? parseUntagged(text);
    if (header) return this.startTask(header);
    if (this.registers.push(this.task, text)) return true;
    return this.mark(text) || this.cpuLine(text) || this.torn.keep(text);
  }

  private frame(text: string): boolean {
    if (this.key === 'lockup' && this.stack.idle && parseInstruction(text)) this.startAccused();
    if (!this.stack.push(text)) return false;
    this.frameRow = this.row;
    this.giveUpTorn();
    if (this.stack.idle) this.task = this.cpu = null;
    return true;
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
    const [trace, rest] = TRACE.exec(text) ?? [];
    if (trace !== undefined) {
      this.callTrace();
      if (rest !== undefined && rest !== '') this.stack.push(rest);
    } else if (SAME.test(text)) this.sameAs(Number(SAME.exec(text)?.[1]));
    else if (text.startsWith('Workqueue: ')) {
      if (this.task) this.task.workqueue ??= parseWorkqueue(text);
    } else if (OTHERS.test(text)) this.end();
    else return false;
    return true;
  }

  private sameAs(pid: number): void {
    const like = this.byPid.get(pid);
    if (this.task && like) this.task.frames = [...like.frames];
  }

  private callTrace(): void {
    this.giveUpTorn();
    if (this.stack.homeless) {
      const reported = this.report !== null;
      this.leave();
      if (reported) this.startReported();
      // A stack whose header was lost is still evidence in a dump of tasks; elsewhere it may be anything.
      else if (LISTING_KEYS.has(this.key)) {
        this.torn.lost += 1;
        this.startTask(NOBODY);
      } else this.startAccused();
    }
    this.stack.trace();
  }

  private leave(): void {
    this.stack.leave();
    this.task = null;
    this.cpu = null;
  }

  /** The first stack of a report about a CPU, of which no line says whose it is, is of the one it accuses. */
  private startAccused(): void {
    if (!CPU_KEYS.has(this.key) || this.hasStack) return;
    const accused = softLockup(this.headline);
    if (accused) this.startCpu({ ...accused, idle: false, frames: [] });
    else this.startTask({ ...NOBODY, state: 'R' });
  }

  /** hung_task named the task, but no header came. */
  private startReported(): void {
    if (this.report) this.startTask({ comm: this.report.comm, pid: this.report.pid, ppid: null, state: 'D' });
  }

  private startTask(header: TaskHeader): true {
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
    if (TASK_KEYS.has(this.key)) {
      if (comm !== null) this.end();
    } else if (this.cpu?.comm === null && (cpu ?? this.cpu.cpu) === this.cpu.cpu) {
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
    this.stack.begin(cpu, true);
    if (this.cpus.length < MAX_TASKS) this.cpus.push(cpu);
  }

  private giveUpTorn(header: TaskHeader | null = this.torn.giveUp()): void {
    if (header) this.startTask(header);
  }
}
