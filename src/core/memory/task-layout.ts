/** Where the members of struct task_struct lie that a snapshot reads. */
import type { Kernel } from './model.js';

export interface TaskLayout {
  /** Bytes of a task that hold all of them. */
  span: number;
  /** Needed to walk the lists at all. */
  tasks: number;
  pid: number;
  comm: number;
  stack: number;
  state: number;
  stateSize: number;
  tgid: number | null;
  threads: { node: number; signal: number; head: number } | null;
  /** x86: where its frame lies; arm64: the registers that a switch saved. */
  sp: number;
  fp: number | null;
  pc: number | null;
  parent: number | null;
  exitState: number | null;
  flags: number | null;
  cpu: number | null;
  onCpu: Member | null;
  onRq: Member | null;
  execStart: number | null;
  lastQueued: number | null;
  switches: { voluntary: number; forced: number } | null;
  blocker: number | null;
  blockedOn: number | null;
}

interface Member {
  at: number;
  size: number;
}

export const COMM_MAX = 16;
/** A task_struct has 6 to 10 KiB, with debugging up to 14. */
const SPAN_MAX = 64 * 1024;

/** Null where even the list of tasks cannot be walked. */
export function taskLayout({ arch, layouts }: Kernel): TaskLayout | null {
  const offset = (path: string) => layouts.offset('task_struct', path);
  const member = (path: string): Member | null => {
    const at = offset(path);
    const size = layouts.memberSize('task_struct', path) ?? 4;
    return at === null || ![1, 2, 4, 8].includes(size) ? null : { at, size };
  };
  const needed = {
    tasks: offset('tasks.next|tasks'),
    pid: offset('pid'),
    comm: offset('comm'),
    stack: offset('stack'),
    state: offset('__state|state'),
    sp: offset(arch === 'arm64' ? 'thread.cpu_context.sp' : 'thread.sp'),
  };
  const { tasks, pid, comm, stack, state, sp } = needed;
  if (tasks === null || pid === null || comm === null) return null;
  if (stack === null || state === null || sp === null) return null;
  const [voluntary, forced] = [offset('nvcsw'), offset('nivcsw')];
  const layout = {
    ...{ tasks, pid, comm, stack, state, sp },
    stateSize: offset('__state') === null && offset('state') !== null ? 8 : 4,
    tgid: offset('tgid'),
    threads: threadsOf(layouts),
    fp: arch === 'arm64' ? offset('thread.cpu_context.fp') : null,
    pc: arch === 'arm64' ? offset('thread.cpu_context.pc') : null,
    parent: offset('real_parent'),
    exitState: offset('exit_state'),
    flags: offset('flags'),
    cpu: offset('thread_info.cpu|cpu'),
    onCpu: member('on_cpu'),
    onRq: member('on_rq'),
    execStart: offset('se.exec_start'),
    lastQueued: offset('sched_info.last_queued'),
    switches: voluntary === null || forced === null ? null : { voluntary, forced },
    blocker: offset('blocker'),
    blockedOn: offset('blocked_on'),
  };
  const span = Math.max(...offsetsOf(layout)) + COMM_MAX;
  return span > SPAN_MAX ? null : { ...layout, span };
}

function threadsOf(layouts: Kernel['layouts']): TaskLayout['threads'] {
  const node = layouts.offset('task_struct', 'thread_node.next|thread_node');
  const signal = layouts.offset('task_struct', 'signal');
  const head = layouts.offset('signal_struct', 'thread_head');
  return node === null || signal === null || head === null ? null : { node, signal, head };
}

function offsetsOf(layout: Omit<TaskLayout, 'span'>): number[] {
  const { threads, onCpu, onRq, switches, stateSize, ...rest } = layout;
  const nested = [threads?.node, threads?.signal, onCpu?.at, onRq?.at, switches?.voluntary, switches?.forced];
  return [...Object.values(rest), ...nested].filter((at) => typeof at === 'number').concat(stateSize);
}

/** The part of a task that tells who it is, how it sleeps and how often it ran, for the cheap walk. */
export function briefSpan(layout: TaskLayout): number {
  const { tasks, pid, comm, state, threads, switches, onCpu, execStart } = layout;
  const brief = [threads?.node, threads?.signal, switches?.voluntary, switches?.forced, onCpu?.at, execStart];
  return Math.max(tasks, pid, comm, state, layout.exitState ?? 0, ...brief.map((at) => at ?? 0)) + COMM_MAX;
}

const STACK_SIZE = 16 * 1024;
const STACK_SIZES = [8192, STACK_SIZE, 2 * STACK_SIZE, 4 * STACK_SIZE];

/** Of a task's stack: 16 KiB on both architectures, 32 with KASAN. */
export function stackSize({ layouts, symbols }: Kernel): number {
  const union = layouts.size('thread_union');
  if (union !== null && STACK_SIZES.includes(union)) return union;
  const first = symbols.address('init_stack');
  const end = symbols.address('__end_init_stack');
  const size = first === null || end === null ? STACK_SIZE : Number(end - first);
  return STACK_SIZES.includes(size) ? size : STACK_SIZE;
}
