/** memory.txt read back: in the form of SysRq-t, with what only memory tells in lines of its own. */
import { addToCpu, addToScheduler, addToTask, readEnd, readIncomplete } from '../memory-words.js';
import type { Dump } from '../model.js';
import { Section } from './section.js';
import type { StackPool } from './stack-pool.js';

/** More than any machine has CPUs, and a snapshot reasons. */
const MOST_ROWS = 8192;

/** The last of a header's fields that could be a name's. */
const TGID = / tgid:(\d{1,10}) +ppid:\d{1,10} *$/;

export class MemorySection extends Section {
  private readonly incomplete: string[] = [];
  private readonly scheduler: NonNullable<Dump['onCpu']> = [];
  private promised: number | null = null;

  constructor(
    private readonly memory: NonNullable<Dump['memory']>,
    headline: string,
    boot: number,
    pool: StackPool,
  ) {
    super('memory', headline, memory.clock, boot, pool);
  }

  /** Whether its last line came. */
  get ended(): boolean {
    return this.promised !== null;
  }

  override push(text: string): void {
    if (this.ownLine(text)) return;
    super.push(text);
    const process = text.startsWith('task:') ? TGID.exec(text)?.[1] : undefined;
    if (this.task && process !== undefined) this.task.tgid = Number(process);
  }

  private ownLine(text: string): boolean {
    if (this.task && addToTask(this.task, text)) return true;
    if (this.cpu && addToCpu(this.cpu, text)) return true;
    if (this.scheduler.length < MOST_ROWS && addToScheduler(this.scheduler, text)) return true;
    const because = readIncomplete(text);
    if (because !== null && this.incomplete.length < MOST_ROWS) this.incomplete.push(because);
    this.promised ??= readEnd(text);
    return because !== null || this.ended;
  }

  toDump(): Dump {
    this.end();
    const cut = this.promised === this.tasks.length ? [] : ['its end is missing: the file was cut'];
    const incompleteBecause = [...this.incomplete, ...cut];
    return {
      key: 'memory',
      complete: incompleteBecause.length === 0,
      incompleteBecause,
      tasks: this.tasks,
      cpus: this.cpus,
      locks: [],
      workqueues: [],
      headline: this.headline,
      bootSeconds: this.memory.clock,
      boot: this.boot,
      ...(this.scheduler.length === 0 ? {} : { onCpu: this.scheduler }),
      memory: this.memory,
    };
  }
}
