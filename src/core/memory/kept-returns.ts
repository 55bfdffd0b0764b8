/**
 * Where frames return to whose return address a tracer has put aside, and its trampoline's in its place: function graph
 * (kernel/trace/fgraph.c) and kretprobes (kernel/trace/rethook.c). x86-64.
 */
import type { Kernel } from './model.js';
import { u32, u64 } from './reading.js';

export interface Trampolines {
  graph: bigint | null;
  probe: bigint | null;
}

export const trampolinesOf = ({ symbols }: Kernel): Trampolines => ({
  graph: symbols.address('return_to_handler'),
  probe: symbols.address('arch_rethook_trampoline'),
});

const DEPTH_MAX = 64;
/** Of a word of the shadow stack: how many words lie between it and its entry. */
const DISTANCE = 0x3ffn;

/** Of one task. They are read when the first trampoline is met. */
export class KeptReturns {
  #graph: bigint[] | null = null;
  #probes: bigint[] | null = null;

  /** `task` null: nobody knows of whom. */
  constructor(
    private readonly kernel: Kernel,
    private readonly trampolines: Trampolines,
    private readonly task: bigint | null,
  ) {}

  /** The address itself, or for a trampoline what it stands for: each is asked for once, innermost first. Null: not known. */
  of(ip: bigint): bigint | null {
    const { graph, probe } = this.trampolines;
    if (ip !== graph && ip !== probe) return ip;
    if (this.task === null) return null;
    const kept =
      ip === graph ? (this.#graph ??= this.#read(graphReturns)) : (this.#probes ??= this.#read(probeReturns));
    const next = kept.shift() ?? null;
    // A traced function may be probed too.
    return next === graph || next === probe ? this.of(next ?? 0n) : next;
  }

  /** One that returns to its own kind returns to the next entry: a call in a tail, or two probes of one function. */
  #read(read: (kernel: Kernel, task: bigint) => bigint[]): bigint[] {
    const own = read === graphReturns ? this.trampolines.graph : this.trampolines.probe;
    return read(this.kernel, this.task ?? 0n).filter((address) => address !== own);
  }
}

function graphReturns({ layouts, space, release }: Kernel, task: bigint): bigint[] {
  const [at, depthAt] = [
    layouts.offset('task_struct', 'ret_stack'),
    layouts.offset('task_struct', 'curr_ret_stack'),
  ];
  const size = layouts.size('ftrace_ret_stack');
  const stack = at === null ? null : u64(space, task + BigInt(at));
  const depth = depthAt === null ? null : u32(space, task + BigInt(depthAt));
  if (stack === null || depth === null || size === null) return [];
  // Since 6.11 a stack of words, each entry with its length on top.
  return hasLengths(release) ? withLengths(space, stack, depth) : ofEntries(space, stack, depth | 0, size);
}

function hasLengths(release: string): boolean {
  const [, major, minor] = /^(\d{1,3})\.(\d{1,3})/.exec(release) ?? [];
  return Number(major) * 1000 + Number(minor) >= 6011;
}

function ofEntries(space: Kernel['space'], stack: bigint, last: number, size: number): bigint[] {
  const found: bigint[] = [];
  for (let index = last; index >= 0 && found.length < DEPTH_MAX; index -= 1) {
    const address = u64(space, stack + BigInt(index * size));
    if (address === null) break;
    found.push(address);
  }
  return found;
}

function withLengths(space: Kernel['space'], stack: bigint, depth: number): bigint[] {
  const found: bigint[] = [];
  for (let top = depth; top > 0 && found.length < DEPTH_MAX;) {
    const length = Number((u64(space, stack + BigInt(8 * (top - 1))) ?? 0n) & DISTANCE);
    top -= 1 + length;
    const address = length === 0 || top < 0 ? null : u64(space, stack + BigInt(8 * top));
    if (address === null) break;
    found.push(address);
  }
  return found;
}

function probeReturns({ layouts, space }: Kernel, task: bigint): bigint[] {
  const head = layouts.offset('task_struct', 'rethooks.first');
  const [link, address] = [
    layouts.offset('rethook_node', 'llist'),
    layouts.offset('rethook_node', 'ret_addr'),
  ];
  if (head === null || link === null || address === null) return [];
  const found: bigint[] = [];
  let next = u64(space, task + BigInt(head));
  while (next !== null && next !== 0n && found.length < DEPTH_MAX) {
    const kept = u64(space, next - BigInt(link) + BigInt(address));
    if (kept === null) break;
    found.push(kept);
    next = u64(space, next);
  }
  return found;
}
