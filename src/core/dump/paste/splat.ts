/**
 * Warnings about locks and contexts, which tell of a hang that may come: kernel/locking/lockdep.c, kernel/rcu/update.c,
 * kernel/sched/core.c. Only a paste is read for them: on a live console they accuse nobody.
 */
import type { Splat, TakenLock } from '../../model.js';
import { parseCpuLine } from '../cpu-lines.js';
import { parseFrames } from '../frame.js';
import { opener } from '../openers.js';
import { parseTaskHeader } from '../task-header.js';

/** More than a report with the longest chains has; what is not one after all is then read as before. */
const LINES_MAX = 2000;
const FRAMES_MAX = 64;
const CHAIN_MAX = 16;
const COMM_MAX = 32;

/** `WARNING: …`; `[ INFO: … ]` and `[ BUG: … ]` before 4.12. */
const HEADLINE = /^(?:\[ *)?(?:WARNING|INFO|BUG): /;
const KINDS: readonly [Splat['kind'], RegExp][] = [
  ['circular', /^possible circular locking dependency detected/],
  ['recursive', /^possible recursive locking detected/],
  ['irq', /^(?:inconsistent lock state|possible irq lock inversion dependency detected)/],
  ['irq', /^[A-Z_]{2,16}-safe -> [A-Z_]{2,16}-unsafe lock order detected/],
  ['wait-context', /^Invalid wait context/],
  ['sleep', /^sleeping function called from invalid context(?: at (?<source>\S{1,200}:\d{1,6}))?/],
  ['sleep', /^scheduling while atomic: (?<comm>.{1,64})\/(?<pid>\d{1,10})\/0x/],
  ['rcu', /^suspicious (?:RCU usage|rcu_\w+\(\) usage)/],
  ['unlock', /^bad unlock balance detected/],
  ['left', /^lock held (?:when returning to user space|at task exit time)/],
];

const TAKES =
  /^(.{1,64})\/(\d{1,10})(?: \[HC.{1,80}\])? (?:is trying to (?:acquire|lock|release)|just changed the state of|takes)\b(?: lock)?(.{0,300})/;
const HOLDS = /^(?:but|and) (?:this |now )?(?:task|lock) (?:is already holding|took another)/;
/** `ffff8881 (&mm->mmap_lock){++++}-{4:4}, at: down_read+0x1/0x2`; kernels before 4.15 print no address. */
const ROW = /^:?(?: *(?:\(?[0-9a-f]{8,16}\)?|\.{3}) +)?\(?\((.{1,200})\)(?:\{|\) at:)/;
const AT = /\bat: *(?:\[<[0-9a-f]{1,16}>\] *)*([A-Za-z_][\w.$]*)/;
/** What a mailer left of `at: function+0x1/0x2` in a line of its own. */
const AT_BELOW = /^(?:at: *)?(?:\[<[0-9a-f]{1,16}>\] *)*([A-Za-z_][\w.$]*)\+0x/;
const CHAIN = /^-> #\d{1,3} \((.{1,200})\)\{/;
const SOURCE = /^(\S{1,200}:\d{1,6}) (?:suspicious|RCU|Illegal|\w+ )/;
const ATOMIC = /^in_atomic\(\): \d.{0,120}\bpid: (\d{1,10}), name: (.{1,64})/;
const REGISTERED = /state was registered at:/;
/** Other stacks: how each of two locks was used before. */
const ASIDE =
  /^(?:[A-Z_-]{4,40}(?: at|:)|\.{3} (?:key|acquired) +at|Preemption disabled at|hardirqs last|softirqs last)/;
const TRACE = /^(?:Call [Tt]race|Backtrace|stack backtrace): *$/;
const MARK = /^<{1,2}\/?#?[A-Z_]{2,20}>{1,2}/;
/** What stands between the heading of a stack and its end. */
const BESIDE =
  /^(?:Hardware name|Workqueue|Tainted|Modules linked|[ER]?[A-Z]{2}P?:|R\d\d:|Code:|ORIG_RAX|EFLAGS|PKRU|CR2:|DR\d:|FS:|irq event|[a-z]+irqs last|Preemption|Call [Tt]race|CPU:|Pid:|[0-9a-f]{8,16} [0-9a-f]{8,16}|r\d{1,2}:)/;

/** A lock's class as it is called in the source: `&(&host->lock)->rlock` is `&host->lock`, `&x->mutex#3/1` is `&x->mutex`. */
function lockClass(name: string): string {
  const bare = name.replace(/(?:#\d{1,4})?(?:\/\d{1,3})?$/, '');
  const spin = /^&\(&?(.{1,180})\)->rlock$/.exec(bare)?.[1];
  const inner = spin === undefined ? bare : `&${spin}`;
  return /^\(([^()]{1,180})\)$/.exec(inner)?.[1] ?? inner;
}

/** The report that a line begins, or null. */
function begun(text: string): Splat | null {
  const splat: Splat = {
    kind: 'circular',
    comm: '',
    pid: null,
    wants: null,
    holds: null,
    chain: [],
    before: [],
    frames: [],
    source: null,
  };
  // The headline may be left out.
  if (text.endsWith(' is trying to acquire lock:') && TAKES.test(text)) return splat;
  const head = HEADLINE.exec(text)?.[0];
  if (head === undefined) return null;
  for (const [kind, pattern] of KINDS) {
    const found = pattern.exec(text.slice(head.length));
    if (found === null) continue;
    const { source = null, comm = '', pid } = found.groups ?? {};
    return {
      ...splat,
      kind,
      source,
      comm: comm.slice(0, COMM_MAX),
      pid: pid === undefined ? null : Number(pid),
    };
  }
  return null;
}

/** One report, read line by line. */
export class SplatReader {
  private lines = 0;
  private awaits: 'wants' | 'holds' | null = null;
  private stack: Splat['frames'] | null = null;
  private traced = false;

  private constructor(
    readonly headline: string,
    readonly splat: Splat,
  ) {}

  static opens(text: string): SplatReader | null {
    if (!text.includes('ing') && !text.includes('lock') && !text.includes('RCU') && !text.includes('context'))
      return null;
    const splat = begun(text);
    if (splat === null) return null;
    const reader = new SplatReader(text.replace(/^\[ *|[ .]*\]$/g, ''), splat);
    reader.takes(text);
    return reader;
  }

  /** False where the report is over, or something else begins: then the line is no part of it. */
  push(line: string): boolean {
    const text = line.replace(/^(?:#012)+ */, '');
    if ((this.lines += 1) > LINES_MAX || opener(text) !== null || parseTaskHeader(text) !== null)
      return false;
    if (text === '') return true;
    const row = this.awaits !== null || text.startsWith('#');
    const frames = !row ? parseFrames(text, this.stack?.length === 0) : null;
    if (frames) return this.add(frames);
    if (MARK.test(text)) return true;
    if (TRACE.test(text)) return this.trace();
    if (this.traced && this.splat.frames.length > 0) return BESIDE.test(text);
    return this.told(text);
  }

  /** Whether anything is known but that there was one. */
  get says(): boolean {
    const { comm, wants, frames } = this.splat;
    return wants !== null || frames.length > 0 || comm !== '';
  }

  private add(frames: Splat['frames']): boolean {
    if (this.stack && this.stack.length < FRAMES_MAX) this.stack.push(...frames);
    return true;
  }

  private trace(): boolean {
    // The second stack is another report's.
    if (this.traced && this.splat.frames.length > 0) return false;
    this.traced = true;
    this.awaits = null;
    this.stack = this.splat.frames;
    return true;
  }

  private told(text: string): true {
    if (this.lock(text) || this.takes(text)) return true;
    this.awaits = null;
    const chained = CHAIN.exec(text)?.[1];
    if (chained !== undefined) this.chained(chained);
    else if (HOLDS.test(text)) this.awaits = 'holds';
    else if (REGISTERED.test(text)) this.stack = this.splat.before;
    else if (ASIDE.test(text)) this.stack = this.traced ? this.stack : null;
    else this.splat.source ??= SOURCE.exec(text)?.[1] ?? null;
    this.named(text);
    return true;
  }

  private chained(name: string): void {
    const entry = { name: lockClass(name), frames: [] };
    if (this.splat.chain.length < CHAIN_MAX) this.splat.chain.push(entry);
    this.stack = entry.frames;
  }

  private takes(text: string): boolean {
    const [, comm, pid, rest = ''] = TAKES.exec(text) ?? [];
    if (comm === undefined) return false;
    this.splat.comm = comm.slice(0, COMM_MAX);
    this.splat.pid = Number(pid);
    this.awaits = 'wants';
    this.stack = null;
    this.lock(rest.trim());
    return true;
  }

  /** The lock that the line above announced; syzkaller prints it once for each function that was inlined. */
  private lock(text: string): boolean {
    if (this.awaits === null) return false;
    const known: TakenLock | null = this.splat[this.awaits];
    const name = ROW.exec(text)?.[1];
    const at = text.includes('[inline]') ? undefined : AT.exec(text)?.[1];
    if (name !== undefined) this.splat[this.awaits] = { name: lockClass(name), at: at ?? known?.at ?? null };
    else if (known?.at === null) known.at = AT_BELOW.exec(text)?.[1] ?? null;
    return name !== undefined || (known !== null && AT_BELOW.test(text));
  }

  private named(text: string): void {
    if (this.splat.comm !== '') return;
    const [, pid, comm] = ATOMIC.exec(text) ?? [];
    const line = comm === undefined ? parseCpuLine(text) : { pid: Number(pid), comm };
    if (!line?.comm) return;
    this.splat.comm = line.comm.slice(0, COMM_MAX);
    this.splat.pid = line.pid;
  }
}
