/** Tasks of a kernel without BTF, as raw bytes: by the first task's name, and the list that leads through all. */
import type { AddressSpace } from './model.js';
import { isKernelAddress, stringAt, u64, viewOf } from './reading.js';

/** A structure's bytes, with what lies behind it: how large it is, is not known. */
export interface Sample {
  at: bigint;
  view: DataView;
  length: number;
}

export interface TaskSample extends Sample {
  comm: string;
}

export interface TaskSamples {
  /** The idle task of the first CPU. */
  idle: TaskSample;
  /** In the order of the list: init first, kthreadd among them. */
  tasks: TaskSample[];
  init: TaskSample;
  kthreadd: TaskSample;
  /** Offsets of the two members by which they were found. */
  comm: number;
  list: number;
}

/** No task_struct is smaller, or larger. */
const smallestTask = 2048;
const taskLimit = 16_384;
const fewestTasks = 10;
const mostTasks = 400;
/** Lists of the first task that lead back, but are not that of all tasks. */
const mostLists = 32;
const commLength = 16;

/** As much as is mapped, page by page; null where that is less than `least`. */
export function sampleAt(space: AddressSpace, at: bigint, least: number, limit: number): Sample | null {
  const bytes = new Uint8Array(limit);
  let length = 0;
  while (length < limit) {
    const piece = Math.min(limit - length, 4096 - Number((at + BigInt(length)) & 0xfffn));
    if (!space.read(at + BigInt(length), bytes.subarray(length, length + piece))) break;
    length += piece;
  }
  return length < least ? null : { at, view: viewOf(bytes), length };
}

const bytesOf = ({ view }: Sample): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

function commAt(sample: Sample, offset: number): string | null {
  const text = stringAt(bytesOf(sample), offset, commLength);
  return text.length < commLength && /^[\x20-\x7e]+$/.test(text) ? text : null;
}

function commOffset(sample: Sample): number | null {
  for (const name of ['swapper/0', 'swapper']) {
    for (let at = 0; at + commLength <= sample.length; at += 8) if (commAt(sample, at) === name) return at;
  }
  return null;
}

/** All tasks of a list; null where one of them has no name. */
function walk(space: AddressSpace, idle: Sample, list: number, comm: number): TaskSample[] | null {
  const head = idle.at + BigInt(list);
  const seen = new Set<bigint>();
  const tasks: TaskSample[] = [];
  let next = idle.view.getBigUint64(list, true);
  while (next !== head && tasks.length < mostTasks) {
    if (!isKernelAddress(next) || seen.has(next)) return null;
    seen.add(next);
    const sample = sampleAt(space, next - BigInt(list), smallestTask, taskLimit);
    const name = sample === null || sample.length < idle.length ? null : commAt(sample, comm);
    if (sample === null || name === null) return null;
    tasks.push({ ...sample, comm: name });
    next = sample.view.getBigUint64(list, true);
  }
  return tasks;
}

export function sampleTasks(space: AddressSpace, initTask: bigint): TaskSamples | null {
  const idle = sampleAt(space, initTask, smallestTask, taskLimit);
  const comm = idle === null ? null : commOffset(idle);
  if (idle === null || comm === null) return null;
  let lists = 0;
  for (let list = 0; list + 16 <= idle.length && lists < mostLists; list += 8) {
    const next = idle.view.getBigUint64(list, true);
    const own = initTask + BigInt(list);
    if (next === own || !isKernelAddress(next) || u64(space, next + 8n) !== own) continue;
    lists += 1;
    const tasks = walk(space, idle, list, comm);
    const init = tasks?.[0];
    const kthreadd = tasks?.find((task) => task.comm === 'kthreadd');
    if (tasks === null || init === undefined || kthreadd === undefined || tasks.length < fewestTasks)
      continue;
    return { idle: { ...idle, comm: commAt(idle, comm) ?? '' }, tasks, init, kthreadd, comm, list };
  }
  return null;
}
