/** The tasks of a running guest as `ps VM` shows them. */
import { isBenign, isIdleThread } from '../analysis/benign.js';
import { operationFrame } from '../analysis/frames.js';
import type { Dump, Task } from '../model.js';

export interface TaskRow {
  pid: number | null;
  comm: string;
  state: string;
  /** Null where it is on a CPU, or that is not known. */
  offCpuSeconds: number | null;
  /** The function that names the place; null where it is in user mode, or its stack is not known. */
  waitsIn: string | null;
  /** The lock, the request or the thing that it waits for. */
  waitsFor: string | null;
  /** Why its stack may be wrong, and with it where and for what it waits; null where nothing speaks against it. */
  doubt: string | null;
}

/** Those longest off the CPU first, those that run last; idle kernel threads only where `all` are wanted. */
export function taskRows({ tasks }: Pick<Dump, 'tasks'>, all: boolean): { rows: TaskRow[]; hidden: number } {
  const shown = all ? tasks : tasks.filter((task) => !isIdleThread(task));
  const rows = shown.map(rowOf).sort((a, b) => (b.offCpuSeconds ?? -1) - (a.offCpuSeconds ?? -1));
  return { rows, hidden: tasks.length - shown.length };
}

const BLOCKED_SHOWN = 3;

/**
 * Who waits for what a healthy task does not wait for long, the longest first: in D, or for the answer of a server. Among
 * programs that rest for days they would be found late. Empty where nobody does.
 */
export function blockedText({ tasks }: Pick<Dump, 'tasks'>): string {
  const waits = (task: Task) => task.state === 'D' || task.request !== undefined;
  const { rows } = taskRows({ tasks: tasks.filter((task) => waits(task) && !isBenign(task)) }, false);
  const named = rows.slice(0, BLOCKED_SHOWN).map(({ comm, pid, offCpuSeconds, waitsIn }) => {
    const since = offCpuSeconds === null ? '' : ` for ${offCpuSeconds.toFixed(1)} s`;
    return `${comm}:${pid ?? '?'}${since}${waitsIn === null ? '' : ` in ${waitsIn}`}`;
  });
  const more = rows.length > named.length ? `, and ${rows.length - named.length} more` : '';
  return named.length === 0 ? '' : `blocked: ${named.join(', ')}${more}`;
}

/** What was fallen back on to read it, in phrases; empty where nothing was. */
export function fallbacksOf({ memory }: Pick<Dump, 'memory'>): string[] {
  if (memory === undefined) return [];
  const { how, way } = memory;
  return [
    ...(way === undefined || way === 'shared memory' ? [] : [`read from ${way}`]),
    ...(how.kernel === 'page tables of a vCPU' ? ['kernel found by the page tables of a vCPU'] : []),
    ...(how.types === 'learned' ? ['types learned from its tasks'] : []),
    ...(how.stacks === 'frame records' ? ['stacks by frame records'] : []),
  ];
}

function rowOf(task: Task): TaskRow {
  const { pid, comm, state, onCpu, offCpuSeconds = null } = task;
  return {
    pid,
    comm,
    state,
    offCpuSeconds: onCpu === true ? null : offCpuSeconds,
    waitsIn: task.queued === true || onCpu === true ? whereRuns(task) : placeOf(task),
    waitsFor: forWhat(task),
    doubt: task.doubt ?? null,
  };
}

/** What leads to all system calls alike. */
const ENTRY =
  /^(?:do_syscall_64|x64_sys_call|ia32_sys_call|do_int80_\w+|_*do_fast_syscall_32|el0_svc\w*|invoke_syscall\w*)$/;
const SLEEP = /^(?:__schedule|schedule)$/;

/** A call that sleeps by itself, as pause does, has no place of its own but that call. */
function placeOf({ frames }: Task): string | null {
  const place = operationFrame(frames);
  if (place === null || !ENTRY.test(place.symbol)) return place?.symbol ?? null;
  const called = frames[frames.indexOf(place) - 1];
  return called === undefined || SLEEP.test(called.symbol) ? place.symbol : called.symbol;
}

const whereRuns = ({ queued, cpu }: Task): string => {
  const where = cpu === undefined ? 'a CPU' : `CPU ${cpu}`;
  return queued === true ? `waits for ${where}` : `on ${where}`;
};

function forWhat(task: Task): string | null {
  const { wantsLock: lock, request, objects = [], futex } = task;
  if (lock !== undefined) {
    const name = lock.name ?? lock.address;
    const held = lock.held === 'readers' ? ', held by readers' : '';
    return `${lock.kind} ${name}${lock.owner === null ? held : ` of ${lock.owner.comm}:${lock.owner.pid}`}`;
  }
  if (request !== undefined)
    return `${request.operation} request ${request.unique}${request.source === null ? '' : ` to ${request.source}`}`;
  if (task.state === 'D') {
    const thing = objects.find(({ kind }) => kind === 'folio') ?? objects[0];
    if (thing !== undefined) return `${thing.kind} ${thing.text}${onWhat(thing.filesystem)}`;
  }
  return futex === undefined ? null : `futex ${futex.address}`;
}

function onWhat(filesystem: NonNullable<Task['objects']>[number]['filesystem']): string {
  if (filesystem === undefined) return '';
  const { type, source, on } = filesystem;
  return ` of ${type}${source === null ? '' : `:${source}`}${on === null ? '' : ` on ${on}`}`;
}
