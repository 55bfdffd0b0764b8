/** A guest of a few tasks on two CPUs, made by hand. */
import { X86_REGS } from '../../../src/core/memory/pt-regs.js';
import type { Kernel, VcpuRegisters } from '../../../src/core/memory/model.js';
import { FakeMemory, fakeKernel, TEXT, writeOrc } from './fake-kernel.js';

export const TASK_TYPES = {
  ...{
    'task_struct.__state': 24,
    'task_struct.stack': 32,
    'task_struct.flags': 44,
    'task_struct.on_cpu': 52,
  },
  ...{ 'task_struct.on_rq': 56, 'task_struct.se.exec_start': 64, 'task_struct.sched_info.last_queued': 72 },
  ...{
    'task_struct.tasks.next': 80,
    'task_struct.exit_state': 96,
    'task_struct.pid': 100,
    'task_struct.tgid': 104,
  },
  ...{ 'task_struct.real_parent': 112, 'task_struct.thread_node.next': 120, 'task_struct.nvcsw': 136 },
  ...{
    'task_struct.nivcsw': 144,
    'task_struct.comm': 152,
    'task_struct.signal': 168,
    'task_struct.thread.sp': 176,
  },
  ...{ 'task_struct.thread_info.cpu': 16, 'signal_struct.thread_head': 16, task_struct: 256 },
  ...{ 'task_struct.blocker': 184, 'task_struct.ret_stack': 192, 'task_struct.curr_ret_stack': 200 },
  ...{
    'task_struct.rethooks.first': 208,
    ftrace_ret_stack: 32,
    'rethook_node.llist': 16,
    'rethook_node.ret_addr': 32,
  },
};
const RQ_TYPES = { 'rq.curr': 0, 'rq.idle': 8, 'rq.clock': 16, 'rq.clock_task': 24 };

const at = (member: keyof typeof TASK_TYPES) => BigInt(TASK_TYPES[member]);

export interface FakeTask {
  comm: string;
  pid: number;
  tgid?: number;
  parent?: bigint;
  state?: number;
  exit?: number;
  flags?: number;
  cpu?: number;
  onCpu?: boolean;
  execStart?: number;
  lastQueued?: number;
  switches?: [number, number];
  /** Words from the saved stack pointer on; null: it has no stack. */
  stack?: 'syscall' | 'thread' | null;
}

export const taskAt = (pid: number): bigint => 0xffff_8880_0000_0000n + BigInt(pid) * 0x1000n;
export const INIT = taskAt(0);
const stackAt = (pid: number): bigint => 0xffff_c900_0000_0000n + BigInt(pid) * 0x8000n;
const signalAt = (tgid: number): bigint => 0xffff_8881_0000_0000n + BigInt(tgid) * 0x1000n;
const ORC = TEXT + 0x8_0000n;
const PER_CPU = [0xffff_8882_0000_0000n, 0xffff_8882_0001_0000n];
const GDT = 0xffff_fe00_0000_0000n;

const SYMBOLS: [string, bigint, number?][] = [
  ['ret_from_fork_asm', TEXT, 0x100],
  ['schedule', TEXT + 0x100n, 0x100],
  ['vfs_read', TEXT + 0x200n, 0x100],
  ['entry_SYSCALL_64_after_hwframe', TEXT + 0x300n, 0x100],
  ['spin', TEXT + 0x400n, 0x100],
  ['return_to_handler', TEXT + 0x500n, 0x80],
  ['arch_rethook_trampoline', TEXT + 0x580n, 0x80],
  ['init_task', INIT],
  ['__per_cpu_offset', TEXT + 0x9_0000n],
  ['nr_cpu_ids', TEXT + 0x9_1000n],
  ['__cpu_online_mask', TEXT + 0x9_1008n],
  ['runqueues', 0x100n],
  ['modules', TEXT + 0x9_2000n],
];
export const RETURN = { fork: 0x10n, schedule: 0x110n, read: 0x210n, entry: 0x310n, spin: 0x410n };
export const ip = (name: keyof typeof RETURN): bigint => TEXT + RETURN[name];

interface FakeGuest {
  memory: FakeMemory;
  kernel: Kernel;
  registers: VcpuRegisters[];
}

/** `running`: the pids on the two CPUs; 0 is idle. */
export function fakeGuest(tasks: readonly FakeTask[], running: [number, number] = [0, 0]): FakeGuest {
  const memory = new FakeMemory();
  memory.bytes(TEXT, new Uint8Array(0x1000).fill(0x90));
  for (const offset of Object.values(RETURN)) memory.bytes(TEXT + offset - 5n, [0xe8, 0, 0, 0, 0]);
  const orc = writeOrc(memory, ORC, [
    { from: TEXT, kind: 'end' },
    { from: TEXT + 0x100n, kind: 'call', sp: 'sp', spOffset: 16 },
    { from: TEXT + 0x200n, kind: 'call', sp: 'sp', spOffset: 16 },
    { from: TEXT + 0x300n, kind: 'regs', sp: 'sp', signal: true },
    { from: TEXT + 0x400n, kind: 'call', sp: 'sp', spOffset: 16 },
  ]);
  for (const task of [{ comm: 'swapper/0', pid: 0, stack: null }, ...tasks]) writeTask(memory, task);
  linkTasks(memory, tasks);
  writeCpus(memory, running);
  memory.u64(TEXT + 0x9_2000n, TEXT + 0x9_2000n);
  const kernel = fakeKernel({
    ...{ memory, symbols: [...SYMBOLS, ...orc], types: { ...TASK_TYPES, ...RQ_TYPES, ...MODULE_TYPES } },
    memberSizes: { 'task_struct.on_cpu': 4, 'task_struct.on_rq': 4 },
  });
  return { memory, kernel, registers: [0, 1].map((cpu) => registersOf(cpu, running[cpu] ?? 0)) };
}

export const MODULE_TYPES = {
  ...{ 'module.state': 0, 'module.list.next': 8, 'module.name': 24, 'module.kallsyms': 96 },
  ...{ 'module.mem': 104, module_memory: 16, 'module_memory.base': 0, 'module_memory.size': 8 },
  ...{ 'module.arch.num_orcs': 240, 'module.arch.orc_unwind_ip': 248, 'module.arch.orc_unwind': 256 },
};

function writeTask(memory: FakeMemory, task: FakeTask): void {
  const {
    comm,
    pid,
    tgid = pid,
    parent = INIT,
    state = 1,
    exit = 0,
    flags = 0,
    cpu = 0,
    onCpu = false,
  } = task;
  const here = taskAt(pid);
  memory.bytes(here, new Uint8Array(256));
  const u32 = (member: keyof typeof TASK_TYPES, value: number) => memory.u32(here + at(member), value);
  const u64 = (member: keyof typeof TASK_TYPES, value: bigint | number) =>
    memory.u64(here + at(member), value);
  u32('task_struct.__state', state);
  u32('task_struct.exit_state', exit);
  u32('task_struct.flags', flags);
  u32('task_struct.pid', pid);
  u32('task_struct.tgid', tgid);
  u32('task_struct.thread_info.cpu', cpu);
  u32('task_struct.on_cpu', onCpu ? 1 : 0);
  u64('task_struct.se.exec_start', task.execStart ?? 1_000_000_000);
  u64('task_struct.sched_info.last_queued', task.lastQueued ?? 0);
  u64('task_struct.real_parent', parent);
  const [voluntary, forced] = task.switches ?? [pid, 1];
  u64('task_struct.nvcsw', voluntary);
  u64('task_struct.nivcsw', forced);
  u64('task_struct.signal', signalAt(tgid));
  memory.text(here + at('task_struct.comm'), comm.slice(0, 15));
  const stack = task.stack === undefined ? 'thread' : task.stack;
  if (stack === null) return;
  u64('task_struct.stack', stackAt(pid));
  u64('task_struct.thread.sp', writeStack(memory, pid, stack));
}

/** schedule, then vfs_read; then the end of a thread, or an entry with the registers of read(3, …). */
function writeStack(memory: FakeMemory, pid: number, kind: 'syscall' | 'thread'): bigint {
  const base = stackAt(pid);
  memory.bytes(base, new Uint8Array(16384));
  const sp = base + 16384n - 512n;
  memory.u64(sp + 48n, ip('schedule'));
  memory.u64(sp + 56n + 8n, ip('read'));
  memory.u64(sp + 56n + 24n, kind === 'thread' ? ip('fork') : ip('entry'));
  const regs = sp + 56n + 32n;
  memory.u64(regs + BigInt(X86_REGS.cs), kind === 'thread' ? 0x10 : 0x33);
  memory.u64(regs + BigInt(X86_REGS.di), 3);
  return sp;
}

function linkTasks(memory: FakeMemory, tasks: readonly FakeTask[]): void {
  const leaders = [0, ...tasks.filter(({ pid, tgid = pid }) => tgid === pid).map(({ pid }) => pid)];
  leaders.forEach((pid, i) => {
    const next = leaders[(i + 1) % leaders.length] ?? 0;
    memory.u64(taskAt(pid) + at('task_struct.tasks.next'), taskAt(next) + at('task_struct.tasks.next'));
    const threads = [
      pid,
      ...tasks.filter(({ pid: own, tgid }) => tgid === pid && own !== pid).map((t) => t.pid),
    ];
    threads.forEach((thread, n) => {
      const after = threads[n + 1];
      const node = at('task_struct.thread_node.next');
      memory.u64(taskAt(thread) + node, after === undefined ? signalAt(pid) + 16n : taskAt(after) + node);
    });
  });
}

/** Clocks of 100 s and 100.5 s; that for tasks lags 0.25 s on CPU 1. */
function writeCpus(memory: FakeMemory, running: [number, number]): void {
  memory.u32(TEXT + 0x9_1000n, 2);
  memory.bytes(TEXT + 0x9_1008n, [3, 0, 0, 0, 0, 0, 0, 0]);
  PER_CPU.forEach((base, cpu) => {
    memory.u64(TEXT + 0x9_0000n + BigInt(8 * cpu), base);
    memory.u64(base + 0x100n, taskAt(running[cpu] ?? 0));
    memory.u64(base + 0x108n, INIT);
    memory.u64(base + 0x110n, cpu === 0 ? 100_000_000_000 : 100_500_000_000);
    memory.u64(base + 0x118n, cpu === 0 ? 100_000_000_000 : 100_250_000_000);
    memory.u64(GDT + BigInt(0x1000 * cpu) + 120n, cpu);
  });
}

/** In spin, which vfs_read called. */
function registersOf(cpu: number, pid: number): VcpuRegisters {
  const sp = stackAt(pid) + 16384n - 512n + 56n;
  return {
    ...{
      vcpu: cpu,
      cr3: null,
      cr4: null,
      gs: null,
      user: false,
      halted: pid === 0,
      interruptsOff: pid !== 0,
    },
    gdt: GDT + BigInt(0x1000 * cpu),
    general: { ip: ip('spin'), sp, bp: 0n },
  };
}
